"""解释 (5.1): the bureau's recorded readings of the regulation, offered where a case may cite one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.registers.models import Interpretation


def options(session: Session) -> list[dict[str, Any]]:
    """The interpretations as options of a choice: number, clause and the first words."""
    query = select(Interpretation).order_by(Interpretation.signed_on.desc(), Interpretation.number)
    return [
        {
            "value": str(found.id),
            "label": f"{found.number}：{found.text[:40]}{'…' if len(found.text) > 40 else ''}",
            "hint": f"第 {found.clause} 条，{found.signed_on.isoformat()}",
        }
        for found in session.scalars(query)
    ]
