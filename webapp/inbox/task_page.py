"""The task page put together: form at the left, the case's file at the right, the bar with the model's decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, url_for
from sqlalchemy.orm import Session

from webapp import clock
from webapp.chasing import service as chasing
from webapp.engine import runtime
from webapp.engine.handler_api import Actor
from webapp.engine.types import Element, Outcome
from webapp.forms.render import error_items, render, review
from webapp.i18n import _
from webapp.inbox import case_file, deadlines, personal, presenting, record
from webapp.inbox.claiming import name_of
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.returning import goals, may_recall
from webapp.inbox.task_form import TaskForm, done_form, element_of, open_form


def head_of(session: Session, row: Any, element: Element) -> dict[str, Any]:
    """The case head of a task."""
    compiled = runtime.engine().definitions.get(session, row.definition_id).compiled
    return case_file.head(session, row, case_file.instance_of(session, row), compiled.info, element)


def show(
    session: Session,
    actor: Actor,
    row: Any,
    *,
    form: TaskForm | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    reason: str = "",
) -> str:
    """The page. With `form` and `errors`: what was entered, and what is wrong with it."""
    element = element_of(session, row)
    read_only = why_read_only(session, actor, row, element)
    if row.status != "open":
        form = done_form(session, actor, row)
    elif form is None:
        form = open_form(session, actor, row)
    form.environment.phrases = personal.phrases(session, actor, row.element_id)
    context = _around(session, actor, row, element, form)
    context |= _chased(session, actor, row)
    context["behalf"] = name_of(session, row.on_behalf_of) if row.on_behalf_of else ""
    context |= {
        "read_only": read_only,
        "errors": error_items(form.schema, errors or {}),
        "warnings": [str(words) for words in form.warnings],
        "action_url": url_for("inbox.complete", task_id=row.id),
        "draft_url": "" if read_only or not form.schema.components else url_for("inbox.draft", task_id=row.id),
        "may_claim": row.status == "open" and row.assignee_id is None and not read_only,
        "task_id": row.id,
        "goals": [] if read_only else [{"value": one.value, "label": one.label} for one in goals(session, row)],
        "may_recall": may_recall(session, actor, row),
    }
    if read_only:
        context |= {"form_html": review(form.schema, form.data, form.environment), "bar": None, "dialogs": []}
    else:
        context["form_html"] = render(form.schema, form.data, errors or {}, form.environment)
        context["bar"] = _bar(row, element, form, errors or {}, returnable=bool(context["goals"]))
        context["dialogs"] = _dialogs(row, element, reason, errors or {})
        context["transfer_people"] = presenting.transfer_people(session, actor, list(row.candidate_groups))
    return render_template("inbox/task.html", **context)


def _chased(session: Session, actor: Actor, row: Any) -> dict[str, Any]:
    """The 催办 of an open task, and whether this person may urge another who has it."""
    if row.status != "open":
        return {"chases": [], "chase_url": ""}
    told = [
        _("%(who)s于 %(when)s 催办：%(words)s", who=one.name, when=deadlines.moment(one.at), words=one.words)
        for one in chasing.of_tasks(session, [row.id])
    ]
    another = row.assignee_id not in {None, actor.id}
    return {"chases": told, "chase_url": url_for("chasing.chase", task_id=row.id) if another else ""}


def why_read_only(session: Session, actor: Actor, row: Any, element: Element) -> str:
    """A sentence why this person can only read, '' when they may work on it."""
    now = clock.now()
    if row.status == "completed":
        who, when = name_of(session, row.completed_by), deadlines.moment(row.ended_at, now)
        label = next((o.label for o in element.outcomes if o.value == row.outcome), "")
        words = _("已由%(who)s于 %(when)s 办结", who=who, when=when)
        return words + (_("，结果：%(label)s。", label=label) if label else "。")
    if row.status == "cancelled":
        return _("这件事项已于 %(when)s 因案件变化撤销，无需办理。", when=deadlines.moment(row.ended_at, now))
    if row.assignee_id not in {None, actor.id}:
        who, when = name_of(session, row.assignee_id), deadlines.moment(row.claimed_at or row.created_at, now)
        return _("已由%(who)s于 %(when)s 签收，您可以查看，不能办理。", who=who, when=when)
    return prepared_by_oneself(session, actor, row, element) or ""


def _around(session: Session, actor: Actor, row: Any, element: Element, form: TaskForm) -> dict[str, Any]:
    """Everything but the form."""
    compiled = runtime.engine().definitions.get(session, row.definition_id).compiled
    instance = case_file.instance_of(session, row)
    panel = case_file.panel(session, actor, row, form.variables)
    told = record.entries(session, actor, row)
    numbers = list(dict.fromkeys(n for one in compiled.elements.values() for n in one.clauses))
    return {
        "case": case_file.head(session, row, instance, compiled.info, element),
        "documentation": element.documentation,
        "entities": case_file.entities(session, actor, panel),
        "blocks": case_file.blocks(session, actor, panel),
        "case_files": case_file.case_files(session, actor, row),
        "record": told,
        "flow": case_file.flow(session, row, instance),
        "basis": case_file.basis(session, element, numbers),
        "comment_url": url_for("inbox.comment", task_id=row.id),
        "is_inside": personal.is_inside(actor),
    }


def _outcomes(element: Element) -> tuple[Outcome, ...]:
    """The model's decisions; a task without any is simply handed in."""
    return element.outcomes or (Outcome("", _("提交"), "primary"),)


def _bar(
    row: Any, element: Element, form: TaskForm, errors: Mapping[str, Sequence[str]], *, returnable: bool
) -> dict[str, Any]:
    actions = [
        {
            "label": one.label + ("…" if _asks(one) else ""),
            "name": "outcome",
            "value": one.value,
            "danger": one.style == "danger",
            "confirm": f"confirm-{one.value}" if _asks(one) else "",
        }
        for one in sorted(_outcomes(element), key=lambda one: one.style != "primary")
    ]
    more: list[dict[str, Any]] = [{"label": _("退回…"), "confirm": "give-back"}] if returnable else []
    more.append({"label": _("转办…"), "confirm": "transfer"})
    if row.assignee_id is not None and (row.candidate_groups or row.candidate_users):
        more.append({"label": _("退回签收"), "confirm": "release"})
    more.append({"label": _("打印"), "url": url_for("inbox.printed", task_id=row.id)})
    saved = ""
    if form.draft:
        time = form.draft.updated_at.astimezone(clock.BEIJING).strftime("%H:%M")
        saved = _("%(time)s 已暂存", time=time)
    count = sum(len(sentences) for sentences in errors.values())
    missing = _("还有 %(n)s 处需要修改", n=count) if count else ""
    return {
        "actions": actions,
        "missing": missing,
        "missing_kind": "no",
        "saved": saved,
        "draft": bool(form.schema.components),
        "more": more,
    }


def _asks(outcome: Outcome) -> bool:
    """A decision that is confirmed first: it asks for a reason, or it is one that hurts."""
    return outcome.asks_reason or outcome.style == "danger"


def _dialogs(row: Any, element: Element, reason: str, errors: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    title = row.title or row.name
    wrong = "".join(errors.get("reason", ()))
    shown = []
    for one in _outcomes(element):
        if not _asks(one):
            continue
        asked = {"name": "reason", "label": _("%(label)s的理由", label=one.label), "note": _("必填，记入办理记录")}
        shown.append(
            {
                "id": f"confirm-{one.value}",
                "title": f"{one.label}：{title}",
                "effects": [
                    _("只影响这一件：%(title)s。", title=title),
                    _("结论记入办理记录，提交后不能自行撤回。"),
                ],
                "action": one.label,
                "name": "outcome",
                "value": one.value,
                "reason": {**asked, "value": reason, "error": wrong} if one.asks_reason else None,
                "danger": one.style == "danger",
            }
        )
    shown.append(_release_dialog(row))
    return shown


def _release_dialog(row: Any) -> dict[str, Any]:
    return {
        "id": "release",
        "title": _("退回签收"),
        "effects": [_("事项回到待签收，其他人可以签收。"), _("您填写的内容仍为您保留。")],
        "action": _("退回签收"),
        "name": "",
        "value": "",
        "form": "",
        "url": url_for("inbox.release", task_id=row.id),
        "reason": None,
        "danger": False,
    }


def paper(session: Session, actor: Actor, row: Any) -> str:
    """The printed form 审批单."""
    element = element_of(session, row)
    form = done_form(session, actor, row) if row.status != "open" else open_form(session, actor, row)
    return render_template(
        "inbox/print.html",
        case=head_of(session, row, element),
        form_html=review(form.schema, form.data, form.environment),
        record=record.entries(session, actor, row, unfolded=True),
        printed=deadlines.moment(clock.now(), clock.now()),
        printed_by=actor.name,
    )
