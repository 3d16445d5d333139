"""备案审核意见表 (4.6.2): what the review form of one enterprise says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.documents.models import Document
from webapp.i18n import _
from webapp.registers import filings, reviews
from webapp.registers.filing_checks import MATERIALS
from webapp.registers.models import FilingItem
from webapp.registers.values import as_text, as_uuid


def filename(item: FilingItem) -> str:
    """The name of the file, without suffix."""
    return f"备案审核意见表（{item.name}）"


def data(session: Session, item: FilingItem, now: datetime) -> dict[str, Any]:
    """What the template `review_form` is filled in with; all values are plain JSON."""
    filing, review = item.filing, item.review
    decision = reviews.DECISIONS.get(as_text(review.get("decision")), "")
    return {
        "case_number": f"{filing.number}-{item.seq:02d}",
        "submitted_on": filing.submitted_at.isoformat() if filing.submitted_at else "",
        "status": filings.STATUS_LABELS.get(item.status, item.status),
        "lead_unit_name": filing.lead_unit.name,
        "lead_unit_code": filing.lead_unit.credit_code,
        "need": filing.need,
        "programme": filing.programme,
        "items": [
            {
                "name": item.name,
                "credit_code": item.credit_code,
                "materials": _("%(n)s 项", n=sum(bool(item.materials.get(m)) for m in MATERIALS)),
                "conclusion": decision,
            }
        ],
        "opinions": _opinions(review, decision),
        "records": [],
        "files": _files(session, item),
        "printed_at": now.isoformat(),
        "printed_by": "",
    }


def _opinions(review: Mapping[str, Any], decision: str) -> list[dict[str, Any]]:
    words = [as_text(review.get("opinion"))]
    words += [f"{row['material']}：{row['verdict']}。{row['request']}" for row in reviews.verdict_rows(review)]
    if review.get("barred_answer"):
        answer = _("不影响本次备案") if review["barred_answer"] == "no_effect" else _("影响本次备案")
        words.append(_("对警示的答复：%(answer)s。%(why)s", answer=answer, why=as_text(review.get("barred_reason"))))
    second = review.get("second") or {}
    rows = [(_("审核意见"), decision, " ".join(filter(None, words)), review)]
    if second:
        rows.append((_("复核意见"), _("同意"), as_text(second.get("opinion")), second))
    return [
        {
            "label": label,
            "decision": said,
            "words": text,
            "role": _("工作小组办公室"),
            "who": as_text(by.get("by")),
            "at": as_text(by.get("at")),
            "on_behalf_of": "",
        }
        for label, said, text, by in rows
    ]


def _files(session: Session, item: FilingItem) -> list[dict[str, Any]]:
    ids = [as_uuid(value) for material in MATERIALS for value in item.materials.get(material) or ()]
    found = session.scalars(select(Document).where(Document.id.in_([i for i in ids if i])).order_by(Document.id))
    return [
        {
            "name": document.filename,
            "pages": document.pages,
            "size": f"{max(1, document.size // 1024)} KB",
            "at": document.created_at.isoformat(),
            "digest": document.digest,
        }
        for document in found
    ]
