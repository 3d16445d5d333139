"""A filing of 200 enterprises with four files each: saved, submitted and reviewed; no step grows with its square."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, func, select

from tests.support_bad_input import error_at, fields, person, rows, send, signed_in, start_filing
from webapp import db
from webapp.engine.tables import process_instance, user_task
from webapp.inbox.models import Draft
from webapp.registers.filing_checks import MATERIALS
from webapp.registers.models import FilingItem


class Statements:
    """Counts the statements that the program sends."""

    def __init__(self) -> None:
        self.count = 0
        event.listen(db.engine(), "before_cursor_execute", self._one)

    def _one(self, *_: Any) -> None:
        self.count += 1

    def taken(self) -> int:
        count, self.count = self.count, 0
        return count


def open_tasks(session: Any, element: str) -> list[Any]:
    found = select(user_task.c.id).where(user_task.c.status == "open", user_task.c.element_id == element)
    ids = list(session.scalars(found.order_by(user_task.c.id)))
    session.rollback()
    return ids


def test_two_hundred_enterprises_are_filed_and_reviewed(demo_data: str, app: Any, session: Any) -> None:
    staff = signed_in(app, session, "lead_unit")
    task = start_filing(staff)
    entered = rows(session, "lead_unit", range(2000, 2200))
    data, statements = fields(entered), Statements()

    assert send(staff, task, data, "/draft").status_code == 200
    assert statements.taken() < 40
    session.rollback()
    assert len(session.get(Draft, (task, person(session, "lead_unit").id)).data["enterprises"]) == 200
    session.rollback()
    statements.taken()
    page = staff.get(f"/tasks/{task}")
    assert statements.taken() < 60
    assert page.text.count('.credit_code"') >= 200
    assert len(page.data) < 3_500_000

    one_wrong = send(staff, task, {**data, "enterprises[150].credit_code": "91440106MA59GQER2X"})
    assert one_wrong.status_code == 422
    assert "校验位不符" in error_at(one_wrong.text, "enterprises[150].credit_code")
    part = send(staff, task, {**data, "enterprises[7].no_accounts": "true"}, "/form?changed=enterprises[7].no_accounts")
    assert part.status_code == 200
    assert len(part.data) < 20_000  # the fields that hang on it, not the form

    statements.taken()
    assert send(staff, task, data).status_code == 303
    assert statements.taken() < 80
    head = signed_in(app, session, "lead_unit_head")
    confirm = open_tasks(session, "confirm_submission")[-1]
    statements.taken()
    assert len(head.get(f"/tasks/{confirm}").data) < 2_000_000
    assert statements.taken() < 60
    before = len(open_tasks(session, "review"))
    statements.taken()
    assert send(head, confirm, {"confirm_opinion": "同意。", "outcome": "confirm"}).status_code == 303
    assert statements.taken() < 1000  # 200 cases are opened

    reviews = open_tasks(session, "review")
    assert len(reviews) == before + 200
    office = signed_in(app, session, "office")
    statements.taken()
    shown = office.get(f"/tasks/{reviews[-1]}")
    assert shown.status_code == 200
    assert len(shown.data) < 400_000
    assert statements.taken() < 80
    verdicts = {f"{material}_verdict": "pass" for material in MATERIALS}
    done = send(office, reviews[-1], {**verdicts, "review_opinion": "四项材料齐全、有效。", "outcome": "pass"})
    assert done.status_code == 303
    assert statements.taken() < 80
    assert office.get("/tasks").status_code == 200
    item = session.scalars(select(FilingItem).where(FilingItem.credit_code == entered[0]["credit_code"])).one()
    session.rollback()
    statements.taken()
    filing = office.get(f"/registers/filings/{item.filing_id}")
    assert filing.status_code == 200
    assert statements.taken() < 60
    assert filing.text.count("广州批量") >= 200
    assert session.scalar(select(func.count()).select_from(process_instance)) > 200


def test_two_hundred_and_one_are_told(demo_data: str, app: Any, session: Any) -> None:
    staff = signed_in(app, session, "lead_unit")
    task = start_filing(staff)
    answer = send(staff, task, fields([{"name": f"第{n}家"} for n in range(201)]))
    assert answer.status_code == 422
    assert "企业最多 200 个，现在 201 个" in answer.text.replace("家", "个")
    assert 'value="第200家"' in answer.text
