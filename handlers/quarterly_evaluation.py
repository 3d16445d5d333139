"""`quarterly_evaluation` 季度绩效评价: one round (3.2, 3.3), its units' cases opened in the background."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from webapp import clock, db
from webapp.documents import rendering, service
from webapp.engine.handler_api import (
    Block,
    CancelContext,
    CasePanel,
    CasePanelContext,
    ExternalContext,
    FormContext,
    FormData,
    HandlerContext,
    StartContext,
    StartPlan,
    canceller,
    case_panel,
    handler,
    provider,
    starter,
    validator,
)
from webapp.errors import Conflict
from webapp.i18n import _
from webapp.registers import evaluation_arrangements as arrangements
from webapp.registers import evaluation_labels as words
from webapp.registers import evaluation_reports as reports
from webapp.registers import evaluation_rounds as rounds
from webapp.registers import evaluation_scoring as scoring
from webapp.registers import evaluation_voiding as voiding
from webapp.registers import round_figures as figures
from webapp.registers import supervision
from webapp.registers.evaluation_models import EvaluationRound
from webapp.registers.models import LeadUnit
from webapp.registers.values import as_text, key, zh_date


def _round(ctx: FormContext | HandlerContext | CancelContext) -> EvaluationRound:
    return rounds.get(ctx.session, key(ctx.variables["round_id"]))


@starter("quarterly_evaluation")
def begin(ctx: StartContext) -> StartPlan:
    """By the office, once for each quarter."""
    made = rounds.register(ctx.session, ctx.instance_id, ctx.variables, ctx.actor)
    variables = {"round_id": str(made.id), "quarter_words": words.quarter(made.year, made.quarter)}
    return StartPlan(variables=variables, business_key=made.number)


@canceller("quarterly_evaluation")
def give_up(ctx: CancelContext) -> None:
    """Before its indicators are served, or when it was voided whole: else every unit gets its conclusion (3.3.2)."""
    round_ = _round(ctx)
    if round_.voided_at is not None:
        return
    if round_.frozen_at is not None:
        raise Conflict(_("评价指标已下发，不能直接终止：每家牵引单位都须有评价结论（3.3.2）。"))
    ctx.session.delete(round_)


@provider("quarterly_evaluation.indicators")
def indicators_form(ctx: FormContext) -> FormData:
    """The set as it was drafted, or the standard one; the figures that a formula may name; the panel."""
    given = ctx.variables
    panel = [{"value": a.username, "label": a.name} for a in rounds.experts(ctx.session)]
    figures = [{"value": name, "label": str(label)} for name, label in scoring.FIGURES.items()]
    data = {
        "indicators": given.get("indicators") or scoring.standard_set(),
        "experts": given.get("experts") or [],
        "indicators_words": given.get("indicators_words"),
    }
    returned = as_text(given.get("approve_opinion")) if given.get("approve_decision") == "return" else ""
    context = {"quarter_words": given["quarter_words"], "figure_rows": figures, "return_words": returned}
    return FormData(data=data, options={"figures": figures, "panel": panel}, context=context)


@validator("quarterly_evaluation.indicators")
def indicators(ctx: FormContext) -> Mapping[str, Any]:
    """Five dimensions above zero, weights of 100, formulas over register figures (3.2, 3.3.2)."""
    return rounds.check(ctx.session, ctx.data)


@provider("quarterly_evaluation.approve")
def approve_form(ctx: FormContext) -> FormData:
    """The set as it will be served."""
    given = ctx.variables
    names = {account.username: account.name for account in rounds.experts(ctx.session)}
    frozen = scoring.frozen(given["indicators"])
    rows = [
        {
            "dimension": str(words.DIMENSION[row["dimension"]][0]),
            "label": row["label"],
            "weight": row["weight"],
            "how": scoring.formula_words(row["formula"])
            if row["kind"] == "computed"
            else _("专家评分：%(words)s", words=row["criteria"]),
            "base": str(scoring.FIGURES[row["base"]]) if row["base"] else "",
        }
        for row in frozen
    ]
    context = {
        "quarter_words": given["quarter_words"],
        "rows": rows,
        "weight_sum": f"{sum(float(row['weight']) for row in frozen):g}",
        "expert_names": "、".join(names.get(name, name) for name in given["experts"]),
    }
    return FormData(context=context)


@validator("quarterly_evaluation.approve")
def approve(ctx: FormContext) -> Mapping[str, Any]:
    """A return says why; what is approved still holds."""
    if ctx.outcome == "return":
        return {} if as_text(ctx.data.get("approve_opinion")) else {"approve_opinion": _("请写明退回修改的理由。")}
    found = rounds.check(ctx.session, ctx.variables)
    return {"": [*found.values(), _("请退回修改。")]} if found else {}


@handler(
    "round.freeze",
    inputs={"round_id": "本次评价", "indicators": "评价指标", "experts": "评审专家"},
    outputs={"opens_at": "自动开启材料报送的时刻"},
)
def freeze(ctx: HandlerContext) -> Mapping[str, Any]:
    """固定评价指标，送达各牵引单位（3.3.2）；季度结束后首个工作日开启材料报送（3.3.1）。"""
    round_ = _round(ctx)
    opens_at = rounds.freeze(ctx.session, round_, ctx.variables, ctx.now)
    arrangements.serve_indicators(ctx.session, round_, ctx.now)
    return {"opens_at": opens_at}


@provider("quarterly_evaluation.open")
def open_form(ctx: FormContext) -> FormData:
    """How many units would report, and when it opens by itself."""
    quarter = rounds.quarter(_round(ctx))
    units = ctx.session.scalar(select(func.count()).where(LeadUnit.status == "listed"))
    context = {
        "quarter_words": ctx.variables["quarter_words"],
        "ends_on": zh_date(quarter.end),
        "opens_on": zh_date(ctx.variables["opens_at"]),
        "units": units,
    }
    chosen = {"checks": list(supervision.USUAL)}
    return FormData(data=chosen, options={"forms": supervision.options()}, context=context)


@validator("quarterly_evaluation.open")
def open_now(ctx: FormContext) -> Mapping[str, Any]:
    """By hand only once the quarter has ended; supervision takes several forms (3.2)."""
    quarter, chosen = rounds.quarter(_round(ctx)), ctx.data.get("checks")
    if ctx.now.astimezone(clock.BEIJING).date() <= quarter.end:
        return {"": _("本季度到 %(day)s 才结束，尚不能开启材料报送。", day=zh_date(quarter.end))}
    wrong = "" if chosen is None else supervision.check_order(chosen)
    return {"checks": wrong} if wrong else {}


@handler("round.open_units", inputs={"round_id": "本次评价"})
def open_units(ctx: HandlerContext) -> None:
    """登记每家在册牵引单位，在后台逐家开启评价（3.3.1）。"""
    round_ = rounds.locked(ctx.session, key(ctx.variables["round_id"]))
    rounds.begin(ctx.session, round_, ctx.now)
    supervision.order_for_round(ctx.session, round_, ctx.variables.get("checks"))
    ctx.enqueue("round.open_cases", {"round_id": str(round_.id)})


@handler("round.open_cases", external=True, inputs={"round_id": "本次评价"}, time_limit=1800)
def open_cases(ctx: ExternalContext) -> None:
    """分批开启各单位的评价，每批一个事务；中断后重来只开启尚未开启的。"""
    open_all(key(ctx.variables["round_id"]))


def open_all(round_id: UUID) -> None:
    """Open every case that is not open yet, batch by batch; each is seen on the round's page as it commits."""
    while db.retrying(lambda session: rounds.open_some(session, round_id)):
        pass


@handler("round.end_cases", external=True, inputs={"round_id": "本次评价"})
def end_cases(ctx: ExternalContext) -> None:
    """整体作废后，分批终止各单位的评价，案卷中写明理由（3.2）。"""
    voiding.end_all(key(ctx.variables["round_id"]))


@handler("round.compile", inputs={"round_id": "本次评价"})
def compile_results(ctx: HandlerContext) -> None:
    """各单位均有结论，汇总评价结果（3.2）。"""
    rounds.get(ctx.session, key(ctx.variables["round_id"])).status = "settled"


@provider("quarterly_evaluation.report")
def report_form(ctx: FormContext) -> FormData:
    """The ranking and the distribution, as the report will show them."""
    round_ = _round(ctx)
    found = figures.report(ctx.session, round_)
    ranking = [
        {
            "rank": line.rank or "—",
            "name": line.result.lead_unit.name,
            "total": "—" if line.result.total is None else str(line.result.total),
            "grade": str(words.GRADE[line.result.grade][0]) if line.result.grade else "—",
        }
        for line in found.lines
    ]
    grades = [{"grade": str(words.GRADE[g][0]), "count": n} for g, n in found.grades.items()]
    mean = "—" if found.mean is None else str(found.mean)
    context = {"quarter_words": ctx.variables["quarter_words"], "mean": mean, "ranking": ranking, "grades": grades}
    return FormData(context=context)


@handler("round.close", inputs={"round_id": "本次评价"})
def close(ctx: HandlerContext) -> None:
    """归档，编文号，并制作评价报告的 PDF、DOCX 和 XLSX（3.2）。"""
    rounds.close(ctx.session, _round(ctx), ctx.actor, ctx.now)
    ctx.enqueue("round.report", {"round_id": ctx.variables["round_id"]})


@handler("round.report", external=True, inputs={"round_id": "本次评价"})
def make_report(ctx: ExternalContext) -> None:
    """制作季度评价报告的 PDF、DOCX 和 XLSX，数字与页面相同。"""
    with db.transaction() as session:
        round_ = rounds.get(session, key(ctx.variables["round_id"]))
        if round_.pdf_id is not None:
            return
        data, case, name = reports.data(session, round_), round_.instance_id, reports.filename(round_)
        workbook = reports.workbook(session, round_)
    made = {kind: rendering.render("evaluation_report", data, kind) for kind in rendering.MEDIA_TYPES}
    made["xlsx"] = workbook
    types = {**rendering.MEDIA_TYPES, "xlsx": reports.XLSX}
    with db.transaction() as session:
        round_ = rounds.locked(session, key(ctx.variables["round_id"]))
        if round_.pdf_id is not None:
            return
        for suffix, content in made.items():
            document = service.store_made(
                session,
                kind="evaluation_report",
                filename=f"{name}.{suffix}",
                media_type=types[suffix],
                content=content,
                instance_id=case,
                root_instance_id=case,
                made_from={"template": "evaluation_report", "data": data},
            )
            setattr(round_, f"{suffix}_id", document.id)


@case_panel("quarterly_evaluation")
def round_file(ctx: CasePanelContext) -> CasePanel:
    """Where the round stands."""
    round_ = ctx.session.get(EvaluationRound, key(ctx.variables["round_id"]))
    if round_ is None:
        return CasePanel()
    opens = datetime.combine(rounds.opens_at(rounds.quarter(round_)).date(), time(9))
    facts = [
        (_("季度"), words.quarter(round_.year, round_.quarter), f"/rounds/{round_.id}"),
        (_("状态"), str(words.ROUND[round_.status][0]), None),
        (_("开启材料报送"), zh_date(round_.opened_at or opens), None),
        (_("牵引单位"), _("%(n)s 家，已审定 %(done)s 家", n=round_.total_units, done=round_.settled_units), None),
    ]
    made = [document for document in (round_.pdf_id, round_.docx_id, round_.xlsx_id) if document]
    return CasePanel(blocks=[Block("facts", title=_("评价概要"), items=facts)], documents=made)
