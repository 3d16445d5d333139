"""`change_review` 变更申请定期审核 (4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.engine.handler_api import (
    FormContext,
    FormData,
    HandlerContext,
    StartContext,
    StartPlan,
    handler,
    provider,
    starter,
    validator,
)
from webapp.i18n import _
from webapp.registers import change_reviews, numbers
from webapp.registers.models import RegisterChange
from webapp.registers.values import as_date, as_text


@starter("change_review")
def open_review(ctx: StartContext) -> StartPlan:
    """Opened by its timer or called by the office."""
    today = as_date(ctx.now) or ctx.now.date()
    month = _("%(year)s 年 %(month)s 月", year=today.year, month=today.month)
    return StartPlan(variables={"review_month": month}, business_key=numbers.case_number(ctx.session, "BG", today.year))


@handler(
    "change_review.gather",
    outputs={
        "summary": "在办备案、变更与退出",
        "meeting_at": "首个工作日 9 时",
        "review_due": "是否到期（每几个月审核一次为工作口径；临时召集的总是审核）",
    },
)
def gather(ctx: HandlerContext) -> Mapping[str, Any]:
    """汇总上次审核以来的备案、变更与退出。"""
    today = as_date(ctx.now) or ctx.now.date()
    since = change_reviews.last_review(ctx.session, today)
    return {
        "since": since.isoformat(),
        "summary": change_reviews.summary(ctx.session, since),
        "meeting_at": change_reviews.meeting_at(ctx.now),
        "review_due": ctx.actor is not None or change_reviews.is_due(ctx.session, today),
    }


@provider("change_review.review")
def review_form(ctx: FormContext) -> FormData:
    """The same summary as of the moment at which the task is opened."""
    since = as_date(ctx.variables.get("since"))
    return FormData(
        context=change_reviews.summary(ctx.session, since or change_reviews.last_review(ctx.session, ctx.now.date()))
    )


@validator("change_review.review")
def review(ctx: FormContext) -> Mapping[str, Any]:
    """Who reviewed, and with what result."""
    missing = {"attendees": _("请填写参加人员。"), "conclusion": _("请写明审核情况与结论。")}
    return {name: words for name, words in missing.items() if not as_text(ctx.data.get(name))}


@handler(
    "change_review.record",
    inputs={"attendees": "参加人员", "conclusion": "结论", "follow_up": "督办事项", "summary": "汇总"},
)
def record(ctx: HandlerContext) -> None:
    """登记审核结果（4.7）。"""
    given = ctx.variables
    after = {name: as_text(given.get(name)) for name in ("attendees", "conclusion", "follow_up")}
    ctx.session.add(
        RegisterChange(
            register="change_review",
            entry_id=ctx.instance_id,
            at=ctx.now,
            actor_id=ctx.actor.id if ctx.actor else None,
            instance_id=ctx.instance_id,
            action="reviewed",
            before=None,
            after={**after, "number": ctx.business_key},
        )
    )
