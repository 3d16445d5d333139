"""Pages without an account: notices, the published list as of any day, checking a document by its digest."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import access, clock
from webapp.documents import storage
from webapp.errors import NotFound
from webapp.http import db_session
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.notices import presenting, queries
from webapp.notices.blueprint import bp
from webapp.notices.lists import notice_state
from webapp.registers import charts, exports, labels
from webapp.registers import queries as registers
from webapp.registers.listing import contains
from webapp.registers.lists import as_day, membership_state
from webapp.registers.models import ConsortiumEnterprise, LeadUnit, PublishedList

PAGE = 50


def page_number() -> int:
    """The page of the address, from 1."""
    text = request.args.get("page", "1")
    return min(max(1, int(text)), 10_000) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def pager(number: int, size: int, total: int, shown: int, url: Any) -> dict[str, Any]:
    """The shape of the macro `pager`; `url(page)` gives an address."""
    last = max(1, -(-total // size))
    near = [n for n in range(1, last + 1) if n in (1, last) or abs(n - number) <= 2]
    return {
        "first": (number - 1) * size + 1 if total else 0,
        "last": (number - 1) * size + shown,
        "total": total,
        "pages": [{"label": n, "url": url(n), "current": n == number} for n in near] if last > 1 else [],
        "previous_url": url(number - 1) if number > 1 else None,
        "next_url": url(number + 1) if number < last else None,
    }


@bp.get("/")
@access.public
def notices() -> str:
    """All published notices, newest first."""
    words, kind, number = request.args.get("q", "")[:100], request.args.get("kind", ""), page_number()
    kind = kind if kind in labels.NOTICE_KIND else ""
    rows, total = queries.public_notices(db_session(), words, kind, number)

    def address(**changes: Any) -> str:
        return url_for(".notices", **{k: v for k, v in {"q": words, "kind": kind, **changes}.items() if v})

    kinds = [{"label": _("全部"), "url": address(kind=""), "count": "", "current": not kind}]
    for key, (word, _tone) in labels.NOTICE_KIND.items():
        kinds.append({"label": str(word), "url": address(kind=key), "count": "", "current": kind == key})
    return render_template(
        "notices/public_notices.html",
        rows=[_entry(notice, count) for notice, count in rows],
        kinds=kinds,
        kind=kind,
        query=words,
        page=pager(number, queries.PAGE, total, len(rows), lambda n: address(page=n)),
        clear_url=url_for(".notices") if words or kind else "",
    )


def _entry(notice: Any, count: int) -> dict[str, Any]:
    word, tone = notice_state(notice)
    now = clock.now()
    is_open = notice.kind == "publicity" and notice.status == "published" and notice.period_ends_at
    return {
        "title": notice.title,
        "url": url_for(".notice", notice_id=notice.id),
        "number": notice.number,
        "kind": labels.word(labels.NOTICE_KIND, notice.kind),
        "on": presenting.local_day(notice.published_at),
        "count": count,
        "state": word,
        "tone": tone,
        "due": deadlines.tell(notice.period_ends_at, now) if is_open and notice.period_ends_at > now else None,
    }


@bp.get("/notices/<uuid:notice_id>")
@access.public
def notice(notice_id: UUID) -> str:
    """One published notice."""
    session = db_session()
    found = queries.public_notice(session, notice_id)
    return render_template("notices/notice.html", **presenting.page(session, found, public=True))


@bp.get("/lists")
@access.public
def lists() -> str:
    """The consortium enterprises in force today or on an earlier day."""
    session, today = db_session(), clock.today()
    day = min(as_day(request.args.get("as_of")) or today, today)
    words, unit, number = request.args.get("q", "")[:100], request.args.get("unit", ""), page_number()
    units = _units(session, day)
    unit = unit if unit in {str(key) for key, _name, _count in units} else ""
    query = _members(day, words, unit)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = session.execute(query.limit(PAGE).offset((number - 1) * PAGE)).unique().all()
    kept = {"as_of": day.isoformat() if day != today else "", "unit": unit, "q": words}

    def address(endpoint: str = "public.lists", **changes: Any) -> str:
        return url_for(endpoint, **{k: v for k, v in {**kept, **changes}.items() if v})

    everyone = sum(count for _key, _name, count in units)
    publications = registers.published_lists(session)
    basis = next((p for p in publications if p.published_on <= day), None)
    return render_template(
        "notices/published_list.html",
        title=_("产业生态联合体企业名单"),
        state=_state(day, today, len(units), everyone, basis),
        as_of=day.isoformat(),
        shortcuts=_shortcuts(today, publications),
        chart=charts.steps(registers.size_over_time(session), day, today),
        past=_past(session, day, today) if day < today else None,
        filters=_filters(units, unit, everyone, address),
        query=words,
        query_note=_("%(n)s 家符合", n=total) if words else "",
        clear_url=address(q="", unit="") if words or unit else "",
        filter_fields={key: value for key, value in kept.items() if value and key != "q"},
        rows=[_row(row.ConsortiumEnterprise, row.basis, words) for row in rows],
        page=pager(number, PAGE, total, len(rows), lambda n: address(page=n)),
        csv_url=address("public.lists_export", kind="csv"),
        xlsx_url=address("public.lists_export", kind="xlsx"),
        publications=publications[:20],
    )


def _members(day: date, words: str, unit: str) -> Any:
    query = registers.members().outerjoin(PublishedList, PublishedList.id == ConsortiumEnterprise.since_list_id)
    query = query.where(registers.in_force(day)).add_columns(PublishedList.number.label("basis"))
    if words.strip():
        query = query.where(contains((ConsortiumEnterprise.name, ConsortiumEnterprise.credit_code), words))
    if unit:
        query = query.where(ConsortiumEnterprise.lead_unit_id == UUID(unit))
    return query.order_by(LeadUnit.name, ConsortiumEnterprise.since.desc(), ConsortiumEnterprise.id)


def _units(session: Session, day: date) -> list[tuple[UUID, str, int]]:
    query = (
        select(LeadUnit.id, LeadUnit.name, func.count())
        .join(ConsortiumEnterprise, ConsortiumEnterprise.lead_unit_id == LeadUnit.id)
        .where(registers.in_force(day))
        .group_by(LeadUnit.id)
        .order_by(func.count().desc(), LeadUnit.name)
    )
    return [(key, name, count) for key, name, count in session.execute(query)]


def _state(day: date, today: date, units: int, everyone: int, basis: PublishedList | None) -> Markup:
    when = _("今日") if day == today else deadlines.full_date(day)
    words = escape(_("%(u)s 家牵引单位，%(n)s 家企业", u=units, n=everyone))
    number = escape(_("，依据 %(number)s", number=basis.number)) if basis else Markup("")
    head = escape(_("正在查看")) + Markup(" <strong>") + escape(when) + Markup("</strong> ")
    return head + escape(_("有效的名单：")) + words + number + escape(_("。"))


def _shortcuts(today: date, publications: list[PublishedList]) -> list[dict[str, str]]:
    found = [(_("今日"), ""), (_("%(y)s 年末", y=today.year - 1), f"{today.year - 1}-12-31")]
    if publications:
        found.append((_("首份名单"), publications[-1].published_on.isoformat()))
    return [{"label": label, "url": url_for(".lists", as_of=day or None)} for label, day in found]


def _past(session: Session, day: date, today: date) -> dict[str, Any]:
    came, left = _changed(session, day, today)
    words = escape(_("这不是现行名单。与今日相比，之后新增 %(a)s 家、退出 %(b)s 家。", a=len(came), b=len(left)))
    return {"words": words, "diff_url": url_for(".list_changes", since=day), "today_url": url_for(".lists")}


def _changed(session: Session, day: date, today: date) -> tuple[list[Any], list[Any]]:
    """Memberships in force today and not on the day, and the other way round."""
    then, now = registers.in_force(day), registers.in_force(today)
    order = (LeadUnit.name, ConsortiumEnterprise.name, ConsortiumEnterprise.id)
    came = session.scalars(registers.members().where(now, ~then).order_by(*order)).unique()
    left = session.scalars(registers.members().where(then, ~now).order_by(*order)).unique()
    return list(came), list(left)


def _filters(units: list[tuple[UUID, str, int]], chosen: str, everyone: int, address: Any) -> list[dict[str, Any]]:
    entries = [
        {"label": name, "url": address(unit=str(key)), "count": count, "current": str(key) == chosen}
        for key, name, count in units
    ]
    first = {"label": _("全部企业"), "url": address(unit=""), "count": everyone, "current": not chosen}
    return [{"title": "", "items": [first]}, {"title": _("牵引单位"), "items": entries}]


def _row(member: ConsortiumEnterprise, basis: str | None, words: str) -> dict[str, Any]:
    word, tone = membership_state(member)
    return {
        "name": found(member.name, words),
        "unit": member.lead_unit.name,
        "credit_code": member.credit_code,
        "since": member.since.isoformat(),
        "basis": basis or "",
        "basis_url": "",
        "state": word,
        "tone": tone,
    }


def found(text: str, words: str) -> Markup:
    """The text with what was searched for marked."""
    part = next((w for w in words.split() if w in text), "")
    if not part:
        return escape(text)
    head, tail = text.split(part, 1)
    return escape(head) + Markup('<mark class="found">') + escape(part) + Markup("</mark>") + escape(tail)


@bp.get("/lists.<any(csv, xlsx):kind>")
@access.public
def lists_export(kind: str) -> Response:
    """The list that the same address shows, on all pages."""
    today = clock.today()
    day = min(as_day(request.args.get("as_of")) or today, today)
    unit = request.args.get("unit", "")
    try:
        unit = str(UUID(unit)) if unit else ""
    except ValueError as error:
        raise NotFound from error
    rows = db_session().execute(_members(day, request.args.get("q", "")[:100], unit)).unique()
    columns = [
        _("企业名称"),
        _("统一社会信用代码"),
        _("牵引单位"),
        _("服务方向"),
        _("纳入日期"),
        _("依据"),
        _("今日状态"),
    ]
    table = [
        [m.name, m.credit_code, m.lead_unit.name, m.need, m.since, basis, membership_state(m)[0]] for m, basis in rows
    ]
    return exports.response(kind, _("产业生态联合体企业名单（%(day)s）", day=day.isoformat()), columns, table)


@bp.get("/lists/changes")
@access.public
def list_changes() -> str:
    """What changed in the list between a day and today."""
    today = clock.today()
    day = min(as_day(request.args.get("since")) or today, today)
    came, left = _changed(db_session(), day, today)
    return render_template("notices/list_changes.html", day=day, today=today, came=came, left=left)


@bp.route("/verify", methods=["GET", "POST"])
@access.public
def verify() -> ResponseReturnValue:
    """Whether a document in somebody's hands was published by us: by its bytes or its SHA-256. Nothing is kept."""
    digest, wrong = "", ""
    if request.method == "POST":
        file = request.files.get("file")
        digest = "".join(request.form.get("digest", "").lower().split())
        if file and file.filename:
            hashed = hashlib.sha256()
            for piece in storage.chunks_of(file.stream):
                hashed.update(piece)
            digest = hashed.hexdigest()
        elif len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            wrong = _("请选择文件，或填写 64 位的文件摘要（SHA-256）。")
    matches = queries.by_digest(db_session(), digest) if digest and not wrong else []
    page = render_template("notices/verify.html", digest=digest, wrong=wrong, matches=matches)
    return (page, 422) if wrong else page
