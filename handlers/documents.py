"""Documents of partner filing, made by jobs outside of any step: 公示, 更正, 撤回, 名单, 备案审核意见表; PDF and DOCX.

Each job reads what to write, renders with no transaction open, stores the files and then points the row at them. A job
that was overtaken (the draft was signed meanwhile, a day has passed) makes them again of the words that hold now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import db
from webapp.documents import rendering, service
from webapp.documents.models import Document
from webapp.engine.handler_api import ExternalContext, HandlerFailed, handler
from webapp.i18n import _
from webapp.notices import publishing
from webapp.notices.models import Notice
from webapp.registers import filings, review_forms
from webapp.registers.values import key

KINDS = ("pdf", "docx")


@handler("documents.notice", external=True, inputs={"notice_id": "公告"})
def notice(ctx: ExternalContext) -> None:
    """制作公示、更正、撤回或名单的 PDF 和 DOCX；稿件只供内部预览。"""
    notice_id = key(ctx.variables["notice_id"])
    with db.transaction() as session:
        found = publishing.get(session, notice_id)
        if _is_made(session, found):
            return
        data, template, kind = publishing.document_data(session, found), publishing.TEMPLATES[found.kind], found.kind
        names = {suffix: publishing.filename(found, suffix) for suffix in KINDS}
        case = publishing.case_of(session, found, ctx.instance_id)
    files = {suffix: rendering.render(template, data, suffix) for suffix in KINDS}
    with db.transaction() as session:
        _keep_notice(session, notice_id, kind, template, data, files, names, case)


def _is_made(session: Session, found: Notice) -> bool:
    """Whether the row already points at documents of just these words (another job, or an earlier attempt)."""
    made = session.get(Document, found.pdf_id) if found.pdf_id else None
    return made is not None and (made.made_from or {}).get("data") == publishing.document_data(session, found)


def _keep_notice(
    session: Session,
    notice_id: UUID,
    kind: str,
    template: str,
    data: Mapping[str, Any],
    files: Mapping[str, bytes],
    names: Mapping[str, str],
    case: UUID | None,
) -> None:
    found = session.get(Notice, notice_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None or _is_made(session, found):
        return
    if publishing.document_data(session, found) != data:
        raise HandlerFailed(_("制作文件时公告有了变动，重新制作。"))
    made = {
        suffix: service.store_made(
            session,
            kind=kind if found.number else f"{kind}_draft",
            filename=names[suffix],
            media_type=rendering.MEDIA_TYPES[suffix],
            content=content,
            instance_id=case,
            root_instance_id=case,
            public=found.number is not None,
            made_from={"template": template, "data": data},
        )
        for suffix, content in files.items()
    }
    found.pdf_id, found.docx_id = made["pdf"].id, made["docx"].id


@handler("documents.review_form", external=True, inputs={"item_id": "企业"})
def review_form(ctx: ExternalContext) -> None:
    """制作一家企业的备案审核意见表。"""
    item_id = key(ctx.variables["item_id"])
    with db.transaction() as session:
        item = filings.get_item(session, item_id)
        data, name = review_forms.data(session, item, ctx.now), review_forms.filename(item)
        case, root = item.instance_id, item.filing.instance_id
    for suffix in KINDS:
        content = rendering.render("review_form", data, suffix)
        with db.transaction() as session:
            if _kept(session, ctx, case, suffix):
                continue
            service.store_made(
                session,
                kind="review_form",
                filename=f"{name}.{suffix}",
                media_type=rendering.MEDIA_TYPES[suffix],
                content=content,
                instance_id=case,
                root_instance_id=root,
                made_from={"template": "review_form", "data": data, "job": str(ctx.job_id)},
            )


def _kept(session: Session, ctx: ExternalContext, case: UUID | None, suffix: str) -> bool:
    """Whether an earlier attempt of this very job has stored that file."""
    mine = Document.made_from["job"].astext == str(ctx.job_id)
    query = select(Document.id).where(
        Document.instance_id == case, Document.media_type == rendering.MEDIA_TYPES[suffix], mine
    )
    return session.scalar(query) is not None
