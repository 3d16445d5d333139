"""The sequence flows of a model, for drawing the path that an instance has taken."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.engine import deployment
from webapp.engine.bpmn.xml import local, parse_xml


@lru_cache(maxsize=128)
def _flows(xml: bytes) -> tuple[tuple[str, str, str], ...]:
    """(id, source, target) of every sequence flow of the drawing."""
    found = (node for node in parse_xml(xml).iter("{*}sequenceFlow") if local(node) == "sequenceFlow")
    return tuple((n.get("id", ""), n.get("sourceRef", ""), n.get("targetRef", "")) for n in found)


def flows_taken(session: Session, definition_id: UUID, reached: Collection[str]) -> set[str]:
    """The ids of the flows whose both ends were reached; of a boundary event's host only what really ended counts."""
    known = _flows(deployment.bpmn_xml(session, definition_id))
    return {id for id, source, target in known if id and source in reached and target in reached}
