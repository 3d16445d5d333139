"""Whose case it is not finds nothing: pages, tasks, documents, exports, REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.support import Client
from tests.support_bad_input import person, signed_in
from webapp.documents.models import Document
from webapp.engine.tables import process_instance, user_task
from webapp.registers.models import Filing, FilingItem, LeadUnit


def theirs(session: Any, username: str) -> dict[str, list[Any]]:
    """What belongs to the lead unit of somebody of the demo."""
    org = person(session, username).organisation_id
    unit = session.scalars(select(LeadUnit).where(LeadUnit.organisation_id == org)).unique().one()
    filings = list(session.scalars(select(Filing).where(Filing.lead_unit_id == unit.id)).unique())
    found = {
        "filings": filings,
        "items": [item for filing in filings for item in filing.items],
        "cases": list(session.scalars(select(process_instance.c.id).where(process_instance.c.org_id == org))),
        "tasks": list(session.scalars(select(user_task.c.id).where(user_task.c.case_org_id == org))),
        "documents": list(
            session.scalars(select(Document.id).where(Document.org_id == org, Document.public.is_(False)))
        ),
    }
    session.rollback()
    assert all(found.values())
    return found


def addresses(found: dict[str, list[Any]]) -> list[tuple[str, str]]:
    return [
        *(("GET", f"/registers/filings/{filing.id}") for filing in found["filings"]),
        *(("GET", f"/tasks/{task}{path}") for task in found["tasks"][:4] for path in ("", "/print", "/diagram.bpmn")),
        *(
            ("POST", f"/tasks/{task}{path}")
            for task in found["tasks"][:4]
            for path in ("", "/draft", "/form", "/claim", "/release", "/transfer", "/comments")
        ),
        *(("GET", f"/documents/{key}{path}") for key in found["documents"][:6] for path in ("", "/preview", "/digest")),
        *(("GET", f"/instances/{case}/diagram.bpmn") for case in found["cases"][:4]),
        *(
            ("GET", f"/engine-rest/task/{task}{path}")
            for task in found["tasks"][:4]
            for path in ("", "/form-variables")
        ),
        *(
            ("POST", f"/engine-rest/task/{task}/{verb}")
            for task in found["tasks"][:4]
            for verb in ("unclaim", "complete")
        ),
        *(
            ("GET", f"/engine-rest/process-instance/{case}{path}")
            for case in found["cases"][:4]
            for path in ("", "/variables")
        ),
        *(("DELETE", f"/engine-rest/process-instance/{case}") for case in found["cases"][:4]),
        *(("GET", f"/engine-rest/history/process-instance/{case}") for case in found["cases"][:4]),
    ]


LISTS = (
    "/tasks", "/tasks/done", "/tasks/started", "/registers/", "/registers/filings", "/registers/filings.csv",
    "/registers/documents", "/registers/documents.csv", "/engine-rest/task", "/engine-rest/process-instance",
    "/engine-rest/history/process-instance", "/engine-rest/history/activity-instance",
)  # fmt: skip


@pytest.mark.parametrize("who", ["lead_unit_b", "expert", "pilot_enterprise", "designer"])
def test_another_units_case_does_not_exist(app: Any, demo_data: str, session: Any, who: str) -> None:
    found = theirs(session, "lead_unit")
    client = signed_in(app, session, who)
    seen = []
    for method, path in addresses(found):
        data = {"to": str(UUID(int=1)), "reason": "x", "comment": "x"}
        body = {"json": {"variables": {}}} if path.startswith("/engine-rest") else {"data": data}
        answer = client.open(path, method=method, **({} if method == "GET" else body))
        answer.close()
        shut = path.startswith("/registers/") or who == "designer"  # a page that the role never has
        if answer.status_code != 404 and not (answer.status_code == 403 and shut):
            seen.append((answer.status_code, method, path))
    assert seen == []


@pytest.mark.parametrize("who", ["lead_unit_b", "expert", "designer"])
def test_no_list_and_no_export_names_another_units_case(app: Any, demo_data: str, session: Any, who: str) -> None:
    found = theirs(session, "lead_unit")
    words = [item.credit_code for item in found["items"] if item.status != "published"] + [
        f.number for f in found["filings"]
    ]
    own = {item.credit_code for item in theirs(session, "lead_unit_b")["items"]} if who.endswith("_b") else set()
    client = signed_in(app, session, who)
    for path in LISTS:
        for query in ("", f"?q={words[0]}", "?view=all", f"?unit={found['filings'][0].lead_unit_id}"):
            if path.startswith("/engine-rest") and query:
                continue
            answer = client.get(path + query)
            text = answer.get_data(as_text=True)
            shown = {words[0]} if query.startswith("?q") else set()  # the search field and the links keep the words
            told = [word for word in words if word in text and word not in own | shown]
            assert told == [], (path, query)


def test_an_expert_sees_nothing_that_is_not_assigned(app: Any, demo_data: str, session: Any) -> None:
    client: Client = signed_in(app, session, "expert")
    assert client.get("/engine-rest/task").get_json() == []
    assert client.get("/engine-rest/task/count").get_json() == {"count": 0}
    assert client.get("/engine-rest/process-instance").get_json() == []
    assert client.get("/engine-rest/history/process-instance").get_json() == []
    assert "data-row" not in client.get("/tasks").text
    for path in ("/registers/filings", "/registers/documents", "/instances", "/notices/", "/admin/accounts"):
        assert client.get(path).status_code == 403


def test_a_filing_is_not_found_by_the_number_of_another(app: Any, demo_data: str, session: Any) -> None:
    """Bulk actions and transfers name tasks by id: another unit's are told as if they did not exist."""
    tasks = theirs(session, "lead_unit")["tasks"]
    client = signed_in(app, session, "lead_unit_b")
    for action in ("claim", "release", "transfer"):
        data = {
            "action": action,
            "ids": [str(t) for t in tasks[:5]],
            "to": str(person(session, "lead_unit_b").id),
            "reason": "x",
        }
        answer = client.post("/tasks/bulk", data=data, follow_redirects=True)
        assert "BA-" not in "".join(part for part in answer.text.split("<") if "没有找到" in part)
        assert "没有找到" in answer.text
    export = client.post("/tasks/bulk", data={"action": "export", "ids": [str(t) for t in tasks]})
    from io import BytesIO

    from openpyxl import load_workbook

    assert load_workbook(BytesIO(export.data)).active.max_row == 1
    session.rollback()
    assert not session.scalars(
        select(user_task.c.id).where(
            user_task.c.assignee_id == person(session, "lead_unit_b").id, user_task.c.id.in_(tasks)
        )
    ).all()


def test_unused_rows_stay_out_of_reach(demo_data: str, app: Any, session: Any) -> None:
    """What one uploads is one's own until it belongs to a case: no colleague and no stranger reads it."""
    import io

    from tests.support_documents import pdf
    from webapp.accounts.service import actor_of
    from webapp.documents import service

    document = service.store_upload(
        session, io.BytesIO(pdf(width=333)), "a.pdf", actor=actor_of(person(session, "lead_unit"))
    )
    session.commit()
    assert signed_in(app, session, "lead_unit").get(f"/documents/{document.id}", buffered=True).status_code == 200
    for who in ("lead_unit_b", "expert", "designer"):
        assert signed_in(app, session, who).get(f"/documents/{document.id}").status_code == 404
    assert Client(app).get(f"/documents/{document.id}").status_code == 404
    assert session.scalar(select(FilingItem.id).limit(1)) is not None
