"""What somebody who objected may see afterwards: the receipt, and the answer by number and code."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from webapp import access, clock
from webapp.accounts import settings_service
from webapp.clock import BEIJING
from webapp.http import db_session
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.notices import limits, queries
from webapp.notices.blueprint import bp
from webapp.notices.models import Objection
from webapp.notices.objection_views import address, topics
from webapp.registers import labels


@bp.get("/objections/receipt")
@access.public
def receipt() -> ResponseReturnValue:
    """The confirmation, for the browser that sent the objection."""
    key = session.get("receipt")
    found = db_session().get(Objection, UUID(key)) if key else None
    if found is None:
        return redirect(url_for(".answer"))
    return render_template("notices/receipt.html", **_receipt(found))


def _receipt(found: Objection) -> dict[str, Any]:
    notice = queries.public_notice(db_session(), found.notice_id)
    row = next((r for r in notice.rows if r.filing_item_id == found.filing_item_id), None)
    local = found.received_at.astimezone(BEIJING)
    received = f"{deadlines.full_date(local.date())} {local:%H:%M:%S}"
    late = found.status == "late"
    words = _("%(at)s 收到，在公示期内。", at=received)
    if late:
        words = _("%(at)s 收到。公示期已满，作为线索登记，由工作小组办公室核查。", at=received)
    who = _("实名") if found.objector_name else _("匿名")
    return {
        "receipt": {
            "received_words": words,
            "number": found.receipt_number,
            "query_code": found.lookup_code,
            "rows": [
                {"label": _("异议对象"), "value": f"{row.name}　{row.credit_code}" if row else ""},
                {"label": _("所在公示"), "value": notice.title, "url": url_for(".notice", notice_id=notice.id)},
                {"label": _("异议类型"), "value": next(t["label"] for t in topics() if t["value"] == found.topic)},
                {"label": _("材料"), "value": _("%(n)s 个文件", n=len(found.evidence))},
                {"label": _("提出方式"), "value": who + (_("，不向外透露身份") if found.confidential else "")},
            ],
        },
        "title": _("线索已收到") if late else _("异议已收到"),
        "steps": progress(found),
        "rule": None
        if late
        else {"title": _("异议期间的发布"), "words": _("决定作出前，这家企业不列入发布名单；同批其他企业不受影响。")},
        "notice_url": url_for(".notice", notice_id=notice.id),
        "progress_url": url_for(".answer", number=found.receipt_number),
    }


def progress(found: Objection) -> list[dict[str, str]]:
    """The stages of an objection, for the stepper."""
    now = clock.now()
    at = deadlines.moment(found.received_at, now)
    if found.status == "late":
        return [
            {"label": _("收到"), "note": at, "state": "done"},
            {"label": _("作为线索登记"), "note": _("公示期已满"), "state": "done"},
        ]
    decided = found.decided_at is not None
    told = deadlines.moment(found.decided_at, now) if found.decided_at else ""
    days = int(settings_service.get(db_session(), "objection_days"))
    last = clock.add_working_days(found.received_at.astimezone(BEIJING).date(), days)
    by = told or _("%(day)s 24:00 前", day=deadlines.short_date(last, clock.today()))
    return [
        {"label": _("收到"), "note": at, "state": "done"},
        {"label": _("调查核实"), "note": "" if decided else _("办理中"), "state": "done" if decided else "now"},
        {"label": _("作出决定"), "note": by, "state": "done" if decided else ""},
        {"label": _("告知理由"), "note": told, "state": "done" if decided else ""},
    ]


@bp.route("/objections/answer", methods=["GET", "POST"])
@access.public
def answer() -> ResponseReturnValue:
    """How an objection stands, for whoever has its number and code."""
    number = request.values.get("number", "")[:40]
    if request.method == "GET":
        return render_template("notices/answer.html", number=number, found=None, wrong="")
    limits.check(db_session(), "lookup", address())
    found = queries.answer(db_session(), number, request.form.get("code", "")[:40])
    if found is None:
        limits.count("lookup", address())
        wrong = _("没有找到：编号或查询码不符，请核对回执后再试。")
        return render_template("notices/answer.html", number=number, found=None, wrong=wrong), 422
    notice = queries.public_notice(db_session(), found.notice_id)
    row = next((r for r in notice.rows if r.filing_item_id == found.filing_item_id), None)
    return render_template(
        "notices/answer.html",
        number=number,
        wrong="",
        found=found,
        state=(labels.word(labels.OBJECTION, found.status), labels.tone(labels.OBJECTION, found.status)),
        steps=progress(found),
        enterprise=row.name if row else "",
        notice=notice,
    )
