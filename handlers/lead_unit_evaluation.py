"""`lead_unit_evaluation` 一家牵引单位的季度评价 (3.3): its panel and what leaving means.

Its service tasks and forms stand in the modules of its stories: `evaluation_reporting` (3.3.1), `evaluation_checks`
(3.2), `evaluation_judging` and `evaluation_concluding` (3.3.2).
"""

from __future__ import annotations

from webapp.engine.handler_api import (
    CancelContext,
    CasePanel,
    CasePanelContext,
    FormContext,
    HandlerContext,
    canceller,
    case_panel,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.registers import evaluation_units as units
from webapp.registers import questionnaires, supervision_panel
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.values import key


def result_of(ctx: FormContext | HandlerContext | CancelContext | CasePanelContext) -> EvaluationResult:
    """The result that this case is about."""
    return units.get(ctx.session, key(ctx.variables["result_id"]))


@canceller("lead_unit_evaluation")
def leave(ctx: CancelContext) -> None:
    """Only a unit that has left the list, or with a voided round; the others need a conclusion (3.3.2)."""
    result = result_of(ctx)
    if result.lead_unit.status == "listed" and result.round.voided_at is None:
        raise Conflict(_("在册牵引单位的评价不能直接终止：须有评价结论（3.3.2）。"))
    questionnaires.close(ctx.session, result.id, ctx.now)
    units.leave(ctx.session, result, ctx.reason, ctx.actor, ctx.now)


@case_panel("lead_unit_evaluation")
def unit_file(ctx: CasePanelContext) -> CasePanel:
    """The unit's result so far; before it is told, the unit sees where its case stands and no more."""
    return supervision_panel.unit_file(ctx.session, result_of(ctx), ctx.actor)
