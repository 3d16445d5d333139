"""Issue 2, "Done when" 3, without the browser: five enterprises, a batch from two filings, objections, a correction."""

from __future__ import annotations

from sqlalchemy import select

from tests.processes.conftest import Town
from webapp import clock, db
from webapp.demo import make
from webapp.documents.models import Document
from webapp.notices import objections
from webapp.notices.models import Notice, Objection
from webapp.registers import membership
from webapp.registers.models import FilingItem

NEED = "为金属加工行业试点企业提供机床联网、生产排程和质量追溯。"
WORDS = "据了解，该企业上年度没有开展所填报的业务，请核实。"


def test_a_filing_goes_from_the_first_draft_to_the_published_list(town: Town) -> None:
    # The lead unit fills in five enterprises: one has no audit report, one is already in the consortium.
    sound, to_lapse = make.enterprise(70), make.enterprise(71)
    barred = make.enterprise(72, name=town.registers.expelled.name, credit_code=town.registers.expelled.credit_code)
    no_audit, member = make.enterprise(73), make.enterprise(0)
    case = town.start("lead_unit", "partner_filing")
    rows = [town.upload("lead_unit", e) for e in (sound, barred, to_lapse)]
    without = town.upload("lead_unit", no_audit, without=("accounts",))
    again = town.upload("lead_unit", member)
    form = {"need": NEED, "programme": "national", "true_copies": True, "knows_publicity": True}
    errors = town.refused(
        "lead_unit", case, "prepare_filing", {**form, "enterprises": [*rows, without, again]}, "submit"
    )
    assert errors == {
        "enterprises[3].accounts": ["请上传上年度财务审计报告或加盖公章的财务报表。"],
        "enterprises[4].credit_code": errors["enterprises[4].credit_code"],
    }
    assert "已在本单位联合体名单中" in errors["enterprises[4].credit_code"][0]

    # Both are put right; the head sends it back once, then submits.
    form["enterprises"] = [*rows, town.upload("lead_unit", no_audit)]
    town.do("lead_unit", case, "prepare_filing", form, "submit")
    assert "confirm_opinion" in town.refused("lead_unit_head", case, "confirm_submission", {}, "return")
    town.do("lead_unit_head", case, "confirm_submission", {"confirm_opinion": "请核对需求。"}, "return")
    assert town.form("lead_unit", case, "prepare_filing").context["return_words"] == "请核对需求。"
    town.do("lead_unit", case, "prepare_filing", form, "submit")
    town.do("lead_unit_head", case, "confirm_submission", {"confirm_opinion": "同意。"}, "confirm")

    with db.transaction() as session:
        filing = session.scalars(select(FilingItem)).first().filing_id  # type: ignore[union-attr]
    first, second, third, fourth = town.items(filing)
    assert town.filing(filing).number == "BA-2026-0001"

    # The reviewers: the sound one passes, the barred one's warning must be answered, one goes back.
    town.review(first)
    assert "barred_answer" in town.refused("office", town.case_of(second), "review", PASSED, "pass")
    town.review(second, barred_answer="no_effect", barred_reason="该企业已由他人收购，与原违规行为无关。")
    town.review(
        third,
        "return",
        licence_verdict="correct",
        licence_request="页面不清晰，请重新扫描。",
        review_opinion="请补正。",
    )
    town.review(fourth)
    assert [town.item(i).status for i in (first, second, third, fourth)] == ["pooled", "pooled", "correcting", "pooled"]

    # Another unit's filing fills the same batch; the enterprise that goes back holds nobody up.
    other = town.file([make.enterprise(74), make.enterprise(75)], "_b")
    fifth, sixth = town.items(other)
    town.review(fifth)
    town.review(sixth)
    batch = town.publish([first, second, fifth, sixth])
    notice = town.notice(batch)
    assert (notice.status, notice.number, len(notice.rows)) == ("published", "穗工信公示〔2026〕1 号", 4)
    ends = notice.period_ends_at
    assert ends is not None
    assert ends.astimezone(clock.BEIJING).isoformat() == "2026-12-03T00:00:00+08:00"

    # One objection is upheld, one dismissed, within the period.
    upheld, dismissed = (_object(notice.id, item) for item in (second, fifth))
    assert town.item(second).status == town.item(fifth).status == "objected"
    _decide(town, upheld, "upheld")
    _decide(town, dismissed, "dismissed")
    assert (town.item(second).status, town.item(fifth).status) == ("struck", "public")

    # Time passes: the reminder, the lapse, the end of the period.
    assert town.open(batch) == []
    town.pass_time(working_days=4)
    assert town.variables(town.case_of(third))["reminded_at"] is not None
    assert town.item(third).status == "correcting"
    town.close_period(batch)
    assert town.item(third).status == "lapsed"
    assert town.status(town.case_of(third)) == "completed"

    # The list is prepared by one person, signed by another, published, and in the register.
    town.publish_list(batch)
    statuses = [town.item(i).status for i in (first, second, fifth, sixth)]
    assert statuses == ["published", "struck", "published", "published"]
    with db.transaction() as session:
        entered = membership.current(session, town.unit().id, str(sound["credit_code"]))
        assert entered is not None
        assert (entered.filing_item_id, entered.since) == (first, clock.today())
        assert membership.current(session, town.unit().id, str(barred["credit_code"])) is None

    # Both filings end: the other at once, ours when the fourth enterprise is out too.
    assert town.status(batch) == "completed"
    assert town.filing(other).status == "closed"
    assert town.filing(filing).status == "review"
    late = town.publish([fourth])
    town.close_period(late)
    town.publish_list(late)
    closed = town.filing(filing)
    assert closed.status == "closed"
    assert town.status(case) == "completed"
    assert town.variables(case)["outcome_counts"] == {"published": 2, "struck": 1, "lapsed": 1}
    assert town.notice(late, "list").number == "穗工信名单〔2026〕5 号"

    # A name on the first notice was wrong: it is corrected by 更正公告, the original stays as published.
    _correct_name(town, notice, first)
    with db.transaction() as session:
        assert session.get_one(Notice, notice.id).rows[0].name == notice.rows[0].name

    town.make_documents()
    _check_documents(town, batch, notice)


PASSED = {
    **{f"{material}_verdict": "pass" for material in ("licence", "identity", "accounts", "credit_report")},
    "review_opinion": "齐全。",
    "correction_days": 5,
}


def _object(notice_id: object, item: object) -> Objection:
    with db.transaction() as session:
        return objections.receive(
            session,
            notice_id=notice_id,  # type: ignore[arg-type]
            filing_item_id=item,  # type: ignore[arg-type]
            channel="web",
            objector_name="",
            objector_contact="",
            words=WORDS,
        )


def _decide(town: Town, objection: Objection, decision: str) -> None:
    case = objection.instance_id
    assert case is not None
    town.do("office", case, "investigate", {"findings": "已电话核实。", "proposal": decision}, "submit")
    town.do("working_group", case, "decide", {"decision_reasons": "依据调查情况决定。"}, decision)
    assert town.status(case) == "completed"


def _correct_name(town: Town, notice: Notice, item: object) -> None:
    case = town.start("office", "notice_correction")
    row = next(row for row in notice.rows if row.filing_item_id == item)
    data = {
        "notice_id": str(notice.id),
        "correction_kind": "correction",
        "correction_title": "关于公示名单的更正公告",
        "correction_words": "因录入有误，现将企业名称予以更正。",
        "lines": [{"line": str(row.id), "field": "name", "after": "广州更正后软件有限公司"}],
    }
    assert "lines[0].after" in town.refused(
        "office",
        case,
        "prepare",
        {**data, "lines": [{"line": str(row.id), "field": "name", "after": row.name}]},
        "submit",
    )
    town.do("office", case, "prepare", data, "submit")
    town.do("working_group", case, "sign", {"sign_opinion": "同意发布。"}, "sign")
    with db.transaction() as session:
        correction = session.scalars(select(Notice).where(Notice.corrects_id == notice.id)).one()
        assert (correction.status, correction.number) == ("published", "穗工信更正〔2026〕1 号")
        found = session.get_one(FilingItem, item)
        assert found.name == "广州更正后软件有限公司"
        member = membership.current(session, found.filing.lead_unit_id, found.credit_code)
        assert member is not None
        assert member.name == found.name


def _check_documents(town: Town, batch: object, notice: Notice) -> None:
    with db.transaction() as session:
        published = session.get_one(Notice, notice.id)
        pdf = session.get_one(Document, published.pdf_id)
        docx = session.get_one(Document, published.docx_id)
        assert (pdf.public, pdf.media_type, docx.public, pdf.root_instance_id) == (True, "application/pdf", True, batch)
        forms = session.scalars(select(Document).where(Document.kind == "review_form")).all()
        assert len(forms) == 12  # six enterprises were concluded on, PDF and DOCX each
        assert not any(form.public for form in forms)
        for kind in ("list", "correction"):
            made = session.scalars(select(Notice).where(Notice.kind == kind, Notice.pdf_id.is_not(None))).all()
            assert made
