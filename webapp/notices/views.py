"""Notices and objections on the working group's side, and entering an objection that came by letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.audit import service as audit
from webapp.clock import BEIJING
from webapp.documents import service as documents
from webapp.documents.models import Document
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _
from webapp.notices import lists, objections, presenting, queries
from webapp.notices.models import Notice, Objection
from webapp.notices.objection_views import as_key, check, finish, topics
from webapp.registers import labels, pages
from webapp.registers import queries as registers
from webapp.registers.checks import normalise_text
from webapp.registers.queries import SEE_ALL

bp = Blueprint("notices", __name__, template_folder="templates", url_prefix="/notices")

pages.add_list(bp, lists.NOTICES, "/", *SEE_ALL)
pages.add_list(bp, lists.OBJECTIONS, "/objections", *SEE_ALL)


@bp.get("/<uuid:notice_id>")
@access.roles(*SEE_ALL)
def notice(notice_id: UUID) -> str:
    """One notice, published or not, with the objections against it."""
    session = db_session()
    found = queries.any_notice(session, notice_id)
    against = objections.of_notice(session, found.id)
    names = {row.filing_item_id: row.name for row in found.rows}
    return render_template(
        "notices/internal_notice.html",
        **presenting.page(session, found, public=False),
        public_url=url_for("public.notice", notice_id=found.id) if found.published_at else "",
        objections=[
            {
                "entry": o,
                "name": names.get(o.filing_item_id, ""),
                "state": labels.word(labels.OBJECTION, o.status),
                "tone": labels.tone(labels.OBJECTION, o.status),
            }
            for o in against
        ],
        files=[documents.tile(d) for key in (found.pdf_id, found.docx_id) if key and (d := session.get(Document, key))],
        tabs=pages.tabs("/notices/"),
    )


@bp.get("/objections/<uuid:objection_id>")
@access.roles(*SEE_ALL)
def objection(objection_id: UUID) -> str:
    """One objection: what was said, by whom, with which evidence, and what was decided."""
    session = db_session()
    found, of_notice, item = registers.objection(session, objection_id)
    names = registers.names_of(session, [found.entered_by, found.decided_by])
    return render_template(
        "notices/internal_objection.html",
        found=found,
        notice=of_notice,
        item=item,
        state=(labels.word(labels.OBJECTION, found.status), labels.tone(labels.OBJECTION, found.status)),
        topic=next((t["label"] for t in topics() if t["value"] == found.topic), ""),
        channel=labels.word(labels.CHANNEL, found.channel),
        entered_by=names.get(found.entered_by, ""),
        decided_by=names.get(found.decided_by, ""),
        files=[documents.tile(document) for document in queries.evidence(session, found.evidence)],
        tabs=pages.tabs("/notices/objections"),
    )


@bp.route("/objections/letter", methods=["GET", "POST"])
@access.roles("office")
def letter() -> ResponseReturnValue:
    """Enter an objection that came by letter; it counts by the time at which the letter came in."""
    session = db_session()
    notices = queries.open_notices(session)
    if request.method == "GET":
        return _letter_form(session, notices, {"notice_id": request.args.get("notice", "")}, {}, [])
    entered, files = _entered(), _files(session)
    wrong = _check_letter(entered, notices)
    if not wrong:
        try:
            made = _receive(session, entered, files)
        except Invalid as error:
            wrong = {key: "".join(words) for key, words in error.fields.items()} or {"words": error.message}
        else:
            flash(_("已登记异议 %(number)s。", number=made.receipt_number), "success")
            return redirect(url_for(".objection", objection_id=made.id), 303)
    return pages.answer(_letter_form(session, notices, entered, wrong, files))


def _entered() -> dict[str, Any]:
    names = ("item", "kind", "words", "objector_name", "objector_contact", "received_on")
    entered: dict[str, Any] = {name: normalise_text(request.form.get(name, "")) for name in names}
    entered["notice_id"], _colon, entered["filing_item_id"] = entered["item"].partition(":")
    entered["hide_identity"] = request.form.get("hide_identity") == "true"
    return entered


def _files(session: Session) -> list[Document]:
    """The scans of the letter that this officer uploaded."""
    actor, found = accounts.current_actor(), []
    for key in request.form.getlist("evidence"):
        try:
            found.append(UUID(key))
        except ValueError:
            continue
    return [d for d in documents.by_ids(session, found) if d.uploaded_by == actor.id and d.root_instance_id is None]


def _check_letter(entered: dict[str, Any], notices: list[Notice]) -> dict[str, str]:
    wrong = check({**entered, "channel": "letter"}, letter=True)
    if "filing_item_id" in wrong:
        wrong["item"] = wrong.pop("filing_item_id")
    if not entered["objector_name"]:
        wrong["objector_name"] = _("请填写来信人；没有署名的，填写“匿名”。")
    received = _moment(entered["received_on"])
    if received is None:
        wrong["received_on"] = _("请填写收到来信的时间，例如 2026-11-24 10:30。")
    elif received > clock.now():
        wrong["received_on"] = _("收到时间晚于现在，请核对。")
    if entered["notice_id"] not in {str(n.id) for n in notices}:
        wrong.setdefault("item", _("请选择公示和企业。"))
    return wrong


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _receive(session: Session, entered: dict[str, Any], files: list[Document]) -> Objection:
    actor = accounts.current_actor()
    made = objections.receive(
        session,
        notice_id=as_key(entered["notice_id"]),
        filing_item_id=as_key(entered["filing_item_id"]),
        channel="letter",
        objector_name=entered["objector_name"],
        objector_contact=entered["objector_contact"],
        words=entered["words"],
        evidence=[document.id for document in files],
        entered_by=actor,
        received_at=_moment(entered["received_on"]),
    )
    audit.record(session, "objection.enter", actor, instance_id=made.instance_id, subject=made.receipt_number)
    return finish(made, entered, files)


def _letter_form(
    session: Session, notices: list[Notice], values: dict[str, Any], wrong: dict[str, str], files: list[Document]
) -> str:
    only = "" if values.get("item") else values.get("notice_id", "")
    options = [
        {"value": f"{n.id}:{row.filing_item_id}", "label": f"{n.number}　{row.seq}. {row.name}"}
        for n in notices
        for row in n.rows
        if row.filing_item_id and only in ("", str(n.id))
    ]
    names = ("item", "kind", "words", "objector_name", "objector_contact", "received_on")
    return render_template(
        "notices/letter.html",
        values={**dict.fromkeys(names, ""), "hide_identity": False, **values},
        field_errors=wrong,
        errors=[{"text": text, "target": f"f-{name}"} for name, text in wrong.items()],
        options=options,
        kinds=topics(),
        files=[documents.tile(document) for document in files],
        upload_url=url_for("documents.upload"),
    )
