"""与台账比对: what a filing says of an enterprise, beside what the registers say of the same credit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.i18n import _
from webapp.registers.models import ConsortiumEnterprise, FilingItem, LeadUnit

_FIELDS = {
    "name": "名称",
    "legal_rep": "法定代表人",
    "registered_capital": "注册资本",
    "founded_on": "成立日期",
    "address": "住所",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences`: (label, in the register, in this filing); `same`: how many fields agree."""

    source: str
    differences: list[tuple[str, str, str]]
    same: int


def with_registers(session: Session, item: FilingItem) -> Comparison | None:
    """Compare with the latest entry of the same code, as consortium enterprise or as lead unit; None without any."""
    member = ConsortiumEnterprise
    query = select(member).where(member.credit_code == item.credit_code).order_by(member.since.desc()).limit(1)
    entry: ConsortiumEnterprise | LeadUnit | None = session.scalars(query).unique().one_or_none()
    if isinstance(entry, ConsortiumEnterprise):
        source = _("联合体台账 %(day)s 版", day=entry.since.isoformat())
    else:
        entry = session.scalars(select(LeadUnit).where(LeadUnit.credit_code == item.credit_code)).one_or_none()
        source = _("牵引单位台账")
    if entry is None:
        return None
    differences, same = [], 0
    for name, label in _FIELDS.items():
        before, after = getattr(entry, name), getattr(item, name)
        if before in (None, "") or before == after:
            same += before not in (None, "")
        else:
            differences.append((label, _shown(name, before), _shown(name, after)))
    return Comparison(source, differences, same)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    return _("%(n)s 万元", n=f"{value.normalize():f}") if name == "registered_capital" else str(value)
