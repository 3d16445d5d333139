"""The automatic checks of a filing (4.6, 4.6.1): what is refused at its field, and what reviewers are told.

Refused before submission: a missing or foreign material, a wrong check digit, a date in the future, accounts of another
year, the unit's own code, an enterprise twice, already in this consortium or in another open filing of this unit.
Told to the reviewers: the barred list (house rule: they must answer), other consortia, an old 信用中国 report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts import settings_service
from webapp.documents.models import Document
from webapp.i18n import _
from webapp.registers import checks
from webapp.registers.models import BarredEntry, ConsortiumEnterprise, Filing, FilingItem, Interpretation, LeadUnit
from webapp.registers.values import as_date, as_decimal, as_uuid

#: The four materials of clause 4.6.1, in its order and its words.
MATERIALS: Mapping[str, str] = {
    "licence": "营业执照",
    "identity": "法人身份证复印件",
    "accounts": "上年度财务审计报告或加盖公章的财务报表",
    "credit_report": "“信用中国”查询报告关键页",
}
#: Statuses of an enterprise whose case is still open.
OPEN_ITEMS = ("draft", "review", "confirming", "correcting", "pooled", "public", "objected")
MAX_ENTERPRISES = 200

Errors = dict[str, list[str]]


@dataclass(slots=True)
class Checked:
    """One run of the checks: errors by field path (`enterprises[2].credit_code`)."""

    errors: Errors = field(default_factory=dict)

    def add(self, path: str, sentence: str | None) -> None:
        """Note what is wrong at a field."""
        if sentence:
            self.errors.setdefault(path, []).append(sentence)


def check_filing(session: Session, unit: LeadUnit, data: Mapping[str, Any], today: date) -> Errors:
    """Everything that keeps a filing from being submitted (4.6.1), by field path; empty when it may go on."""
    found = Checked()
    enterprises: Sequence[Mapping[str, Any]] = data.get("enterprises") or ()
    if not enterprises:
        found.add("enterprises", _("请至少填写 1 家新增企业。"))
    if len(enterprises) > MAX_ENTERPRISES:
        found.add("enterprises", _("一次备案最多 %(n)s 家企业，其余请另行备案。", n=MAX_ENTERPRISES))
    known = Known.load(session, unit, enterprises)
    for index, enterprise in enumerate(enterprises):
        check_enterprise(found, f"enterprises[{index}]", enterprise, known, today)
    _check_twice(found, enterprises)
    return found.errors


@dataclass(slots=True)
class Known:
    """What the registers say about all enterprises of a filing, read in four statements however many there are."""

    unit: LeadUnit
    members: dict[str, ConsortiumEnterprise]
    open_items: dict[str, str]  # credit code -> number of the open filing
    documents: set[UUID]
    interpretations: dict[UUID, Interpretation]

    @classmethod
    def load(
        cls, session: Session, unit: LeadUnit, enterprises: Sequence[Mapping[str, Any]], item_id: UUID | None = None
    ) -> Known:
        """Read. `item_id`: the enterprise's own row, when a correction is checked."""
        codes = [code_of(e) for e in enterprises]
        member, item = ConsortiumEnterprise, FilingItem
        members = select(member).where(
            member.lead_unit_id == unit.id, member.until.is_(None), member.credit_code.in_(codes)
        )
        others = (
            select(item.credit_code, Filing.number)
            .join(Filing)
            .where(Filing.lead_unit_id == unit.id, item.status.in_(OPEN_ITEMS), item.credit_code.in_(codes))
        )
        if item_id is not None:
            others = others.where(item.id != item_id)
        wanted = [identifier for e in enterprises for key in MATERIALS for identifier in material_ids(e, key)]
        files = select(Document.id).where(Document.id.in_(wanted), Document.org_id == unit.organisation_id)
        return cls(
            unit=unit,
            members={m.credit_code: m for m in session.scalars(members)},
            open_items={row[0]: row[1] for row in session.execute(others)},
            documents=set(session.scalars(files)),
            interpretations={i.id: i for i in session.scalars(select(Interpretation))},
        )


def code_of(enterprise: Mapping[str, Any]) -> str:
    """The unified social credit code as it is stored."""
    return checks.normalise_code(str(enterprise.get("credit_code") or ""))


def material_ids(enterprise: Mapping[str, Any], material: str) -> list[UUID]:
    """Document ids under one material; what is no id is passed over (and then missing)."""
    found = (as_uuid(value) for value in enterprise.get(material) or ())
    return [identifier for identifier in found if identifier is not None]


def check_enterprise(
    found: Checked, path: str, enterprise: Mapping[str, Any], known: Known, today: date, filed: date | None = None
) -> None:
    """One enterprise. `filed`: when its filing was submitted, for one that is corrected later."""
    for key, label in (("name", "企业名称"), ("legal_rep", "法定代表人"), ("address", "住所")):
        if not str(enterprise.get(key) or "").strip():
            found.add(f"{path}.{key}", _("请填写%(label)s。", label=label))
    _check_code(found, f"{path}.credit_code", code_of(enterprise), known)
    check_identity(found, path, enterprise, known)
    check_dates(found, path, enterprise, today, filed or today)
    for material in MATERIALS:
        check_material(found, f"{path}.{material}", enterprise, material, known)
    if enterprise.get("no_accounts") and not cites(enterprise, "no_accounts", known):
        found.add(
            f"{path}.interpretation_id", _("没有上年度财务材料的，请选择已公布的、关于没有财务材料的解释（5.1）。")
        )


def _check_code(found: Checked, path: str, code: str, known: Known) -> None:
    found.add(path, checks.credit_code(code) or code_taken(code, known))


def code_taken(code: str, known: Known) -> str | None:
    """Why a code cannot be that of a new enterprise of this unit: its own, a member's, or under way already (4.6)."""
    if code == known.unit.credit_code:
        return _("这是本单位自己的统一社会信用代码，牵引单位不能把自己列为联合体企业。")
    if code in known.members:
        since = known.members[code].since
        return _("该企业已在本单位联合体名单中（%(since)s 起），请移除。", since=since.isoformat())
    if code in known.open_items:
        return _("该企业已在本单位的另一件备案 %(number)s 中办理，请移除。", number=known.open_items[code])
    return None


def check_identity(found: Checked, path: str, enterprise: Mapping[str, Any], known: Known) -> None:
    """The legal representative's identity number: GB 11643, or another document under an interpretation (5.1)."""
    number = str(enterprise.get("id_number") or "").strip()
    if enterprise.get("id_kind") != "other":
        found.add(f"{path}.id_number", checks.id_number(number))
        return
    if not number:
        found.add(f"{path}.id_number", _("请填写证件号码。"))
    if not cites(enterprise, "other_identity", known):
        found.add(f"{path}.interpretation_id", _("使用其他证件的，请选择已公布的、关于其他身份证件的解释（5.1）。"))


def cites(enterprise: Mapping[str, Any], topic: str, known: Known) -> bool:
    """Whether the enterprise cites a recorded interpretation of that topic (5.1)."""
    chosen = as_uuid(enterprise.get("interpretation_id"))
    interpretation = known.interpretations.get(chosen) if chosen else None
    return interpretation is not None and interpretation.topic in (topic, "both")


def check_dates(found: Checked, path: str, enterprise: Mapping[str, Any], today: date, filed: date) -> None:
    """No date lies in the future; the accounts are those of the year before the filing (4.6.1: 上年度)."""
    for key, label in (("founded_on", "成立日期"), ("credit_report_on", "查询报告日期")):
        day = as_date(enterprise.get(key))
        if day is None:
            found.add(f"{path}.{key}", _("请填写%(label)s。", label=label))
        elif day > today:
            found.add(f"{path}.{key}", _("%(label)s %(day)s 晚于今天，请核对。", label=label, day=day.isoformat()))
    year = as_decimal(enterprise.get("fiscal_year"))
    if not enterprise.get("no_accounts") and year != filed.year - 1:
        found.add(
            f"{path}.fiscal_year", _("应提交上一年度（%(year)s 年）的财务材料，请核对年度。", year=filed.year - 1)
        )


def check_material(found: Checked, path: str, enterprise: Mapping[str, Any], material: str, known: Known) -> None:
    """One of the four materials of 4.6.1 is there, and it is this unit's own upload."""
    if material == "accounts" and enterprise.get("no_accounts"):
        return
    wanted = enterprise.get(material) or ()
    if not wanted:
        found.add(path, _("请上传%(label)s。", label=MATERIALS[material]))
    elif len(material_ids(enterprise, material)) != len(wanted) or not known.documents.issuperset(
        material_ids(enterprise, material)
    ):
        found.add(path, _("%(label)s的文件已不存在，请重新上传。", label=MATERIALS[material]))


def _check_twice(found: Checked, enterprises: Sequence[Mapping[str, Any]]) -> None:
    first: dict[str, int] = {}
    for index, code in enumerate(code_of(e) for e in enterprises):
        if not code:
            continue
        if code in first:
            found.add(
                f"enterprises[{index}].credit_code",
                _("该企业与本次备案的第 %(n)s 家重复，请移除其中一家。", n=first[code] + 1),
            )
        first.setdefault(code, index)


# ---- what reviewers are told -------------------------------------------------------------------------------------


def warnings(session: Session, unit: LeadUnit, items: Sequence[FilingItem], today: date) -> list[list[dict[str, Any]]]:
    """What the reviewers are told of each enterprise: [{code, text, must_answer}]. None of it refuses the filing.

    Read in three statements, however many enterprises there are.
    """
    codes = [item.credit_code for item in items]
    barred, elsewhere = bars(session, codes), _other_consortia(session, unit, codes)
    limit = int(settings_service.get(session, "credit_report_max_age"))
    return [
        [
            *(_barred(entry) for entry in barred if entry.credit_code == item.credit_code),
            *(_elsewhere(other) for other in elsewhere if other.credit_code == item.credit_code),
            *_old_report(item, today, limit),
        ]
        for item in items
    ]


def bars(session: Session, credit_codes: Sequence[str]) -> list[BarredEntry]:
    """Entries of the barred list that are in force for codes (4.4: 不得重新申请纳入)."""
    query = select(BarredEntry).where(BarredEntry.credit_code.in_(credit_codes), BarredEntry.annulled_on.is_(None))
    return list(session.scalars(query.order_by(BarredEntry.decided_on)))


def _barred(entry: BarredEntry) -> dict[str, Any]:
    words = _(
        "该企业原为牵引单位，%(day)s 因第 %(clause)s 条被清退（%(number)s）。第 4.4 条不准其重新申请牵引单位，"
        "没有规定能否作为联合体企业；按工作口径，由审核人逐件判断并写明理由。",
        day=entry.decided_on.isoformat(),
        clause=entry.clause,
        number=entry.decision_number,
    )
    return {"code": "barred", "text": words, "must_answer": True, "entry": str(entry.id)}


def _other_consortia(session: Session, unit: LeadUnit, codes: Sequence[str]) -> list[ConsortiumEnterprise]:
    member = ConsortiumEnterprise
    where = (member.credit_code.in_(codes), member.until.is_(None), member.lead_unit_id != unit.id)
    return list(session.scalars(select(member).where(*where).order_by(member.since)).unique())


def _elsewhere(other: ConsortiumEnterprise) -> dict[str, Any]:
    unit, since = other.lead_unit.name, other.since.isoformat()
    words = _("该企业还在%(unit)s的联合体中（%(since)s 起）。", unit=unit, since=since)
    return {"code": "other_consortium", "text": words, "must_answer": False, "lead_unit": str(other.lead_unit_id)}


def _old_report(item: FilingItem, today: date, limit: int) -> Iterator[dict[str, Any]]:
    age = (today - item.credit_report_on).days if item.credit_report_on else 0
    if item.credit_report_on and age > limit:
        words = _(
            "“信用中国”查询报告日期 %(day)s，距今 %(age)s 天，超过 %(limit)s 天（工作口径）。",
            day=item.credit_report_on.isoformat(),
            age=age,
            limit=limit,
        )
        yield {"code": "old_report", "text": words, "must_answer": False}
