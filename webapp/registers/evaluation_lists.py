"""The registers of quarterly evaluation (3.1–3.3) as lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import contains_eager

from webapp.engine.handler_api import Actor
from webapp.i18n import _, lazy
from webapp.registers import evaluation_labels as words
from webapp.registers import labels, queries
from webapp.registers.evaluation_models import (
    Commitment,
    EvaluationResult,
    EvaluationRound,
    PilotEnterprise,
    RetrofitProject,
)
from webapp.registers.listing import Column, Register, View
from webapp.registers.lists import UNIT
from webapp.registers.models import LeadUnit

Args = Mapping[str, str]
#: A result whose round was not voided.
STANDS = EvaluationResult.status != "voided"


def _pilots(actor: Actor, _args: Args) -> Select[Any]:
    query = select(PilotEnterprise).outerjoin(PilotEnterprise.lead_unit)
    return query.options(contains_eager(PilotEnterprise.lead_unit)).where(queries.scope(actor))


def results_scope(actor: Actor) -> ColumnElement[bool]:
    """A lead unit reads its own results, once they are settled; the working group's side reads all."""
    return true() if queries.sees_all(actor) else EvaluationResult.settled_at.isnot(None)


PILOTS = Register(
    "pilots",
    lazy("试点企业"),
    lazy("纳入拟改造企业名单的企业（第 1.3 条）和为其服务的牵引单位。"),
    lazy("企业纳入试点名单后显示在这里。"),
    _pilots,
    (
        Column(
            "name",
            lazy("企业名称"),
            lambda r: r.PilotEnterprise.name,
            url=lambda r: url_for("evaluation.pilot", entry_id=r.PilotEnterprise.id),
            meta=lambda r: r.PilotEnterprise.industry,
            sort=PilotEnterprise.name,
        ),
        Column(
            "credit_code", lazy("统一社会信用代码"), lambda r: r.PilotEnterprise.credit_code, "code", narrow_hide=True
        ),
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.PilotEnterprise.lead_unit.name if r.PilotEnterprise.lead_unit else "",
            sort=LeadUnit.name,
        ),
        Column(
            "programme",
            lazy("试点类别"),
            lambda r: labels.word(labels.PROGRAMME, r.PilotEnterprise.programme),
            narrow_hide=True,
        ),
        Column("district", lazy("所在区"), lambda r: r.PilotEnterprise.district, narrow_hide=True),
        Column(
            "listed_on",
            lazy("纳入日期"),
            lambda r: r.PilotEnterprise.listed_on,
            "date",
            sort=PilotEnterprise.listed_on,
        ),
    ),
    (
        View("current", lazy("在册"), PilotEnterprise.until.is_(None)),
        View("national", lazy("国家级"), PilotEnterprise.programme == "national"),
        View("provincial", lazy("省级"), PilotEnterprise.programme == "provincial"),
        View("all", lazy("全部")),
    ),
    (PilotEnterprise.name, PilotEnterprise.credit_code, PilotEnterprise.industry),
    (PilotEnterprise.name, PilotEnterprise.id),
    choices=(UNIT,),
)


def _projects(actor: Actor, _args: Args) -> Select[Any]:
    query = select(RetrofitProject).join(RetrofitProject.lead_unit).join(RetrofitProject.pilot_enterprise)
    loaded = contains_eager(RetrofitProject.lead_unit), contains_eager(RetrofitProject.pilot_enterprise)
    return query.options(*loaded).where(queries.scope(actor))


PROJECTS = Register(
    "projects",
    lazy("改造项目"),
    lazy("试点企业的改造项目和合同；改造后数字化水平应达到二级及以上（第 2.2.5 条）。"),
    lazy("改造合同签订后显示在这里。"),
    _projects,
    (
        Column(
            "number",
            lazy("编号"),
            lambda r: r.RetrofitProject.number,
            url=lambda r: url_for("evaluation.project", entry_id=r.RetrofitProject.id),
            meta=lambda r: r.RetrofitProject.title,
            sort=RetrofitProject.number,
        ),
        Column("pilot", lazy("试点企业"), lambda r: r.RetrofitProject.pilot_enterprise.name, sort=PilotEnterprise.name),
        Column("lead_unit", lazy("牵引单位"), lambda r: r.RetrofitProject.lead_unit.name, narrow_hide=True),
        Column(
            "signed_on",
            lazy("签订日期"),
            lambda r: r.RetrofitProject.signed_on,
            "date",
            sort=RetrofitProject.signed_on,
            narrow_hide=True,
        ),
        Column(
            "amount",
            lazy("合同金额（万元）"),
            lambda r: r.RetrofitProject.contract_amount,
            "num",
            sort=RetrofitProject.contract_amount,
        ),
        Column(
            "levels",
            lazy("水平"),
            lambda r: words.levels(r.RetrofitProject.level_before, r.RetrofitProject.level_after),
            narrow_hide=True,
        ),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(words.PROJECT, r.RetrofitProject.status),
            "badge",
            tone=lambda r: labels.tone(words.PROJECT, r.RetrofitProject.status),
        ),
    ),
    (
        View("open", lazy("未完成"), RetrofitProject.done_on.is_(None)),
        View("done", lazy("已完成"), RetrofitProject.done_on.isnot(None)),
        View("accepted", lazy("已验收"), RetrofitProject.status == "accepted"),
        View("failed", lazy("验收未通过"), RetrofitProject.status == "failed", "over"),
        View("all", lazy("全部")),
    ),
    (RetrofitProject.number, RetrofitProject.title, RetrofitProject.contract_number, PilotEnterprise.name),
    (RetrofitProject.signed_on.desc(), RetrofitProject.id.desc()),
    choices=(UNIT,),
)


def _commitments(actor: Actor, _args: Args) -> Select[Any]:
    query = select(Commitment).join(Commitment.lead_unit)
    return query.options(contains_eager(Commitment.lead_unit)).where(queries.scope(actor))


COMMITMENTS = Register(
    "commitments",
    lazy("绩效任务书"),
    lazy("牵引单位签订的年度绩效任务书及其指标（第 3.1 条）；补充约定是新的一版。"),
    lazy("任务书签订后显示在这里。"),
    _commitments,
    (
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.Commitment.lead_unit.name,
            url=lambda r: url_for("evaluation.commitment", entry_id=r.Commitment.id),
            sort=LeadUnit.name,
        ),
        Column("year", lazy("年度"), lambda r: r.Commitment.year, "num", sort=Commitment.year),
        Column("version", lazy("版次"), lambda r: r.Commitment.version, "num"),
        Column("from", lazy("自第几季度起"), lambda r: r.Commitment.effective_quarter, "num", narrow_hide=True),
        Column("indicators", lazy("指标数"), lambda r: len(r.Commitment.indicators), "num", narrow_hide=True),
        Column("signed_on", lazy("签订日期"), lambda r: r.Commitment.signed_on, "date", sort=Commitment.signed_on),
    ),
    (View("all", lazy("全部")),),
    (LeadUnit.name, LeadUnit.credit_code),
    (Commitment.year.desc(), LeadUnit.name, Commitment.version.desc()),
    choices=(UNIT,),
)

ROUNDS = Register(
    "rounds",
    lazy("季度评价"),
    lazy("工作小组每季度对牵引单位开展的绩效评价（第 3.2 条）。"),
    lazy("办公室发起季度评价后显示在这里。"),
    lambda _actor, _args: select(EvaluationRound),
    (
        Column(
            "quarter",
            lazy("季度"),
            lambda r: words.quarter(r.EvaluationRound.year, r.EvaluationRound.quarter),
            url=lambda r: url_for("rounds.round_page", round_id=r.EvaluationRound.id),
            meta=lambda r: r.EvaluationRound.number,
            sort=EvaluationRound.number,
        ),
        Column("units", lazy("牵引单位"), lambda r: r.EvaluationRound.total_units, "num"),
        Column("settled", lazy("已审定"), lambda r: r.EvaluationRound.settled_units, "num"),
        Column("opened_at", lazy("开启"), lambda r: r.EvaluationRound.opened_at, "date", narrow_hide=True),
        Column("due", lazy("报送期限"), lambda r: r.EvaluationRound.report_due_at, "date", narrow_hide=True),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(words.ROUND, r.EvaluationRound.status),
            "badge",
            tone=lambda r: labels.tone(words.ROUND, r.EvaluationRound.status),
        ),
    ),
    (
        View("all", lazy("全部")),
        View("running", lazy("办理中"), EvaluationRound.closed_at.is_(None) & EvaluationRound.voided_at.is_(None)),
        View("closed", lazy("已办结"), EvaluationRound.closed_at.isnot(None) & EvaluationRound.voided_at.is_(None)),
        View("voided", lazy("已作废"), EvaluationRound.voided_at.isnot(None)),
    ),
    (EvaluationRound.number,),
    (EvaluationRound.year.desc(), EvaluationRound.quarter.desc()),
    actions=lambda actor: (
        [{"label": _("发起季度评价"), "url": url_for("inbox.start_page", key="quarterly_evaluation")}]
        if "office" in actor.roles
        else []
    ),
)


def _results(actor: Actor, _args: Args) -> Select[Any]:
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).join(EvaluationResult.round)
    loaded = contains_eager(EvaluationResult.lead_unit), contains_eager(EvaluationResult.round)
    return query.options(*loaded).where(queries.scope(actor), results_scope(actor))


RESULTS = Register(
    "results",
    lazy("评价结果"),
    lazy("各牵引单位的季度绩效评价结论（第 3.3.2 条）和下一阶段工作安排（第 3.2 条）。"),
    lazy("评价结论审定后显示在这里。"),
    _results,
    (
        Column(
            "lead_unit",
            lazy("牵引单位"),
            lambda r: r.EvaluationResult.lead_unit.name,
            url=lambda r: url_for("evaluation.result", entry_id=r.EvaluationResult.id),
            sort=LeadUnit.name,
        ),
        Column(
            "quarter",
            lazy("季度"),
            lambda r: words.quarter(r.EvaluationResult.round.year, r.EvaluationResult.round.quarter),
        ),
        Column("total", lazy("得分"), lambda r: r.EvaluationResult.total, "num", sort=EvaluationResult.total),
        Column(
            "grade",
            lazy("等次"),
            lambda r: labels.word(words.GRADE, r.EvaluationResult.grade),
            "badge",
            tone=lambda r: labels.tone(words.GRADE, r.EvaluationResult.grade),
        ),
        Column(
            "status",
            lazy("状态"),
            lambda r: labels.word(words.RESULT, r.EvaluationResult.status),
            "badge",
            tone=lambda r: labels.tone(words.RESULT, r.EvaluationResult.status),
            narrow_hide=True,
        ),
        Column(
            "settled_at",
            lazy("审定时间"),
            lambda r: r.EvaluationResult.settled_at,
            "date",
            sort=EvaluationResult.settled_at,
            narrow_hide=True,
        ),
    ),
    (
        View("settled", lazy("已审定"), EvaluationResult.settled_at.isnot(None) & STANDS),
        View("failed", lazy("不合格"), (EvaluationResult.grade == "fail") & STANDS, "over"),
        View("running", lazy("办理中"), EvaluationResult.settled_at.is_(None) & STANDS),
        View("all", lazy("全部")),
    ),
    (LeadUnit.name, LeadUnit.credit_code),
    (EvaluationRound.year.desc(), EvaluationRound.quarter.desc(), LeadUnit.name),
    choices=(UNIT,),
    actions=lambda actor: (
        [{"label": _("评价指标和工作安排"), "url": url_for("served.newest")}]
        if not queries.sees_all(actor) and not actor.roles.isdisjoint(queries.SEE_OWN)
        else []
    ),
)


def title_of(result: EvaluationResult) -> str:
    """How a page names a result."""
    return _("%(quarter)s绩效评价", quarter=words.quarter(result.round.year, result.round.quarter))
