"""The event log of a process in XES (IEEE 1849-2016), written while it is read, so that its length does not matter.

One trace for each completed case, one event for each finished activity: `concept:name`, `concept:instance`,
`lifecycle:transition` complete, `time:timestamp` (its end), `start_timestamp`, `org:resource`, `org:role`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts.models import Account, Organisation
from webapp.engine.tables import activity_history, process_definition, process_instance
from webapp.monitor import paths
from webapp.monitor.mining import Scope

_i, _h, _d = process_instance.c, activity_history.c, process_definition.c
_EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
)
_CHUNK = 2**16


def _rows(session: Session, scope: Scope) -> Iterator[Any]:
    statement = (
        select(
            _i.id,
            _i.business_key,
            _i.title,
            _i.started_at.label("began"),
            _d.version,
            _d.elements,
            Organisation.name.label("organisation"),
            _h.node,
            _h.element_id,
            _h.element_name,
            _h.element_type,
            _h.started_at,
            _h.ended_at,
            Account.name.label("actor"),
        )
        .join(process_definition, _d.id == _i.definition_id)
        .outerjoin(Organisation, Organisation.id == _i.org_id)
        .outerjoin(activity_history, (_h.instance_id == _i.id) & _h.cancelled.is_(False))
        .outerjoin(Account, Account.id == _h.actor_id)
        .where(*paths.ended(scope.process, scope.version, scope.first, scope.last))
        .order_by(_i.ended_at, _i.id, _h.ended_at, _h.id)
    )
    yield from session.execute(statement, execution_options={"yield_per": 1000})


def stream(session: Session, scope: Scope, name: str) -> Iterator[bytes]:
    """The log in parts, as bytes of UTF-8."""
    out = io.BytesIO()

    def taken() -> bytes:
        part = out.getvalue()
        out.seek(0)
        out.truncate()
        return part

    with etree.xmlfile(out, encoding="utf-8") as file:
        file.write_declaration()
        attributes = {"xes.version": "1849-2016", "xes.features": "nested-attributes"}
        with file.element("log", attributes, nsmap={None: "http://www.xes-standard.org/"}):
            for part in _head(name):
                file.write(part)
            for _case, rows in groupby(_rows(session, scope), key=lambda row: row.id):
                file.write(_trace(list(rows)))
                if out.tell() > _CHUNK:
                    file.flush()
                    yield taken()
    yield taken()


def _head(name: str) -> Iterator[Any]:
    for title, prefix, uri in _EXTENSIONS:
        yield etree.Element("extension", name=title, prefix=prefix, uri=uri)
    trace = etree.Element("global", scope="trace")
    trace.append(_text("concept:name", "UNKNOWN"))
    event = etree.Element("global", scope="event")
    event.append(_text("concept:name", "UNKNOWN"))
    event.append(_text("lifecycle:transition", "complete"))
    event.append(etree.Element("date", key="time:timestamp", value="1970-01-01T00:00:00.000+00:00"))
    yield trace
    yield event
    yield etree.Element("classifier", name="Activity", keys="concept:name")
    yield _text("concept:name", name)
    yield _text("lifecycle:model", "standard")


def _trace(rows: list[Any]) -> Any:
    case = rows[0]
    trace = etree.Element("trace")
    trace.append(_text("concept:name", case.business_key or str(case.id)))
    trace.append(_text("identity:id", str(case.id)))
    trace.append(_text("title", case.title or ""))
    trace.append(etree.Element("int", key="version", value=str(case.version)))
    trace.append(etree.Element("date", key="started_at", value=_at(case.began)))
    if case.organisation:
        trace.append(_text("organisation", case.organisation))
    for row in rows:
        if row.element_id is not None:
            trace.append(_event(row))
    return trace


def _event(row: Any) -> Any:
    event = etree.Element("event")
    event.append(_text("concept:name", row.element_name or row.element_id))
    event.append(_text("concept:instance", str(row.node)))
    event.append(_text("element", row.element_id))
    event.append(_text("type", row.element_type))
    event.append(_text("lifecycle:transition", "complete"))
    event.append(etree.Element("date", key="start_timestamp", value=_at(row.started_at)))
    event.append(etree.Element("date", key="time:timestamp", value=_at(row.ended_at)))
    if row.actor:
        event.append(_text("org:resource", row.actor))
    if role := (row.elements.get(row.element_id) or {}).get("role"):
        event.append(_text("org:role", role))
    return event


def _text(key: str, value: str) -> Any:
    clean = "".join(c for c in value if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    return etree.Element("string", key=key, value=clean)


def _at(moment: Any) -> str:
    return str(moment.isoformat(timespec="milliseconds"))
