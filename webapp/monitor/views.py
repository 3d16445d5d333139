"""Instances: the list, one instance, its diagram and replay, and what a manager may do to it (with a reason)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from webapp import access, clock, db
from webapp.accounts.service import current_actor
from webapp.documents import service as documents
from webapp.engine import commands, deployment
from webapp.engine import queries as engine_queries
from webapp.engine.flows import flows_taken
from webapp.engine.runtime import engine
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.inbox import record as case_record
from webapp.monitor import (
    counting,
    list_page,
    listing,
    live,
    operation_page,
    operation_views,
    presenting,
    queries,
    saved_views,
)
from webapp.monitor.blueprint import bp
from webapp.registers import exports, regulation
from webapp.retention import presenting as archived

WATCHERS = ("manager", "office", "working_group", "bureau_meeting")
OPERATORS = (operation_views.MANAGER,)


@bp.get("")
@access.roles(*WATCHERS)
def instances() -> str:
    shown = list_page.page(db_session(), current_actor(), request.args)
    return render_template("monitor/instances.html", **shown, **_many(shown["total"]))


def _many(total: str) -> dict[str, Any]:
    """For managers: the way from the list, ticked or as it is filtered, to an operation on many."""
    if operation_views.MANAGER not in current_actor().roles:
        return {"bulk_url": "", "operations": []}
    every = _("对筛选出的全部 %(n)s 件操作…", n=total)
    return {
        "bulk_url": url_for("batches.create"),
        "bulk_filter": request.query_string.decode("utf-8", "replace"),
        "operations": [
            {"label": _("批量操作…"), "name": "scope", "value": "ids"},
            {"label": every, "name": "scope", "value": "filter", "desk_only": True},
        ],
    }


@bp.get("/counts")
@access.roles(*WATCHERS)
def counts() -> BaseResponse:
    session, actor, wanted = db_session(), current_actor(), list_page.wanted(request.args)

    def look() -> str:
        return json.dumps(
            {key: counting.told(n) for key, n in queries.counts(session, actor, wanted, clock.now()).items()}
        )

    return live.answer(session, actor, "counts", look, mimetype="application/json")


@bp.get("/export.<any(csv,xlsx):kind>")
@access.roles(*WATCHERS)
def export(kind: str) -> Response:
    args, actor, now = request.args, current_actor(), clock.now()
    heads, columns = list_page.heads(db_session(), args)

    def rows() -> Iterator[list[Any]]:
        with db.transaction() as session:  # of its own: it lasts as long as the download
            yield from list_page.lines(session, actor, args, columns, now)

    return exports.streamed(kind, _("案件清单"), heads, rows())


@bp.get("/views")
@access.roles(*WATCHERS)
def view_page() -> str:
    return _view_page(list_page.clean(request.args.get("query", "")))


def _view_page(query: str, errors: Mapping[str, Any] | None = None, name: str = "") -> str:
    actor = current_actor()
    kept = saved_views.visible(db_session(), actor)
    return render_template("monitor/views.html", query=query, views=kept, me=actor.id, errors=errors or {}, name=name)


@bp.post("/views")
@access.roles(*WATCHERS)
def keep_view() -> ResponseReturnValue:
    name, query = request.form.get("name", ""), list_page.clean(request.form.get("query", ""))
    try:
        view = saved_views.keep(db_session(), current_actor(), name, query, shared=request.form.get("shared") == "true")
    except Invalid as error:
        return _view_page(query, error.fields, name), 422
    flash(_("已存为视图“%(name)s”。", name=view.name), "success")
    return redirect(f"{url_for('monitor.instances')}?{view.query}", 303)


@bp.post("/views/<uuid:view_id>/delete")
@access.roles(*WATCHERS)
def drop_view(view_id: UUID) -> BaseResponse:
    saved_views.drop(db_session(), current_actor(), view_id)
    flash(_("视图已删去。"), "success")
    return redirect(url_for("monitor.view_page"), 303)


@bp.get("/<uuid:instance_id>")
@access.roles(*WATCHERS)
def instance(instance_id: UUID) -> str:
    session, actor = db_session(), current_actor()
    row = queries.instance(session, actor, instance_id)
    done = queries.activities(session, instance_id)
    tasks = queries.open_tasks(session, instance_id)
    broken = queries.incidents(session, instance_id)
    flows = flows_taken(session, row.definition_id, {a.element_id for a in done if not a.cancelled})
    numbers = sorted(
        {c for token in row.tokens or () for c in (row.elements.get(token["element_id"]) or {}).get("clauses", ())}
    )
    operations = case_record.operations(session, [row.id])
    told = presenting.operations(session, operations)
    operable = operation_views.MANAGER in actor.roles and row.status == "active"
    related = queries.related(session, actor, row.root_instance_id, instance_id)
    return render_template(
        "monitor/instance.html",
        instance=listing.head(row, tasks, clock.now()),
        flow={
            "xml_url": url_for("monitor.diagram", instance_id=instance_id),
            "state": _picture(row, presenting.diagram_state(row, done, broken, flows), operations, operable),
            "summary": presenting.where(row) or presenting.state(row)[0],
            "steps_url": url_for("monitor.replay", instance_id=instance_id),
        },
        variables=presenting.variables(engine_queries.variables(session, instance_id)),
        variables_at="",
        record=[*_archived(session, instance_id), *presenting.record(row, done, tasks, told)],
        incidents=[listing.incident(found) for found in broken],
        documents=[documents.tile(found) for found in queries.documents(session, instance_id, row.root_instance_id)],
        related=[listing.related(other) for other in related],
        chases=_chases(tasks) if row.status == "active" else [],
        basis={"clauses": [{"number": n, "words": regulation.clause(n), "url": ""} for n in numbers], "rules": []},
        **listing.operations(row, broken, allowed="manager" in actor.roles),
    )


def _chases(tasks: Sequence[Any]) -> list[dict[str, str]]:
    """The open tasks whose people may be urged 催办."""
    return [
        {
            "id": f"chase-{task.id}",
            "label": _("%(name)s（%(who)s）", name=task.name, who=task.assignee or _("待签收")),
            "url": url_for("chasing.chase", task_id=task.id),
        }
        for task in tasks[:20]
    ]


def _archived(session: Session, instance_id: UUID) -> list[dict[str, Any]]:
    away = archived.entry(session, [instance_id], inside=bool(documents.READ_ALL & current_actor().roles))
    return [away] if away else []


def _picture(row: Any, state: presenting.Shape, operations: Sequence[Any], operable: bool) -> presenting.Shape:
    """The diagram's state with the marks of moved tokens; for managers each element leads to its operations."""
    moved = {str((one.detail or {}).get("to", "")) for one in operations}
    state["moved"] = sorted(moved & set(row.elements))
    return state | {"links": operation_page.links(row)} if operable else state


@bp.get("/<uuid:instance_id>/diagram.bpmn")
@access.signed_in
def diagram(instance_id: UUID) -> Response:
    session = db_session()
    row = queries.instance(session, current_actor(), instance_id)
    response = Response(deployment.bpmn_xml(session, row.definition_id), mimetype="application/xml")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@bp.get("/<uuid:instance_id>/replay.json")
@access.roles(*WATCHERS)
def replay(instance_id: UUID) -> Response:
    session = db_session()
    row = queries.instance(session, current_actor(), instance_id)

    def flows(finished: set[str]) -> Any:
        return flows_taken(session, row.definition_id, finished)

    return jsonify(presenting.replay(row, queries.activities(session, instance_id), flows))


def _reason() -> str:
    reason = (request.form.get("reason") or "").strip()
    if not reason:
        raise Invalid(_("请写明操作理由。"), fields={"reason": _("请写明操作理由。")})
    return reason


def _command(operation: str, reason: str) -> commands.Command:
    if operation == "cancel":
        return commands.Cancel(reason)
    return commands.Suspend(reason) if operation == "suspend" else commands.Resume(reason)


@bp.post("/<uuid:instance_id>/<any(cancel,suspend,resume):operation>")
@access.roles(*OPERATORS)
def operate(instance_id: UUID, operation: str) -> BaseResponse:
    session, actor = db_session(), current_actor()
    row = queries.instance(session, actor, instance_id)
    engine().step(session, row.id, _command(operation, _reason()), actor)
    words = {"cancel": _("案件已终止。"), "suspend": _("案件已挂起。"), "resume": _("案件已恢复办理。")}
    flash(words[operation], "good")
    return redirect(url_for("monitor.instance", instance_id=row.id))


@bp.post("/<uuid:instance_id>/incidents/<uuid:incident_id>/retry")
@access.roles(*OPERATORS)
def retry(instance_id: UUID, incident_id: UUID) -> BaseResponse:
    session, actor = db_session(), current_actor()
    row = queries.instance(session, actor, instance_id)
    engine().step(session, row.id, commands.RetryIncident(incident_id, reason=_reason()), actor)
    flash(_("已重试。"), "good")
    return redirect(url_for("monitor.instance", instance_id=row.id))
