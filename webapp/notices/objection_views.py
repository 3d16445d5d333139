"""Objections 异议 from people without an account: the form, its evidence, the receipt, and looking up the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import current_app, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from webapp import access, clock
from webapp.accounts import settings_service
from webapp.documents import service as documents
from webapp.documents import storage
from webapp.documents.models import Document
from webapp.documents.views import uploaded
from webapp.errors import Invalid, QianyinError, Unavailable
from webapp.http import db_session
from webapp.i18n import _
from webapp.inbox import deadlines
from webapp.notices import limits, objections, publishing, queries
from webapp.notices.blueprint import bp
from webapp.notices.models import Notice, NoticeItem, Objection
from webapp.registers import regulation
from webapp.registers.checks import normalise_text

MAX_FILES = 10
LEAST_WORDS, MOST_WORDS = 20, 2000
#: A field that people do not see and programs fill in.
TRAP = "website"
TOPICS = ("material", "need", "other")


def topics() -> list[dict[str, str]]:
    """What an objection may be about, as options."""
    return [
        {
            "value": "material",
            "label": _("备案材料不真实"),
            "hint": _("营业执照、身份证明、财务资料或“信用中国”查询报告与事实不符"),
        },
        {
            "value": "need",
            "label": _("与被改造企业的实际需求不符"),
            "hint": _("第 4.6 条：根据被改造企业实际需求动态调整"),
        },
        {"value": "other", "label": _("其他")},
    ]


def address() -> str:
    """Where the request came from, for the limits."""
    return request.remote_addr or ""


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="objection-evidence")


@bp.post("/evidence")
@access.public
def evidence() -> ResponseReturnValue:
    """One file of evidence: its tile, which carries a signed token instead of the document's id."""
    try:
        limits.check(db_session(), "evidence", address())
        limits.count("evidence", address())
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid(_("没有收到文件，请选择文件后再上传。"))
        document = documents.store_upload(db_session(), file.stream, file.filename, actor=None, kind="evidence")
    except QianyinError as error:
        return jsonify({"message": error.message}), error.status
    return uploaded(_tile(document))


def _tile(document: Document) -> dict[str, Any]:
    """The tile without links: who has no account cannot read a file back."""
    token = _signer().dumps(str(document.id))
    return {**documents.tile(document), "id": token, "preview_url": "", "download_url": "", "verdict": _("已上传")}


def _kept() -> list[Document]:
    """The files that this form's tokens speak of and that no case has yet."""
    found = []
    for token in request.form.getlist("evidence")[:MAX_FILES]:
        try:
            found.append(UUID(_signer().loads(token)))
        except (BadSignature, ValueError):
            continue
    query = select(Document).where(Document.id.in_(found), Document.kind == "evidence")
    return list(db_session().scalars(query.where(Document.root_instance_id.is_(None)).order_by(Document.id)))


def _files() -> list[Document]:
    """The evidence of the form: tokens of files sent before, and files sent with the form (without scripts)."""
    kept = _kept()
    for file in request.files.getlist("evidence__file")[: MAX_FILES - len(kept)]:
        if file.filename:
            limits.check(db_session(), "evidence", address())
            limits.count("evidence", address())
            kept.append(documents.store_upload(db_session(), file.stream, file.filename, actor=None, kind="evidence"))
    return kept


@bp.route("/notices/<uuid:notice_id>/objection", methods=["GET", "POST"])
@access.public
def objection(notice_id: UUID) -> ResponseReturnValue:
    """The form of an objection. Within the period it opens a case; later it is told to be a lead 线索."""
    notice = queries.public_notice(db_session(), notice_id)
    if notice.kind != "publicity" or notice.status == "withdrawn":
        return redirect(url_for(".notice", notice_id=notice.id))
    if request.method == "GET":
        chosen = request.args.get("item", "")
        return _form(notice, {"filing_item_id": chosen, "channel": "named"}, {}, [])
    if request.form.get(TRAP):
        return redirect(url_for(".notice", notice_id=notice.id), 303)
    entered, files, wrong, status = _entered(), [], {}, 422
    try:
        limits.check(db_session(), "objection", address())
        files = _files()
    except (Invalid, limits.TooOften, Unavailable) as error:
        wrong, status = {"evidence" if isinstance(error, Invalid) else "": error.message}, error.status
    wrong = {**check(entered), **wrong}
    if entered["filing_item_id"] not in {"", *(str(row.filing_item_id) for row in notice.rows)}:
        wrong["filing_item_id"] = _("该企业不在这份公示中，请重新选择。")
    if not wrong:
        try:
            made = _receive(notice, entered, files)
        except Invalid as error:
            wrong = {key: "".join(words) for key, words in error.fields.items()} or {"words": error.message}
        else:
            limits.count("objection", address())
            session["receipt"] = str(made.id)
            return redirect(url_for(".receipt"), 303)
    if any(file.filename for file in request.files.getlist("evidence__file")):
        wrong.setdefault("evidence", _("请重新选择证明材料：内容有误时，随表单发送的文件不保存。"))
    return _form(notice, entered, wrong, _kept()), status


def _entered() -> dict[str, Any]:
    names = ("filing_item_id", "kind", "words", "channel", "objector_name", "objector_contact")
    entered: dict[str, Any] = {name: normalise_text(request.form.get(name, "")) for name in names}
    entered["hide_identity"] = request.form.get("hide_identity") == "true"
    return entered


def check(entered: Mapping[str, Any], *, letter: bool = False) -> dict[str, str]:
    """What is wrong with an objection's fields, by field."""
    wrong = {}
    if not entered["filing_item_id"]:
        wrong["filing_item_id"] = _("请选择您对哪一家企业有异议。")
    if entered["kind"] not in TOPICS:
        wrong["kind"] = _("请选择异议类型。")
    if len(entered["words"]) < LEAST_WORDS:
        words = _("请写明事实和理由，至少 %(n)s 字，现有 %(now)s 字。", n=LEAST_WORDS, now=len(entered["words"]))
        wrong["words"] = words
    elif len(entered["words"]) > MOST_WORDS:
        wrong["words"] = _("最多 %(n)s 字，请精简，详情可以作为证明材料上传。", n=MOST_WORDS)
    if not letter and entered["channel"] not in {"named", "anonymous"}:
        wrong["channel"] = _("请选择实名或匿名。")
    if not letter and entered["channel"] == "named":
        if not 2 <= len(entered["objector_name"]) <= 100:
            wrong["objector_name"] = _("请填写您的姓名或单位名称，或改选匿名。")
        digits = [c for c in entered["objector_contact"] if c.isascii() and c.isdigit()]
        if len(digits) < 7 or len(entered["objector_contact"]) > 40:
            wrong["objector_contact"] = _("请填写可以联系到您的电话号码，例如 020-81234567。")
    return wrong


def _receive(notice: Notice, entered: Mapping[str, Any], files: list[Document]) -> Objection:
    named = entered["channel"] == "named"
    made = objections.receive(
        db_session(),
        notice_id=notice.id,
        filing_item_id=as_key(entered["filing_item_id"]),
        channel="web",
        objector_name=entered["objector_name"] if named else "",
        objector_contact=entered["objector_contact"] if named else "",
        words=entered["words"],
        evidence=[document.id for document in files],
        entered_by=None,
    )
    return finish(made, entered, files)


def finish(made: Objection, entered: Mapping[str, Any], files: list[Document]) -> Objection:
    """Note what `receive` does not take, and make the files part of the objection's case."""
    made.topic = entered["kind"]
    made.confidential = bool(entered.get("hide_identity") and made.objector_name)
    for document in files:
        document.kind = "evidence"
        document.instance_id = document.root_instance_id = made.instance_id
        document.org_id = None
    db_session().flush()
    return made


def as_key(text: str) -> UUID:
    """The id that a form sent. Errors: Invalid."""
    try:
        return UUID(text)
    except ValueError as error:
        message = _("请选择您对哪一家企业有异议。")
        raise Invalid(message, fields={"filing_item_id": message}) from error


def _form(notice: Notice, values: Mapping[str, Any], wrong: Mapping[str, str], files: list[Document]) -> str:
    chosen = next((row for row in notice.rows if str(row.filing_item_id) == values.get("filing_item_id")), None)
    now, is_open = clock.now(), publishing.is_open(notice, clock.now())
    megabytes = storage.config().max_upload // 2**20
    blank = dict.fromkeys(("kind", "words", "objector_name", "objector_contact"), "") | {"hide_identity": True}
    return render_template(
        "notices/objection.html",
        notice={
            "title": notice.title,
            "short_title": notice.number or notice.title,
            "url": url_for(".notice", notice_id=notice.id),
        },
        due=deadlines.tell(notice.period_ends_at, now) if is_open else None,
        late="" if is_open else _("公示期已满。您提出的内容将作为线索交工作小组办公室核查，不影响名单的发布。"),
        action_url=url_for(".objection", notice_id=notice.id),
        errors=[{"text": text, "target": f"f-{name}" if name else "objection"} for name, text in wrong.items()],
        values={**blank, **values},
        field_errors=dict(wrong),
        enterprises=[
            {"value": str(row.filing_item_id), "label": f"{row.seq}. {row.name}（{row.lead_unit_name}）"}
            for row in notice.rows
            if row.filing_item_id
        ],
        kinds=topics(),
        files=[_tile(document) for document in files],
        upload_url=url_for(".evidence"),
        accept=".pdf,.jpg,.jpeg,.png",
        file_hint=_("PDF、JPG 或 PNG，每个不超过 %(size)s MB，最多 %(n)s 个。", size=megabytes, n=MAX_FILES),
        subject=_subject(notice, chosen) if chosen else [],
        steps=_steps(is_open),
        clause={"number": "4.6.3", "words": regulation.clause("4.6.3")},
        trap=TRAP,
    )


def _subject(notice: Notice, row: NoticeItem) -> list[dict[str, str]]:
    return [
        {"label": _("公示"), "value": notice.number or notice.title, "url": url_for(".notice", notice_id=notice.id)},
        {"label": _("企业"), "value": row.name},
        {"label": _("信用代码"), "value": row.credit_code},
        {"label": _("牵引单位"), "value": row.lead_unit_name},
        {"label": _("服务方向"), "value": row.need},
    ]


def _steps(is_open: bool) -> list[dict[str, str]]:
    days = int(settings_service.get(db_session(), "objection_days"))
    if not is_open:
        return [
            {"label": _("立即得到编号"), "note": _("以系统收到的时间为准"), "state": ""},
            {"label": _("作为线索登记"), "note": _("公示期已满，不再作为异议处理"), "state": ""},
            {"label": _("工作小组办公室核查"), "note": _("可凭编号和查询码查看"), "state": ""},
        ]
    return [
        {"label": _("立即得到编号"), "note": _("以系统收到的时间为准"), "state": ""},
        {"label": _("工作小组办公室调查核实"), "note": _("其间这家企业暂不发布，其他企业不受影响"), "state": ""},
        {"label": _("工作小组作出决定"), "note": _("自收到次日起 %(n)s 个工作日内", n=days), "state": ""},
        {"label": _("告知理由"), "note": _("异议成立或不成立，都说明理由"), "state": ""},
    ]
