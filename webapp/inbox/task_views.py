"""One task: its page, completing it, drafts, claiming, handing over, comments, its diagram, its printed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from webapp import access, clock, db
from webapp.accounts.service import current_actor
from webapp.documents import service as documents
from webapp.engine import deployment, runtime
from webapp.engine.handler_api import Actor
from webapp.engine.tables import user_task
from webapp.errors import Conflict, Invalid, NotFound, QianyinError, Unavailable
from webapp.forms.render import cells, review
from webapp.http import db_session, unit
from webapp.i18n import _
from webapp.inbox import drafts, service, task_page
from webapp.inbox.blueprint import bp
from webapp.inbox.task_form import element_of, open_form
from webapp.registers import regulation

_c = user_task.c


def seen(session: Session, actor: Actor, task_id: UUID) -> Any:
    """The task's row, open or not. Errors: NotFound."""
    row = session.execute(select(user_task).where(_c.id == task_id, service.visible_tasks(actor))).one_or_none()
    if row is None:
        raise NotFound(_("没有找到该事项，或您无权查看。"))
    return row


@bp.get("/tasks/<uuid:task_id>")
@access.signed_in
def task(task_id: UUID) -> str:
    session, actor = db_session(), current_actor()
    row = seen(session, actor, task_id)
    service.mark_seen(session, actor, row)
    return task_page.show(session, actor, row)


@bp.post("/tasks/<uuid:task_id>")
@access.signed_in
def complete(task_id: UUID) -> ResponseReturnValue:
    """Decide (`outcome`), or keep a draft (`action=draft`)."""
    session, actor = db_session(), current_actor()
    form, not_kept = entered(actor)
    if not_kept:
        return _without_files(session, actor, task_id, _own(form), not_kept)
    if form.get("action") == "draft":
        service.save_draft(session, actor, task_id, _own(form))
        flash(_("已暂存，可以稍后继续填写。"), "success")
        return redirect(url_for("inbox.task", task_id=task_id), 303)
    outcome, reason = form.get("outcome"), form.get("reason", "")
    try:
        made = service.complete(session, actor, task_id, form=_own(form), outcome=outcome, reason=reason)
    except service.FormRefused as refused:
        return _refused(session, actor, task_id, refused, reason)
    except Conflict as conflict:
        return _too_late(actor, task_id, _own(form), conflict)
    _tell(made)
    if made.next_task_id:
        return redirect(url_for("inbox.task", task_id=made.next_task_id), 303)
    return redirect(url_for("inbox.index"), 303)


def entered(actor: Actor) -> tuple[MultiDict[str, str], dict[str, str]]:
    """The fields that came, with the files that a browser without scripts sent along; why which file was not kept.

    Files are kept whatever becomes of the form: who corrects a field need not send them again.
    """
    form, not_kept = MultiDict(request.form), {}
    for name, file in request.files.items(multi=True):
        if file.filename and name.endswith("__file"):
            field = name.removesuffix("__file")
            try:
                with db.transaction() as session:
                    document = documents.store_upload(session, file.stream, file.filename, actor=actor)
            except (Invalid, Unavailable) as error:
                not_kept[field] = error.message
            else:
                form.add(field, str(document.id))
    return form, not_kept


def _own(form: MultiDict[str, str]) -> MultiDict[str, str]:
    """Without the page's own fields, which the form need not know."""
    return MultiDict([(k, v) for k, v in form.items(multi=True) if k not in {"version", "action", "to", "comment"}])


def _tell(made: service.Completed) -> None:
    """Say what happened, with the way back to it, and what comes now."""
    label = made.outcome.label if made.outcome else _("已提交")
    words = _("%(number)s：%(label)s。", number=made.number, label=label) if made.number else f"{label}。"
    back = Markup('<a href="{}">{}</a>').format(url_for("inbox.task", task_id=made.task_id), _("查看办结的这一件"))
    now = _("已为您打开下一件。") if made.next_task_id else _("没有接着要办的同类事项。")
    flash(Markup("{}{}　{}").format(words, now, back), "success")


def _refused(
    session: Session, actor: Actor, task_id: UUID, refused: service.FormRefused, reason: str
) -> ResponseReturnValue:
    """The same page with what was entered, which is kept as a draft too, and what is wrong."""
    row = seen(session, actor, task_id)
    form = refused.form
    form.data = {**form.environment.initial, **refused.parsed.data}
    page = task_page.show(session, actor, row, form=form, errors=refused.parsed.errors, reason=reason)
    unit().rollback()  # the locks of the attempt
    if form.schema.components:
        with db.transaction() as own:
            service.keep(own, actor, task_id, refused.parsed.data)
    return page, 422


def _without_files(
    session: Session, actor: Actor, task_id: UUID, form: MultiDict[str, str], not_kept: Mapping[str, str]
) -> ResponseReturnValue:
    """A file that came along could not be kept: nothing is decided, everything else stands in the form."""
    row = service.look(session, actor, task_id)
    task_form = open_form(session, actor, row, with_draft=False)
    parsed = drafts.read(task_form, form)
    rows = {sent: path for path, sent in parsed.sent_rows.items()}
    for field, sentence in not_kept.items():
        row_sent, dot, rest = field.rpartition("].")
        path = f"{rows.get(row_sent + ']', row_sent + ']')}.{rest}" if dot else field
        parsed.errors[path] = [sentence]
    return _refused(session, actor, task_id, service.FormRefused("", form=task_form, parsed=parsed), "")


def _too_late(actor: Actor, task_id: UUID, form: MultiDict[str, str], conflict: Conflict) -> ResponseReturnValue:
    """Another was faster: who and when; what was typed is kept and shown, so that nothing is lost."""
    unit().rollback()
    with db.transaction() as session:
        row = seen(session, actor, task_id)
        task_form = open_form(session, actor, row, with_draft=False)
        data = drafts.read(task_form, form).data
        service.keep(session, actor, task_id, data)
        shown = review(task_form.schema, data, task_form.environment)
        element = element_of(session, row)
        head = task_page.head_of(session, row, element)
    return render_template("inbox/conflict.html", case=head, conflict=conflict, entered=shown, task_id=task_id), 409


@bp.post("/tasks/<uuid:task_id>/draft")
@access.signed_in
def draft(task_id: UUID) -> ResponseReturnValue:
    """Autosave: {saved_at} as Beijing time."""
    at = service.save_draft(db_session(), current_actor(), task_id, _own(MultiDict(request.form)))
    return jsonify(saved_at=at.astimezone(clock.BEIJING).strftime("%H:%M"))


@bp.post("/tasks/<uuid:task_id>/form")
@access.signed_in
def refresh(task_id: UUID) -> ResponseReturnValue:
    """The parts of the form that hang on the field `changed`, to be swapped in."""
    session, actor = db_session(), current_actor()
    row = service.look(session, actor, task_id)
    form = open_form(session, actor, row, with_draft=False)
    parsed = drafts.read(form, _own(MultiDict(request.form)))
    return str(cells(form.schema, parsed.data, form.environment, request.args.get("changed", ""), parsed.sent_rows))


@bp.post("/tasks/<uuid:task_id>/claim")
@access.signed_in
def claim(task_id: UUID) -> ResponseReturnValue:
    service.claim(db_session(), current_actor(), task_id)
    flash(_("已签收，请在办理时限内办结。"), "success")
    return redirect(url_for("inbox.task", task_id=task_id), 303)


@bp.post("/tasks/<uuid:task_id>/release")
@access.signed_in
def release(task_id: UUID) -> ResponseReturnValue:
    service.release(db_session(), current_actor(), task_id)
    flash(_("已放回，其他人可以签收；您填写的内容仍为您保留。"), "success")
    return redirect(url_for("inbox.index"), 303)


@bp.post("/tasks/<uuid:task_id>/transfer")
@access.signed_in
def transfer(task_id: UUID) -> ResponseReturnValue:
    to = request.form.get("to", "")
    try:
        wanted = UUID(to)
    except ValueError as error:
        raise Invalid(_("请选择要转给的人。"), fields={"to": _("请选择要转给的人。")}) from error
    person = service.transfer(db_session(), current_actor(), task_id, wanted, request.form.get("reason", ""))
    flash(_("已转给%(name)s办理。", name=person.name), "success")
    return redirect(url_for("inbox.index"), 303)


@bp.post("/tasks/<uuid:task_id>/return")
@access.signed_in
def give_back(task_id: UUID) -> ResponseReturnValue:
    """退回: the case goes back to an earlier task."""
    to, reason = request.form.get("to", ""), request.form.get("reason", "")
    goal = service.give_back(db_session(), current_actor(), task_id, to, reason)
    flash(_("已退回到“%(name)s”。", name=goal.label), "success")
    return redirect(url_for("inbox.index"), 303)


@bp.post("/tasks/<uuid:task_id>/recall")
@access.signed_in
def recall(task_id: UUID) -> ResponseReturnValue:
    """收回: who has just completed a task takes it back."""
    opened = service.recall(db_session(), current_actor(), task_id, request.form.get("reason", ""))
    flash(_("已收回，原来填写的内容仍在，可以修改后再次提交。"), "success")
    return redirect(url_for("inbox.task", task_id=opened), 303)


@bp.post("/tasks/<uuid:task_id>/comments")
@access.signed_in
def comment(task_id: UUID) -> ResponseReturnValue:
    internal = request.form.get("shared") != "true"
    try:
        service.comment(db_session(), current_actor(), task_id, request.form.get("comment", ""), internal=internal)
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(_("留言已发布。"), "success")
    return redirect(url_for("inbox.task", task_id=task_id, _anchor="case-file"), 303)


@bp.get("/tasks/<uuid:task_id>/diagram.bpmn")
@access.signed_in
def diagram(task_id: UUID) -> Response:
    session = db_session()
    row = seen(session, current_actor(), task_id)
    response = Response(deployment.bpmn_xml(session, row.definition_id), mimetype="application/xml")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@bp.get("/tasks/<uuid:task_id>/print")
@access.signed_in
def printed(task_id: UUID) -> str:
    """打印审批单: what was entered, who decided what and when, on paper."""
    session, actor = db_session(), current_actor()
    row = seen(session, actor, task_id)
    return task_page.paper(session, actor, row)


# ---- shared with the list ----------------------------------------------------------------------------------------


def clause_card(number: str) -> dict[str, str]:
    """One clause in the source's words."""
    try:
        return {"number": number, "words": regulation.clause(number), "url": ""}
    except QianyinError as error:
        return {"number": number, "words": error.message, "url": ""}


def outcome_label(session: Session, row: Any) -> str:
    """The label of the button that was pressed."""
    if not row.outcome:
        return _("已提交")
    outcomes = runtime.engine().definitions.get(session, row.definition_id).compiled.elements[row.element_id].outcomes
    return next((outcome.label for outcome in outcomes if outcome.value == row.outcome), str(row.outcome))


def tasks_of(session: Session, actor: Actor, instance_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """One visible task per case: the open one, else the newest."""
    statement = (
        select(_c.root_instance_id, _c.id)
        .ext(distinct_on(_c.root_instance_id))
        .where(_c.root_instance_id.in_(instance_ids), service.visible_tasks(actor))
        .order_by(_c.root_instance_id, _c.status != "open", _c.created_at.desc())
    )
    return {row.root_instance_id: row.id for row in session.execute(statement)}
