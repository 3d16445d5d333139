"""Work that the demo leaves to the worker: the documents of lists that no process of this database has published."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from webapp.engine import store
from webapp.engine.bpmn.codec import clone, encode
from webapp.ids import uuid7


def make_documents(session: Session, notice_id: UUID) -> None:
    """Have the PDF and DOCX of a published notice made, as `ctx.enqueue` does inside a step."""
    arguments = encode(clone({"notice_id": str(notice_id)}))
    args = {"topic": "documents.notice", "arguments": arguments, "key": str(uuid7()), "instance_id": None}
    store.defer(session, [store.Defer("qianyin.call", args, queue="external")])
