"""Documents made outside of the step: whatever happens while they are rendered, the notice has its own in the end."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.processes.conftest import Town
from tests.processes.test_batches import in_publicity
from webapp import clock, db
from webapp.accounts.models import Setting
from webapp.documents import rendering
from webapp.documents.models import Document
from webapp.engine import jobs
from webapp.engine.bpmn.codec import encode
from webapp.engine.errors import HandlerFailed
from webapp.ids import uuid7


def test_a_notice_whose_words_change_while_its_files_are_made_gets_files_of_the_new_words(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filing, _items, batch = in_publicity(town, 1)
    notice, real = town.notice(batch), rendering.render

    def slowly(*args: object) -> bytes:  # meanwhile a setting that the notice's words speak of is changed
        with db.transaction() as session:
            session.merge(Setting(key="objection_days", value={"value": 12}))
        return real(*args)  # type: ignore[arg-type]

    def make() -> None:
        arguments = encode({"notice_id": str(notice.id)})
        jobs.call(town.engine, "documents.notice", arguments, uuid7(), batch)

    monkeypatch.setattr(rendering, "render", slowly)
    with pytest.raises(HandlerFailed):  # the worker tries again
        make()
    make()
    made = town.notice(batch).pdf_id
    assert isinstance(made, UUID)
    with db.transaction() as session:
        told = session.get_one(Document, made).made_from
        assert told is not None
        assert told["data"]["objection_days"] == 12
    make()  # once more changes nothing
    assert town.notice(batch).pdf_id == made
    assert clock.now() < notice.period_ends_at  # type: ignore[operator]
