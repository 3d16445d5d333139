"""审核 (4.6.2): what a review of one enterprise must say before it counts, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import Actor
from webapp.i18n import _
from webapp.registers import checks, filing_checks, filings
from webapp.registers.filing_checks import MATERIALS, Checked, Errors, Known
from webapp.registers.models import FilingItem
from webapp.registers.values import as_date, as_int, as_text, zh_date

DECISIONS: Mapping[str, str] = {"pass": "审核通过", "return": "退回补正", "reject": "不予通过"}
VERDICTS: Mapping[str, str] = {"pass": "通过", "correct": "补正", "reject": "不通过"}
#: What a lead unit may be asked to correct beside the materials.
FIELDS: Mapping[str, str] = {
    "name": "企业名称",
    "credit_code": "统一社会信用代码",
    "legal_rep": "法定代表人",
    "id_number": "证件号码",
    "address": "住所",
    "registered_capital": "注册资本",
    "founded_on": "成立日期",
    "need": "承担的工作",
    "fiscal_year": "财务材料年度",
    "credit_report_on": "查询报告日期",
}


def must_answer(item: FilingItem) -> list[dict[str, Any]]:
    """The warnings that a reviewer has to answer."""
    return [warning for warning in item.warnings if warning.get("must_answer")]


def check_review(item: FilingItem, data: Mapping[str, Any], decision: str | None) -> Errors:
    """What keeps a review from counting, by field (4.6.2).

    No pass while a material has not passed or a warning is open; a return says what to correct; a rejection says why.
    """
    found = Checked()
    verdicts = {material: data.get(f"{material}_verdict") for material in MATERIALS}
    for material, verdict in verdicts.items():
        if material == "accounts" and not item.materials.get("accounts") and not verdict:
            continue
        if verdict not in VERDICTS:
            found.add(f"{material}_verdict", _("请给出%(label)s的审核结果。", label=MATERIALS[material]))
        elif verdict == "correct" and not as_text(data.get(f"{material}_request")):
            found.add(f"{material}_request", _("请写明%(label)s怎样补正。", label=MATERIALS[material]))
    _check_answers(found, item, data, decision)
    _DECISION_CHECKS[decision or ""](found, verdicts, data)
    return found.errors


def _check_answers(found: Checked, item: FilingItem, data: Mapping[str, Any], decision: str | None) -> None:
    if not must_answer(item):
        return
    answer = data.get("barred_answer")
    if answer not in ("no_effect", "effect"):
        found.add("barred_answer", _("该企业的信用代码在不得重新申请名单中，请答复是否影响本次备案。"))
    elif answer == "effect" and decision == "pass":
        found.add("barred_answer", _("您答复影响本次备案，不能审核通过。"))
    if not as_text(data.get("barred_reason")):
        found.add("barred_reason", _("请写明答复的理由。"))


def _check_pass(found: Checked, verdicts: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    for material, verdict in verdicts.items():
        if verdict in ("correct", "reject"):
            words = _("%(label)s没有通过，不能审核通过。", label=MATERIALS[material])
            found.add(f"{material}_verdict", words)


def _check_return(found: Checked, verdicts: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    if "correct" not in verdicts.values() and not data.get("fix_fields"):
        found.add("ask_fields", _("退回补正的，请至少指明一项需要补正的材料或者填报事项。"))
        return
    if not as_text(data.get("review_opinion")):
        found.add("review_opinion", _("请写明退回补正的理由，将原文告知牵引单位。"))
    days = data.get("correction_days")
    if days is not None and not 1 <= (as_int(days) or 0) <= 60:  # none: the house rule's
        found.add("correction_days", _("补正期限应为 1 至 60 个工作日。"))


def _check_reject(found: Checked, verdicts: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    if not as_text(data.get("review_opinion")):
        found.add("review_opinion", _("请写明不予通过的理由，将原文告知牵引单位。"))


def _check_nothing(found: Checked, verdicts: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    found.add("", _("请选择审核通过、退回补正或者不予通过。"))


_DECISION_CHECKS = {"pass": _check_pass, "return": _check_return, "reject": _check_reject, "": _check_nothing}


def record(
    session: Session,
    item: FilingItem,
    review: Mapping[str, Any],
    *,
    actor: Actor | None,
    instance_id: UUID,
    now: datetime,
) -> bool:
    """Keep a review; whether a second person has to confirm it (house rule `second_reviewer`)."""
    kept = {key: review.get(key) for key in _KEPT}
    item.review = {**kept, "by": actor.name if actor else "", "at": now.isoformat()}
    needed = bool(settings_service.get(session, "second_reviewer"))
    if needed:
        filings.change_status(session, item, "confirming", actor=actor, instance_id=instance_id)
    return needed


_KEPT = (
    "decision", "verdicts", "requests", "fix_fields", "barred_answer", "barred_reason", "opinion", "correction_days",
    "internal_note",
)  # fmt: skip


def confirm(item: FilingItem, words: str, *, actor: Actor | None, now: datetime) -> None:
    """Note the second person's agreement in the review."""
    item.review = {
        **item.review,
        "second": {"by": actor.name if actor else "", "at": now.isoformat(), "opinion": words},
    }


def due_words(item: FilingItem, past: datetime | None = None) -> str:
    """The last day of a correction in words: its 24:00 ends the period. `past`: the end of a period that is over."""
    due = item.correction_due_at or past
    return zh_date(due - timedelta(seconds=1)) if due else ""


def conclude(
    session: Session, item: FilingItem, *, actor: Actor | None, instance_id: UUID, now: datetime
) -> dict[str, Any]:
    """Let the (confirmed) review take effect; gives the deadline of a correction as process variables."""
    decision, opinion = item.review["decision"], as_text(item.review.get("opinion"))
    how = {"actor": actor, "instance_id": instance_id}
    if decision == "pass":
        item.correction_due_at = None
        filings.change_status(session, item, "pooled", **how)  # type: ignore[arg-type]
        return {}
    if decision == "reject":
        filings.change_status(session, item, "rejected", reason=opinion, **how)  # type: ignore[arg-type]
        return {}
    days = as_int(item.review.get("correction_days")) or int(settings_service.get(session, "correction_days"))
    due = clock.deadline(now, working_days=days)
    item.correction_due_at = due
    filings.change_status(session, item, "correcting", reason=opinion, **how)  # type: ignore[arg-type]
    return {"correction_due_at": due, "correction_remind_at": remind_at(session, due, now)}


def remind_at(session: Session, due: datetime, now: datetime) -> datetime:
    """When 催告 goes out: 9:00 on the day that lies so many working days before the last one, but not before now."""
    ahead = int(settings_service.get(session, "reminder_working_days"))
    last = (due - timedelta(seconds=1)).astimezone(clock.BEIJING).date()
    day = clock.add_working_days(last, -ahead)
    morning = datetime(day.year, day.month, day.day, 9, tzinfo=clock.BEIJING)
    return max(morning, now)


# ---- correction 补正 ------------------------------------------------------------------------------------------------


def asked_materials(review: Mapping[str, Any]) -> list[str]:
    """The materials that the last review asks to be corrected."""
    return [material for material, verdict in (review.get("verdicts") or {}).items() if verdict == "correct"]


def asked_fields(review: Mapping[str, Any]) -> list[str]:
    """The fields that may be corrected: those asked for, and the dates that belong to a material asked for."""
    asked = [name for name in review.get("fix_fields") or () if name in FIELDS]
    for material, name in (("accounts", "fiscal_year"), ("credit_report", "credit_report_on")):
        if material in asked_materials(review) and name not in asked:
            asked.append(name)
    return asked


def check_correction(session: Session, item: FilingItem, data: Mapping[str, Any], now: datetime) -> Errors:
    """What keeps a correction from being handed in: only what was asked for is judged (4.6.1)."""
    found, merged = Checked(), corrected(item, data)
    if item.correction_due_at and now >= item.correction_due_at:  # the worker that lets it lapse may be late
        found.add("", _("补正期限已于%(due)s届满，不能再提交。", due=due_words(item)))
        return found.errors
    filings.lock_unit(session, item.filing.lead_unit)
    known = Known.load(session, item.filing.lead_unit, [merged], item.id)
    today = now.astimezone(clock.BEIJING).date()
    all_checks = Checked()
    filed = as_date(item.filing.submitted_at)  # also in January: 上年度 is the filing's
    filing_checks.check_enterprise(all_checks, "e", merged, known, today, filed)
    asked = {*asked_materials(item.review), *asked_fields(item.review)}
    for path, sentences in all_checks.errors.items():
        name = path.removeprefix("e.")
        if name in asked:
            found.errors[name] = sentences
    for material in asked_materials(item.review):
        fresh = [str(i) for i in filing_checks.material_ids(data, material)]
        if not fresh or set(fresh) <= set(item.materials.get(material) or ()):
            found.add(material, _("请上传补正后的%(label)s。", label=MATERIALS[material]))
    return found.errors


def corrected(item: FilingItem, data: Mapping[str, Any]) -> dict[str, Any]:
    """The enterprise as it would stand with the correction: nothing but what was asked for changes."""
    merged = as_filled(item)
    for name in asked_fields(item.review):
        if data.get(name) not in (None, ""):
            merged[name] = data[name]
    for material in asked_materials(item.review):
        if data.get(material):
            merged[material] = list(data[material])
    return merged


def as_filled(item: FilingItem) -> dict[str, Any]:
    """An enterprise's row in the shape of the filing form."""
    names = (*FIELDS, "id_kind", "interpretation_id")
    values = {name: getattr(item, name) for name in names}
    return {**values, **item.materials, "no_accounts": not item.materials.get("accounts") and item.fiscal_year is None}


def accept_correction(
    session: Session,
    item: FilingItem,
    data: Mapping[str, Any],
    *,
    actor: Actor | None,
    instance_id: UUID,
    now: datetime,
) -> None:
    """Take a correction over and bring the enterprise before the reviewers again, with fresh warnings."""
    filings.take_over(item, corrected(item, data))
    today = now.astimezone(clock.BEIJING).date()
    (item.warnings,) = filing_checks.warnings(session, item.filing.lead_unit, [item], today)
    item.correction_due_at = None
    filings.change_status(session, item, "review", actor=actor, instance_id=instance_id)


def check_results(item: FilingItem) -> dict[str, list[tuple[bool, str]]]:
    """What the automatic checks say of each material, for the reviewer: [(fine, sentence)]."""
    code = (True, _("信用代码校验位相符"))
    if item.id_kind == "resident":
        identity = (checks.id_number(item.id_number) is None, _("身份证号校验位相符"))
    else:
        identity = (True, _("其他身份证件，依据解释办理"))
    accounts = (
        (True, _("财务材料年度为 %(year)s 年", year=item.fiscal_year))
        if item.fiscal_year
        else (True, _("没有上年度财务材料，依据解释办理"))
    )
    day = item.credit_report_on.isoformat() if item.credit_report_on else ""
    old = [warning["text"] for warning in item.warnings if warning.get("code") == "old_report"]
    report = (False, old[0]) if old else (True, _("报告日期 %(day)s，在期限内", day=day))
    return {"licence": [code], "identity": [identity], "accounts": [accounts], "credit_report": [report]}


def verdict_rows(review: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """The verdicts of a review as rows of a table."""
    requests = review.get("requests") or {}
    return [
        {
            "material": MATERIALS[material],
            "verdict": VERDICTS.get(verdict or "", "—"),
            "request": as_text(requests.get(material)),
        }
        for material, verdict in ((m, (review.get("verdicts") or {}).get(m)) for m in MATERIALS)
    ]
