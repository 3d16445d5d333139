"""A notice in the words and shapes that its page takes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.clock import BEIJING
from webapp.documents import rendering
from webapp.documents.models import Document
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.notices import publishing, queries
from webapp.notices.lists import notice_state
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import labels, regulation
from webapp.registers.models import FilingItem

Shape = dict[str, Any]
#: Decisions by which a unit is expelled, or upon review of that (4.4).
_ON_EXPULSION = ("expulsion", "reconsideration")
#: Criticism of a unit, the cancelling of its qualification, a criticism taken back (4.2, 4.3).
_ON_CRITICISM = ("criticism", "cancellation", "criticism_withdrawal")
#: Notices about one unit rather than enterprises.
_ON_UNIT = (*_ON_EXPULSION, *_ON_CRITICISM)
#: Longest period that is shown day by day.
DAYS_SHOWN = 10
WEEKDAYS = (
    lambda: _("周一"),
    lambda: _("周二"),
    lambda: _("周三"),
    lambda: _("周四"),
    lambda: _("周五"),
    lambda: _("周六"),
    lambda: _("周日"),
)


def local_day(at: datetime | None) -> date | None:
    """The Beijing day of an instant."""
    return at.astimezone(BEIJING).date() if at else None


def long_day(day: date | None) -> str:
    """`2026 年 11 月 20 日`, or nothing."""
    return deadlines.full_date(day) if day else ""


def page(session: Session, notice: Notice, *, public: bool) -> Shape:
    """The context of `notices/notice.html`. `public`: with links for objections; else for the working group's side."""
    items = queries.items_of(session, notice)
    original = session.get(Notice, notice.corrects_id) if notice.corrects_id else None
    is_open = public and publishing.is_open(notice, clock.now())
    files = [session.get(Document, key) for key in (notice.pdf_id, notice.docx_id) if key]
    pdf = files[0] if files and notice.pdf_id else None
    days = int(settings_service.get(session, "objection_days"))
    return {
        "notice": {
            "title": notice.title,
            "kind": labels.word(labels.NOTICE_KIND, notice.kind),
            "state": notice_state(notice)[0],
            "tone": notice_state(notice)[1],
            "document_number": notice.number or _("未编号"),
            "published_on": long_day(local_day(notice.published_at)),
            "count_words": _count_words(notice),
            "paragraphs": _paragraphs(notice, original),
            "closing": _closing(notice),
            "signatory": rendering.signatory(publishing.TEMPLATES[notice.kind]),
            "signed_on": long_day(local_day(notice.published_at)),
            "pdf_url": url_for("documents.download", document_id=notice.pdf_id) if notice.pdf_id else "",
            "docx_url": url_for("documents.download", document_id=notice.docx_id) if notice.docx_id else "",
            "objection_url": url_for("public.objection", notice_id=notice.id) if is_open else "",
        },
        "groups": groups(notice, items, is_open),
        "last_column": _("变更") if notice.kind == "correction" else _("服务方向"),
        "period": period(notice, clock.now(), days) if notice.kind == "publicity" and notice.period_ends_at else None,
        "lead_url": url_for("public.objection", notice_id=notice.id) if _takes_leads(notice, public, is_open) else "",
        "verification": _verification(pdf),
        "clause": _clause(notice),
        "rule": _rule(notice),
        "record": _record(session, notice),
        "record_note": _("公示发布后不作改动，更正和撤回另行公告。"),
        "corrections": _corrections(session, notice),
        "original": original,
    }


def _clause(notice: Notice) -> Shape:
    number = "4.4" if notice.kind in _ON_EXPULSION else "4.6.3"
    if notice.kind in _ON_CRITICISM:
        number = "4.3" if notice.kind == "cancellation" else "4.2"
    return {"number": number, "words": regulation.clause(number)}


def _takes_leads(notice: Notice, public: bool, is_open: bool) -> bool:
    return public and not is_open and notice.kind == "publicity" and notice.status in {"published", "closed"}


def _count_words(notice: Notice) -> str:
    units = len({row.lead_unit_name for row in notice.rows})
    if not notice.rows or notice.kind in _ON_UNIT:
        return labels.word(labels.NOTICE_KIND, notice.kind)
    if notice.kind == "list":
        return _("%(n)s 家企业，分属 %(u)s 家牵引单位", n=len(notice.rows), u=units)
    return _("%(n)s 家企业，由 %(u)s 家牵引单位申请", n=len(notice.rows), u=units)


def _paragraphs(notice: Notice, original: Notice | None) -> list[str]:
    body = [part.strip() for part in notice.body.splitlines() if part.strip()]
    if notice.kind == "publicity":
        units = len({row.lead_unit_name for row in notice.rows})
        first = _(
            "根据《广州市中小企业数字化转型城市试点数字化牵引单位管理工作规程》第 4.6 条，"
            "工作小组已完成 %(u)s 家牵引单位提交的新增产业生态联合体企业备案材料审核，"
            "现将通过审核的 %(n)s 家企业名单予以公示。",
            u=units,
            n=len(notice.rows),
        )
        last = _(
            "公示期为 %(period)s。任何单位和个人对名单有异议的，可在公示期内实名或匿名提出，并说明事实和理由。",
            period=publishing.period_words(notice),
        )
        return [first, *body, last]
    if notice.kind == "list":
        return body or [_("根据第 4.6.3 条，现发布变更后的产业生态联合体企业名单，自发布之日起生效。")]
    if notice.kind == "expulsion":
        return [*_grounds(notice), *body]
    if notice.kind == "reconsideration":
        return [_reconsidered(notice), *body]
    if notice.kind in _ON_CRITICISM:
        return [*_criticised(notice), *body]
    if original is None:
        return body
    words = {"n": original.number or "", "t": original.title, "d": long_day(local_day(original.published_at))}
    if notice.kind == "withdrawal":
        first = _("%(d)s，工作小组发布了《%(t)s》（%(n)s）。现决定撤回该公示，公示期自本公告发布之日起终止。", **words)
    else:
        first = _("%(d)s，工作小组发布了《%(t)s》（%(n)s）。现就原公示更正如下，其他内容不变。", **words)
    return [first, *(_("理由：%(words)s", words=part) for part in body)]


def _reconsidered(notice: Notice) -> str:
    """What a decision upon reconsideration is about, and what it rests on."""
    row = notice.rows[0]
    told = {"unit": row.name, "code": row.credit_code, "number": row.extra["decision_number"]}
    if row.extra["basis"] == "ruling":
        ruling = row.extra["ruling"]
        return _(
            "%(authority)s作出生效裁判（%(ruling)s），撤销对%(unit)s（统一社会信用代码 %(code)s）的清退决定"
            "（%(number)s）。现决定如下：",
            authority=ruling["authority"],
            ruling=ruling["number"],
            **told,
        )
    return _(
        "%(unit)s（统一社会信用代码 %(code)s）对清退决定（%(number)s）申请复核。"
        "经市工业和信息化局局务会审议，现决定如下：",
        **told,
    )


def _criticised(notice: Notice) -> list[str]:
    """What a notice about a criticism is about, and what it rests on."""
    row = notice.rows[0]
    told = {"unit": row.name, "code": row.credit_code, "number": row.extra["criticism_number"]}
    clauses = "、".join(g["clause"] for g in row.extra["grounds"])
    if notice.kind == "criticism_withdrawal":
        words = _(
            "撤销对%(unit)s（统一社会信用代码 %(code)s）的通报批评（%(number)s），责令整改同时终止。理由如下：", **told
        )
        return [words]
    if notice.kind == "cancellation":
        words = _(
            "%(unit)s（统一社会信用代码 %(code)s）被通报批评（%(number)s）并责令限期整改后，未能在规定时间内完成整改。"
            "依据第 4.3 条，现决定如下：",
            **told,
        )
        return [words]
    first = _("%(unit)s（统一社会信用代码 %(code)s）存在第 %(clauses)s 条所列情形。", clauses=clauses, **told)
    return [first, *(_("第 %(n)s 条：%(words)s。", n=g["clause"], words=g["words"]) for g in row.extra["grounds"])]


def _grounds(notice: Notice) -> list[str]:
    row = notice.rows[0]
    first = _(
        "%(unit)s（统一社会信用代码 %(code)s）存在第 4.4 条所列情形，经市工业和信息化局局务会审议确认，予以清退。",
        unit=row.name,
        code=row.credit_code,
    )
    words = (_("第 %(n)s 条：%(words)s。", n=g["clause"], words=g["words"]) for g in row.extra["grounds"])
    return [first, *words]


def _closing(notice: Notice) -> list[str]:
    if notice.kind != "publicity":
        return []
    return [
        _(
            "公示无异议的，由工作小组发布变更后的产业生态联合体企业名单。对其中一家企业的异议正在调查的，该企业暂不发布，"
            "不影响其他企业。"
        ),
        _("来信请寄工作小组办公室（市工业和信息化局创业创新服务处），以收到时间为准。"),
    ]


def groups(notice: Notice, items: dict[Any, FilingItem], is_open: bool) -> list[Shape]:
    """The lines by lead unit, as published, each with how it stands today where that is for the public to know."""
    found = []
    for unit, part in groupby(notice.rows, key=lambda row: row.lead_unit_name):
        rows = [_row(notice, row, items.get(row.filing_item_id), is_open) for row in part]
        plain = notice.kind in ("list", *_ON_UNIT)
        words = _("%(n)s 家", n=len(rows)) if plain else _("申请新增 %(n)s 家", n=len(rows))
        found.append({"unit": unit, "words": "" if notice.kind == "correction" else words, "rows": rows})
    return found


def _row(notice: Notice, row: NoticeItem, item: FilingItem | None, is_open: bool) -> Shape:
    told = item is not None and notice.kind == "publicity" and item.status in {"published", "struck", "withdrawn"}
    takes = is_open and item is not None and item.status in {"public", "objected"}
    address = url_for("public.objection", notice_id=notice.id, item=row.filing_item_id)
    return {
        "index": row.seq,
        "name": row.name,
        "credit_code": row.credit_code,
        "direction": row.extra.get("change") or row.need,
        "objection_url": address if takes else "",
        "state": labels.word(labels.ITEM, item.status) if told and item else "",
        "tone": labels.tone(labels.ITEM, item.status) if told and item else "",
    }


def period(notice: Notice, now: datetime, objection_days: int) -> Shape | None:
    """The publicity period: how long still, day by day when it is short."""
    first, last = notice.period_starts_on, publishing.period_end(notice)
    if first is None or last is None or notice.period_ends_at is None:
        return None
    today = now.astimezone(BEIJING).date()
    due = deadlines.tell(notice.period_ends_at, now)
    promise = _(
        "不需要注册。提交后立即得到编号，凭编号查询进度；自收到次日起 %(n)s 个工作日内作出决定。", n=objection_days
    )
    return {
        "words": _period_words(notice, first, last, today, now),
        "short": f"{due['text']}（{due['note']}）" if due and due["note"] else (due or {}).get("text", ""),
        "days": _days(first, last, today),
        "promise": promise if publishing.is_open(notice, now) else "",
    }


def _period_words(notice: Notice, first: date, last: date, today: date, now: datetime) -> str:
    if notice.status == "withdrawn":
        return _("已撤回，公示期终止")
    if notice.period_ends_at is not None and notice.period_ends_at <= now:
        return _("公示期已满，%(day)s截止", day=long_day(last))
    left = clock.working_days_between(max(today, first) - timedelta(days=1), last)
    if today < first:
        return _("%(day)s起，共 %(n)s 个工作日", day=long_day(first), n=left)
    return _("还剩 %(n)s 个工作日（含今日）", n=left) if left else _("今日截止")


def _days(first: date, last: date, today: date) -> list[Shape]:
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    days = [day for day in span if clock.is_working_day(day) or day == last]
    if len(days) > DAYS_SHOWN:
        return []
    return [
        {
            "weekday": WEEKDAYS[day.weekday()](),
            "day": day.day,
            "note": _("24:00 止") if day == last else _("今天") if day == today else _("已过") if day < today else "",
            "state": "past" if day < today else "today" if day == today else "last" if day == last else "",
        }
        for day in days
    ]


def _verification(pdf: Document | None) -> Shape | None:
    if pdf is None or not pdf.public:
        return None
    code = "-".join(pdf.digest[n : n + 4].upper() for n in (0, 4, 8))
    return {"code": code, "qr": "", "url": url_for("public.verify"), "digest": pdf.digest}


def _rule(notice: Notice) -> Shape | None:
    if notice.kind != "publicity" or not notice.period_days:
        return None
    words = _("%(n)s 个工作日，自发布次日起算。规程未规定期限，由工作小组设定。", n=notice.period_days)
    return {"title": _("公示期"), "words": words}


def _record(session: Session, notice: Notice) -> list[Shape]:
    entries = []
    now = clock.now()
    for other in reversed(queries.corrections(session, notice.id)):
        if other.published_at:
            kind = labels.word(labels.NOTICE_KIND, other.kind)
            words = _("%(kind)s %(number)s", kind=kind, number=other.number)
            entries.append({"at": deadlines.moment(other.published_at, now), "words": words})
    if notice.published_at:
        words = _("签发并发布，文号 %(number)s", number=notice.number)
        entries.append({"at": deadlines.moment(notice.published_at, now), "words": words})
    return entries


def _corrections(session: Session, notice: Notice) -> list[Shape]:
    return [
        {
            "words": _("%(kind)s：%(title)s", kind=labels.word(labels.NOTICE_KIND, other.kind), title=other.title),
            "url": url_for("public.notice", notice_id=other.id),
        }
        for other in queries.corrections(session, notice.id)
    ]
