"""Forms are checked when a deployment is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from webapp.engine import deployment
from webapp.engine.errors import DeploymentRefused
from webapp.engine.tables import process_definition

MODEL = (Path(__file__).parent / "small_filing.bpmn").read_bytes()


def test_a_form_that_cannot_be_shown_is_refused_with_its_name_and_reason(session: Any, engine: Any) -> None:
    good = orjson.dumps({"components": [{"type": "textfield", "key": "x", "label": "甲"}]})
    bad = orjson.dumps({"components": [{"type": "iframe", "label": "外部页面"}]})
    files = {
        "small_filing.bpmn": MODEL,
        "forms/prepare.json": bad,
        "forms/review.json": good,
        "forms/second.json": good,
    }
    with pytest.raises(DeploymentRefused) as refused:
        deployment.deploy(session, "small_filing", files, hooks=engine.hooks)
    (finding,) = refused.value.findings
    assert "forms/prepare.json" in finding.message
    assert "外部页面" in finding.message
    assert "iframe" in finding.message
    assert session.scalar(select(func.count()).select_from(process_definition)) == 0
    deployment.deploy(session, "small_filing", {**files, "forms/prepare.json": good}, hooks=engine.hooks)
    assert session.scalar(select(func.count()).select_from(process_definition)) == 1
