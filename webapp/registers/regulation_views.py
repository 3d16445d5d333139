"""规程: every clause in the source's own words, and what of the deployed processes fulfils it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user

from webapp import access
from webapp.accounts import settings_service
from webapp.accounts.roles import ROLES
from webapp.http import db_session
from webapp.i18n import _, language
from webapp.registers import queries, regulation
from webapp.registers.models import Interpretation
from webapp.registers.regulation import Fulfilment

bp = Blueprint("regulation", __name__, template_folder="templates", url_prefix="/regulation")

TYPES = {
    "userTask": lambda: _("人工环节"),
    "serviceTask": lambda: _("自动环节"),
    "businessRuleTask": lambda: _("决策"),
    "sendTask": lambda: _("发出消息"),
    "receiveTask": lambda: _("等待消息"),
    "callActivity": lambda: _("子流程"),
    "subProcess": lambda: _("子流程"),
    "intermediateCatchEvent": lambda: _("等待"),
    "boundaryEvent": lambda: _("时限或意外"),
    "startEvent": lambda: _("开始"),
    "endEvent": lambda: _("结束"),
}


@bp.get("/")
@access.signed_in
def page() -> str:
    """All clauses with their elements, house rules and interpretations."""
    session = db_session()
    source, found = regulation.source(), regulation.fulfilments(session)
    rules = _house_rules(settings_service.everything(session))
    read = queries.interpretations(session)
    chapters = [_chapter(chapter, source, found, rules, read) for chapter in source["chapters"]]
    articles = [article for chapter in chapters for article in chapter["articles"]]
    return render_template(
        "registers/regulation.html",
        source=source,
        chapters=chapters,
        totals={state: sum(a["state"] == state for a in articles) for state in ("done", "none", "todo")},
        law=len({(f.process_key, f.element_id) for several in found.values() for f in several if f.law}),
        readings=len(read),
        may_enter="office" in current_user.roles,
    )


def _chapter(
    chapter: dict[str, Any],
    source: dict[str, Any],
    found: dict[str, list[Fulfilment]],
    rules: dict[str, list[dict[str, str]]],
    read: list[Interpretation],
) -> dict[str, Any]:
    articles = []
    for number in chapter["clauses"]:
        elements = found.get(number, [])
        elsewhere = source["elsewhere"].get(number, "")
        reason = source["no_system"].get(number, "")
        articles.append(
            {
                "number": number,
                "words": source["clauses"][number]["text"],
                "state": "done" if elements or elsewhere else "none" if reason else "todo",
                "reason": reason,
                "elsewhere": elsewhere,
                "elements": [_element(element) for element in elements],
                "law": any(element.law for element in elements),
                "rules": rules.get(number, []),
                "readings": [entry for entry in read if entry.clause == number],
                "closing": _closing(number, source),
                "missing": [(n, m["note"]) for n, m in source["missing"].items() if m["after"] == number],
            }
        )
    done = sum(article["state"] == "done" for article in articles)
    return {**chapter, "articles": articles, "done": done}


def _closing(number: str, source: dict[str, Any]) -> str:
    """The sentence that closes a list, where this is the list's last clause."""
    parent = number.rsplit(".", 1)[0]
    clauses = source["clauses"]
    last = max((n for n in clauses if n.startswith(parent + ".")), key=lambda n: int(n.rsplit(".", 1)[1]), default="")
    return clauses.get(parent, {}).get("closing", "") if number == last else ""


def _element(element: Fulfilment) -> dict[str, Any]:
    words = TYPES.get(element.type, lambda: _("环节"))()
    english = language() == "en"
    who = "、".join((ROLES[role].en if english else ROLES[role].zh) for role in element.roles if role in ROLES)
    return {"name": element.name, "process": element.process_name, "words": words, "who": who, "law": element.law}


def _house_rules(values: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    rules: dict[str, list[dict[str, str]]] = {}
    speak = language()
    for key, definition in settings_service.DEFINITIONS.items():
        if definition.clause:
            words = f"{_value(definition.kind, values[key])}{_('。')}{definition.note(speak)}"
            rules.setdefault(definition.clause, []).append({"title": definition.label(speak), "words": words})
    return rules


def _value(kind: str, value: Any) -> str:
    if kind == "boolean":
        return _("是") if value else _("否")
    if kind == "working_days":
        return _("%(n)s 个工作日", n=value)
    if kind == "days":
        return _("%(n)s 日", n=value)
    return str(value) if value is not None else _("未设置")
