"""Everything around one task's form: the case head, the tabs 案卷, 办理记录, 流程图 and 依据."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.accounts.models import Account, Organisation
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.engine import runtime
from webapp.engine.flows import flows_taken
from webapp.engine.handler_api import Actor, CasePanel, CasePanelContext
from webapp.engine.tables import activity_history, process_instance, user_task
from webapp.engine.types import Element, ProcessInfo
from webapp.i18n import _, language
from webapp.inbox import deadlines
from webapp.inbox.claiming import name_of
from webapp.inbox.visibility import visible_tasks
from webapp.registers import regulation
from webapp.registers.models import Interpretation

_STATES = {"good": "ok", "warn": "fix", "bad": "no", "now": "now", "idle": ""}
#: The longest list of files beside a task; the case's own page has all.
MAX_FILES = 100


def instance_of(session: Session, row: Any) -> Any:
    """The task's instance with its definition's name, whose case it is and who started it."""
    i = process_instance.c
    statement = (
        select(
            i.id,
            i.definition_id,
            i.definition_key,
            i.business_key,
            i.title,
            i.status,
            i.suspended,
            i.stage,
            i.tokens,
            i.started_at,
            i.root_instance_id,
            Account.name.label("starter"),
            i.org_id,
            Organisation.name.label("organisation"),
        )
        .outerjoin(Account, Account.id == i.started_by)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(i.id == row.instance_id)
    )
    return session.execute(statement).one()


def head(session: Session, row: Any, instance: Any, info: ProcessInfo, element: Element) -> dict[str, Any]:
    """The case head: see the macro `case_head`."""
    now = clock.now()
    word, tone = state_of(row, instance)
    return {
        "title": row.name,
        "number": row.business_key or "",
        "subject": row.title or instance.title,
        "state": word,
        "tone": tone,
        "due": deadlines.tell(row.due_at, now, provisional=row.due_provisional) if row.status == "open" else None,
        "facts": _facts(session, row, instance, element),
        "stages": stages(info, instance, element),
        "trail": [{"label": _("待办"), "url": url_for("inbox.index")}, {"label": info.name, "url": None}],
    }


def state_of(row: Any, instance: Any) -> tuple[str, str]:
    """The badge of a task: word and tone."""
    if row.status == "completed":
        return "已办结", "done"
    if row.status == "cancelled":
        return "已撤销", "end"
    if instance is not None and instance.suspended:
        return "已挂起", "fix"
    return ("办理中", "run") if row.assignee_id else ("未签收", "new")


def _facts(session: Session, row: Any, instance: Any, element: Element) -> list[dict[str, Any]]:
    facts = [{"label": _("事项"), "value": row.title or instance.title}] if row.title or instance.title else []
    if row.assignee_id or row.completed_by:
        facts.append({"label": _("办理"), "value": name_of(session, row.completed_by or row.assignee_id)})
    started = deadlines.day(instance.started_at)
    # A unit reads which body opened its case, not which officer.
    starter = (instance.organisation if instance.org_id else instance.starter) or _("系统")
    facts.append({"label": _("发起"), "value": f"{starter}，{started}"})
    if element.clauses:
        facts.append({"label": _("依据"), "value": "、".join(_("第 %(n)s 条", n=n) for n in element.clauses)})
    return facts


def stages(info: ProcessInfo, instance: Any, element: Element) -> list[dict[str, Any]]:
    """The process's stages for the stepper: done before the present one, now, to come."""
    keys = [key for key, _label in info.stages]
    here = element.stage if instance.status == "active" and element.stage in keys else instance.stage
    now = keys.index(here) if here in keys else (len(keys) if instance.status == "completed" else -1)
    shown = []
    for number, (_key, label) in enumerate(info.stages):
        state = "done" if number < now or instance.status == "completed" else "now" if number == now else ""
        shown.append({"label": label, "note": "", "state": state})
    return shown


# ---- 案卷 --------------------------------------------------------------------------------------------------------


def panel(session: Session, actor: Actor, row: Any, variables: Mapping[str, Any]) -> CasePanel:
    """What the domain shows of this kind of case; nothing when it has no panel."""
    hook = runtime.engine().hooks.panels.get(row.definition_key)
    if hook is None:
        return CasePanel()
    context = CasePanelContext(session, row.instance_id, row.root_instance_id, row.definition_key, variables, actor)
    return hook(context)


def entities(session: Session, actor: Actor, found: CasePanel) -> list[dict[str, Any]]:
    """Tabs of sibling parts over the form; a part links to its open task when this person may see it."""
    ids = [tab.instance_id for tab in found.tabs if tab.instance_id]
    t = user_task.c
    statement = (
        select(t.instance_id, t.id)
        .ext(distinct_on(t.instance_id))
        .where(t.instance_id.in_(ids), visible_tasks(actor))
        .order_by(t.instance_id, t.status != "open", t.created_at.desc())
    )
    tasks: dict[Any, UUID] = {r.instance_id: r.id for r in session.execute(statement)} if ids else {}
    return [
        {
            "name": tab.label,
            "kind": _STATES.get(tab.style, ""),
            "state": tab.state,
            "current": tab.current,
            "url": url_for("inbox.task", task_id=tasks[tab.instance_id]) if tab.instance_id in tasks else "",
        }
        for tab in found.tabs
    ]


def blocks(session: Session, actor: Actor, found: CasePanel) -> list[dict[str, Any]]:
    """The panel's blocks with their files as tiles."""
    ids = [item for block in found.blocks if block.kind == "files" for item in block.items]
    known = files(session, actor, [*ids, *found.documents])
    shown = []
    for block in found.blocks:
        items: Sequence[Any] = block.items
        if block.kind == "files":
            items = [known[str(item)] for item in block.items if str(item) in known]
        if block.kind == "opinions":
            items = [{**item, "at": _moment(item.get("at"))} for item in block.items]
        shown.append(
            {
                "kind": block.kind,
                "title": block.title,
                "note": block.note,
                "entries": items,
                "columns": block.columns,
                "rows": block.rows,
                "text": block.text,
                "style": block.style,
                "link": block.link,
            }
        )
    return shown


def _moment(at: object) -> str:
    """When, in words: of an instant or of its ISO 8601 text."""
    if isinstance(at, str):
        try:
            return deadlines.moment(datetime.fromisoformat(at))
        except ValueError:
            return at
    return deadlines.moment(at) if isinstance(at, datetime) else ""


def files(session: Session, actor: Actor, ids: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Tiles of documents by id, those that the actor may read."""
    if not ids:
        return {}
    statement = select(Document).where(Document.id.in_([str(i) for i in ids]), documents.visible(actor))
    return {str(document.id): documents.tile(document) for document in session.scalars(statement)}


def case_files(session: Session, actor: Actor, row: Any) -> dict[str, list[dict[str, Any]]]:
    """Files of the case: `made` by its processes, `uploaded` by people."""
    statement = (
        select(Document)
        .where(Document.root_instance_id == row.root_instance_id, documents.visible(actor))
        .order_by(Document.kind == "upload", Document.created_at)
        .limit(MAX_FILES)
    )
    found: dict[str, list[dict[str, Any]]] = {"made": [], "uploaded": []}
    for document in session.scalars(statement):
        found["uploaded" if document.kind == "upload" else "made"].append(documents.tile(document))
    return found


# ---- 流程图 ------------------------------------------------------------------------------------------------------


def flow(session: Session, row: Any, instance: Any) -> dict[str, Any]:
    """The diagram with what is done and where the case stands."""
    h = activity_history.c
    done = set(
        session.scalars(select(h.element_id).where(h.instance_id == row.instance_id, h.cancelled.is_(False)).distinct())
    )
    active: dict[str, int] = {}
    for token in instance.tokens or ():
        active[token["element_id"]] = active.get(token["element_id"], 0) + 1
    definition = runtime.engine().definitions.get(session, row.definition_id)
    names = [definition.compiled.elements[e].name or e for e in active if e in definition.compiled.elements]
    clauses = {e.id: e.clauses[0] for e in definition.compiled.elements.values() if e.clauses}
    flows = flows_taken(session, row.definition_id, done | set(active))
    return {
        "xml_url": url_for("inbox.diagram", task_id=row.id),
        "state": {"done": sorted(done - set(active)), "active": active, "flows": sorted(flows), "clauses": clauses},
        "summary": _("现在：%(names)s", names="、".join(names)) if names else _("已办结"),
        "url": "",
    }


# ---- 依据 --------------------------------------------------------------------------------------------------------


def basis(session: Session, element: Element, all_clauses: Sequence[str]) -> dict[str, Any]:
    """The clauses of this step in the source's words, those around them, interpretations and house rules."""
    here = [number for number in element.clauses if regulation.exists(number)]
    parents = [p for number in here for p in _parents(number) if p not in here and regulation.exists(p)]
    others = [n for n in all_clauses if n not in here and n not in parents and regulation.exists(n)]
    related = list(dict.fromkeys(parents + others))
    readings = session.scalars(select(Interpretation).where(Interpretation.clause.in_(here + related))) if here else ()
    return {
        "here": [_clause(number) for number in here],
        "related": [_clause(number) for number in related],
        "rules": _rules(session, set(here)),
        "readings": [
            {
                "title": f"{one.number}，{_('第 %(n)s 条', n=one.clause)}",
                "words": one.text,
                "signed": f"{one.signed_by}，{deadlines.full_date(one.signed_on)}",
            }
            for one in readings
        ],
    }


def _parents(number: str) -> list[str]:
    parts = number.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 1, -1)]


def _clause(number: str) -> dict[str, str]:
    return {"number": number, "words": regulation.clause(number), "url": f"/regulation/#c-{number}"}


def _rules(session: Session, numbers: set[str]) -> list[dict[str, str]]:
    """House rules that fill what these clauses leave open, with their present values."""
    values = settings_service.everything(session)
    shown = []
    for key, rule in settings_service.DEFINITIONS.items():
        if rule.group == "house_rule" and rule.clause in numbers and values[key] is not None:
            words = f"{_value(rule.kind, values[key])} {rule.note(language())}".strip()
            shown.append({"title": rule.label(language()), "words": words, "since": ""})
    return shown


def _value(kind: str, value: Any) -> str:
    if kind == "boolean":
        return _("是。") if value else _("否。")
    unit = {"working_days": _(" 个工作日"), "days": _(" 日")}.get(kind, "")
    return f"{value}{unit}。"
