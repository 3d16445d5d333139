"""A small process of our own: an enterprise's filing is prepared, reviewed, and reviewed again by another person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support import make_organisation
from webapp.accounts.service import actor_of
from webapp.engine import deployment
from webapp.engine.commands import StartInstance
from webapp.engine.tables import user_task

HERE = Path(__file__).parent


@pytest.fixture
def deployed(session: Session, engine: Any) -> Any:
    """The process `small_filing`, deployed."""
    resources = {path.name: path.read_bytes() for path in (HERE / "small_filing.bpmn",)}
    for name, schema in FORMS.items():
        resources[f"forms/{name}.json"] = orjson.dumps({"type": "default", "schemaVersion": 19, "id": name, **schema})
    made = deployment.deploy(session, "small_filing", resources, hooks=engine.hooks)
    session.commit()
    return made


@pytest.fixture
def start(session: Session, engine: Any, deployed: Any) -> Callable[..., UUID]:
    """Start a case of an organisation; gives the id of its first task. Committed."""

    def begin(organisation: Any, number: str = "BA-2026-0001", by: Any = None, **variables: Any) -> UUID:
        command = StartInstance(key="small_filing", business_key=number, org_id=organisation.id, variables=variables)
        result = engine.start(session, command, actor_of(by) if by else None)
        session.commit()
        task_id: UUID = result.opened[0]
        return task_id

    return begin


@pytest.fixture
def people(session: Session, account: Callable[..., Any]) -> SimpleNamespace:
    """Two lead units with one person each, two officers and a designer."""
    bureau = make_organisation(session, "工业和信息化局", kind="bureau")
    one, two = make_organisation(session, "云锦数字"), make_organisation(session, "岭南工联")
    return SimpleNamespace(
        one=one,
        two=two,
        lin=account("lead_unit", name="林晓桐", organisation=one),
        colleague=account("lead_unit", name="周启明", organisation=one),
        stranger=account("lead_unit", name="何立群", organisation=two),
        chen=account("office", name="陈思远", organisation=bureau),
        liang=account("office", name="梁嘉怡", organisation=bureau),
        designer=account("designer", name="设计员", organisation=bureau),
    )


@pytest.fixture
def task_row(session: Session) -> Callable[[UUID], Any]:
    """The present row of a task, as others see it."""

    def read(task_id: UUID) -> Any:
        session.rollback()
        return session.execute(select(user_task).where(user_task.c.id == task_id)).one()

    return read


@pytest.fixture
def open_task(session: Session) -> Callable[[str], Any]:
    """The open task of an element, by its id in the model."""

    def read(element_id: str) -> Any:
        session.rollback()
        t = user_task.c
        return session.execute(select(user_task).where(t.element_id == element_id, t.status == "open")).one()

    return read


PREPARED = {
    "name": "广州青禾工业软件有限公司",
    "capital": "1,000",
    "enterprises[0]": "",
    "enterprises[0].name": "甲公司",
}

FORMS: dict[str, dict[str, Any]] = {
    "prepare": {
        "components": [
            {
                "type": "group",
                "label": "企业",
                "components": [
                    {"type": "textfield", "key": "name", "label": "企业名称", "validate": {"required": True}},
                    {
                        "type": "number",
                        "key": "capital",
                        "label": "注册资本",
                        "decimalDigits": 2,
                        "validate": {"min": 0},
                        "appearance": {"suffixAdder": "万元"},
                    },
                    {"type": "checkbox", "key": "new", "label": "新成立"},
                    {
                        "type": "textarea",
                        "key": "why",
                        "label": "没有报表的原因",
                        "validate": {"required": True},
                        "conditional": {"hide": "=new != true"},
                        "properties": {"phrases": "本年新设|报表尚未审计"},
                    },
                    {"type": "filepicker", "key": "licence", "label": "营业执照", "multiple": True, "accept": ".pdf"},
                ],
            },
            {
                "type": "dynamiclist",
                "path": "enterprises",
                "label": "新增企业",
                "defaultRepetitions": 0,
                "properties": {"item": "企业", "title": "name"},
                "components": [{"type": "textfield", "key": "name", "label": "名称", "validate": {"required": True}}],
            },
        ]
    },
    "review": {
        "components": [
            {"type": "textfield", "key": "name", "label": "企业名称", "readonly": True},
            {
                "type": "radio",
                "key": "verdict",
                "label": "营业执照",
                "validate": {"required": True},
                "values": [{"value": "ok", "label": "通过"}, {"value": "fix", "label": "补正"}],
                "properties": {"style": "segmented", "tones": "ok:ok|fix:fix"},
            },
            {"type": "textarea", "key": "note", "label": "内部备注"},
        ]
    },
    "second": {"components": [{"type": "textarea", "key": "second_note", "label": "复核意见"}]},
}
