"""`partner_filing` 新增产业生态联合体企业备案 (4.6.1, 4.6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp import clock
from webapp.accounts import settings_service
from webapp.engine.handler_api import (
    CancelContext,
    FormContext,
    FormData,
    HandlerContext,
    StartContext,
    StartPlan,
    canceller,
    handler,
    provider,
    starter,
    validator,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.ids import uuid7
from webapp.registers import filing_checks, filings, interpretations, numbers
from webapp.registers.models import Filing, LeadUnit
from webapp.registers.values import as_date, as_text, key


@starter("partner_filing")
def open_filing(ctx: StartContext) -> StartPlan:
    """A listed lead unit opens a filing under its own name; its number is taken at once (1.2, 4.6, 5.2)."""
    today = as_date(ctx.now) or ctx.now.date()
    unit = filings.unit_that_may_file(ctx.session, ctx.actor, today)
    return StartPlan(
        variables={
            "filing_id": str(uuid7()),
            "lead_unit_id": str(unit.id),
            "lead_unit_name": unit.name,
            "enterprise_count": 0,
        },
        business_key=numbers.case_number(ctx.session, "BA", today.year),
        org_id=unit.organisation_id,
    )


@canceller("partner_filing")
def give_up(ctx: CancelContext) -> None:
    """A draft may be dropped; a submitted filing ends when each of its enterprises has an outcome (4.6.3).

    When the lead unit is expelled (4.4), they have one at once, and the register has closed the filing before.
    """
    filing = ctx.session.get(Filing, key(ctx.variables["filing_id"]))
    if filing is not None and filing.status != "closed":
        raise Conflict(_("备案已提交，不能直接终止：每家企业都须有审核或者公示的结果（4.6.2、4.6.3）。"))


def _unit(ctx: FormContext | HandlerContext) -> LeadUnit:
    unit = ctx.session.get(LeadUnit, key(ctx.variables["lead_unit_id"]))
    assert unit is not None
    return unit


@provider("partner_filing.prepare")
def prepare(ctx: FormContext) -> FormData:
    """The interpretations that may be cited, and what the head wrote when sending it back."""
    returned = ctx.variables.get("confirm_decision") == "return"
    return FormData(
        options={"interpretations": interpretations.options(ctx.session)},
        context={
            "return_words": as_text(ctx.variables.get("confirm_opinion")) if returned else "",
            "last_year": (as_date(ctx.now) or ctx.now.date()).year - 1,
            "report_age": settings_service.get(ctx.session, "credit_report_max_age"),
        },
    )


@validator("partner_filing.check")
def check(ctx: FormContext) -> Mapping[str, Any]:
    """The automatic checks before submission (4.6.1)."""
    return _check(ctx, ctx.data)


def _check(ctx: FormContext, data: Mapping[str, Any]) -> dict[str, list[str]]:
    unit = _unit(ctx)
    errors = filing_checks.check_filing(ctx.session, unit, data, ctx.now.astimezone(clock.BEIJING).date())
    if unit.status != "listed":
        errors.setdefault("", []).append(_("%(unit)s不在牵引单位名单中，不能提交备案。", unit=unit.name))
    return errors


@provider("partner_filing.confirm")
def confirm_form(ctx: FormContext) -> FormData:
    """The filing as the staff prepared it, to be read."""
    names = ("need", "programme", "enterprises")
    return FormData(
        data={name: ctx.variables.get(name) for name in names},
        options={"interpretations": interpretations.options(ctx.session)},
    )


@validator("partner_filing.confirm")
def confirm(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; a submission passes every check again: days may lie between the two (4.6.1)."""
    if ctx.outcome == "return":
        if not as_text(ctx.data.get("confirm_opinion")):
            return {"confirm_opinion": _("请写明退回修改的理由，将原文告知填报人。")}
        return {}
    filings.lock_unit(ctx.session, _unit(ctx))  # of two filings with one enterprise the second is told
    errors = _check(ctx, ctx.variables)
    if not errors:
        return {}
    places = "；".join(sentence for sentences in errors.values() for sentence in sentences)
    return {**errors, "": _("自动检查没有通过，请退回修改：%(why)s", why=places)}


@handler(
    "filing.register",
    inputs={"filing_id": "备案的标识", "need": "改造需求", "programme": "适用项目", "enterprises": "各企业填报的内容"},
    outputs={"item_ids": "各企业在备案中的标识"},
)
def register(ctx: HandlerContext) -> Mapping[str, Any]:
    """登记备案与各企业，写明审核人须知的情况（4.6.1）。"""
    filing = filings.register(
        ctx.session,
        _unit(ctx),
        filing_id=key(ctx.variables["filing_id"]),
        number=ctx.business_key or "",
        instance_id=ctx.instance_id,
        data=ctx.variables,
        actor=ctx.actor,
        now=ctx.now,
    )
    return {"item_ids": [str(item.id) for item in filing.items]}


@handler("filing.start_reviews", inputs={"filing_id": "备案的标识"})
def start_reviews(ctx: HandlerContext) -> None:
    """为每家企业各开一件审核案（4.6.2），一家退回不影响其他企业。"""
    filing = filings.get(ctx.session, key(ctx.variables["filing_id"]))
    for item in filing.items:
        item.instance_id = ctx.start_instance(
            "enterprise_review",
            {
                "filing_id": str(filing.id),
                "item_id": str(item.id),
                "lead_unit_name": filing.lead_unit.name,
                "enterprise_name": item.name,
                "credit_code": item.credit_code,
            },
            business_key=f"{filing.number}-{item.seq:02d}",
            org_id=filing.lead_unit.organisation_id,
        )


@handler("filing.close", inputs={"filing_id": "备案的标识"}, outputs={"outcome_counts": "各种结果的企业数，按结果"})
def close(ctx: HandlerContext) -> Mapping[str, Any]:
    """每家企业都有结果后办结备案（4.6.3）。"""
    filing = filings.locked(ctx.session, key(ctx.variables["filing_id"]))
    counts = filings.close(ctx.session, filing, actor=ctx.actor, instance_id=ctx.instance_id, now=ctx.now)
    return {"outcome_counts": counts}
