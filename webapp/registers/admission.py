"""Applying as lead unit (1.2, 4.4): the one check of an applicant, and the entry of a candidate 候选."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.accounts.models import Organisation
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.i18n import _
from webapp.registers import checks, filing_checks, history, labels
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_date, as_decimal, as_text


def check_applicant(session: Session, credit_code: str) -> str | None:
    """The sentence with which an application under this code is refused, or None when it may be taken.

    A code on the barred list (4.4: 不得重新申请纳入) is refused, unless its entry was annulled.
    """
    if wrong := checks.credit_code(credit_code):
        return wrong
    if bars := filing_checks.bars(session, [credit_code]):
        return _(
            "该单位于 %(day)s 因第 %(clause)s 条被清退（%(number)s），依据第 4.4 条不得重新申请纳入。",
            day=bars[-1].decided_on.isoformat(),
            clause=bars[-1].clause,
            number=bars[-1].decision_number,
        )
    known = session.scalars(select(LeadUnit).where(LeadUnit.credit_code == credit_code)).unique().one_or_none()
    if known is not None:
        word = labels.word(labels.LEAD_UNIT, known.status)
        return _("%(name)s已在牵引单位台账中（%(state)s），不能重复登记。", name=known.name, state=word)
    return None


def check(session: Session, data: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with an application, by field."""
    wrong = {}
    if not as_text(data.get("name")):
        wrong["name"] = _("请填写单位名称，与营业执照一致。")
    if sentence := check_applicant(session, checks.normalise_code(as_text(data.get("credit_code")))):
        wrong["credit_code"] = sentence
    capital = as_text(data.get("registered_capital"))
    if capital and (as_decimal(capital) is None or not 0 <= (as_decimal(capital) or 0) < 10**10):
        wrong["registered_capital"] = _("请填写数字，单位为万元。")
    if as_text(data.get("founded_on")) and as_date(data.get("founded_on")) is None:
        wrong["founded_on"] = _("请填写日期，如 2016-03-01。")
    return wrong


def enter_candidate(session: Session, data: Mapping[str, Any], *, actor: Actor | None) -> LeadUnit:
    """Enter an applicant as candidate 候选 with its organisation. Errors: Invalid with fields (a barred code: 4.4)."""
    if wrong := check(session, data):
        raise Invalid(_("候选牵引单位没有登记，请改正以下内容。"), fields=wrong)
    code, name = checks.normalise_code(as_text(data.get("credit_code"))), as_text(data.get("name"))
    organisation = session.scalars(select(Organisation).where(Organisation.credit_code == code)).one_or_none()
    if organisation is None:
        organisation = Organisation(name=name, credit_code=code, kind="firm")
        session.add(organisation)
        session.flush()
    unit = LeadUnit(
        organisation_id=organisation.id,
        credit_code=code,
        name=name,
        status="candidate",
        registered_capital=as_decimal(data.get("registered_capital")),
        founded_on=as_date(data.get("founded_on")),
        **{key: as_text(data.get(key)) for key in ("legal_rep", "address", "industry", "contact", "phone")},
    )
    session.add(unit)
    history.record(session, unit, "registered", actor=actor)
    return unit
