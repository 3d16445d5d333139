"""The registers of quarterly evaluation: pilot enterprises, projects, commitments, results; one page for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, render_template, url_for
from sqlalchemy import Select, select

from webapp import access, clock
from webapp.accounts import service as accounts
from webapp.errors import NotFound
from webapp.http import db_session
from webapp.i18n import _
from webapp.registers import (
    career,
    evaluation_labels,
    evaluation_lists,
    labels,
    pages,
    queries,
    supervision,
    supervision_panel,
)
from webapp.registers.evaluation_models import (
    Commitment,
    EvaluationConsequence,
    EvaluationResult,
    PilotEnterprise,
    RetrofitProject,
)
from webapp.registers.queries import SEE_ALL, SEE_OWN

T = TypeVar("T")
bp = Blueprint("evaluation", __name__, template_folder="templates", url_prefix="/registers")

pages.add_list(bp, evaluation_lists.PILOTS, "/pilots", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, evaluation_lists.PROJECTS, "/projects", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, evaluation_lists.COMMITMENTS, "/commitments", *SEE_ALL, *SEE_OWN)
pages.add_list(bp, evaluation_lists.RESULTS, "/results", *SEE_ALL, *SEE_OWN)


def _one(kind: type[T], query: Select[Any]) -> T:
    """The row as its register has it. Errors: NotFound, also when it is not theirs to see."""
    found: T | None = db_session().scalars(query).unique().one_or_none()
    if found is None:
        raise NotFound(_("没有找到该登记，或您无权查看。"))
    return found


def _unit(entry: PilotEnterprise | RetrofitProject | Commitment | EvaluationResult) -> dict[str, Any]:
    unit = entry.lead_unit
    return {
        "label": _("牵引单位"),
        "value": unit.name if unit else "",
        "url": url_for("registers.lead_unit", unit_id=unit.id) if unit else "",
    }


def _page(
    entry: Any,
    title: str,
    state: tuple[str, str],
    register: Any,
    facts: Sequence[dict[str, Any]],
    clause: str,
    tables: Sequence[dict[str, Any]] = (),
    notes: Sequence[tuple[str, str]] = (),
) -> str:
    """An entry with its facts, tables [{title, columns, rows, note}], notes, history, and the clause's words."""
    changes = queries.changes(db_session(), entry.__tablename__, [entry.id])
    return render_template(
        "registers/entry.html",
        title=title,
        state=state,
        register=register,
        list_url=url_for(f".{register.key}"),
        facts=facts,
        tables=tables,
        notes=[(label, text) for label, text in notes if text],
        changes=[
            {
                "at": change.at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M"),
                "action": labels.word(labels.ACTION, change.action),
                "who": who or _("系统"),
                "rows": [
                    {"label": field, "before": before, "after": after}
                    for field, before, after in (career.differences(change) if change.before else [])
                ],
            }
            for change, who in changes
        ],
        clause=clause,
        instance_id=getattr(entry, "instance_id", None),
        tabs=pages.tabs(f"/registers/{register.key}"),
    )


@bp.get("/pilots/<uuid:entry_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def pilot(entry_id: UUID) -> str:
    """One pilot enterprise with its projects."""
    scope = queries.scope(accounts.current_actor())
    query = select(PilotEnterprise).outerjoin(PilotEnterprise.lead_unit).where(PilotEnterprise.id == entry_id, scope)
    entry = _one(PilotEnterprise, query)
    found = select(RetrofitProject).where(RetrofitProject.pilot_enterprise_id == entry.id)
    rows = [
        [
            project.number,
            project.title,
            project.signed_on,
            evaluation_labels.levels(project.level_before, project.level_after),
            labels.word(evaluation_labels.PROJECT, project.status),
        ]
        for project in db_session().scalars(found.order_by(RetrofitProject.signed_on)).unique()
    ]
    facts = [
        _unit(entry),
        {"label": _("统一社会信用代码"), "value": entry.credit_code},
        {"label": _("试点类别"), "value": labels.word(labels.PROGRAMME, entry.programme)},
        {"label": _("行业"), "value": entry.industry},
        {"label": _("所在区"), "value": entry.district},
        {"label": _("联系人"), "value": " ".join(filter(None, [entry.contact, entry.phone]))},
        {"label": _("纳入日期"), "value": entry.listed_on},
        {"label": _("退出日期"), "value": entry.until or _("在册")},
    ]
    columns = [_("编号"), _("项目"), _("签订日期"), _("水平"), _("状态")]
    table = {"title": _("改造项目"), "columns": columns, "rows": rows, "note": ""}
    state = (_("退出"), "end") if entry.until else (_("在册"), "done")
    return _page(entry, entry.name, state, evaluation_lists.PILOTS, facts, "1.3", [table])


@bp.get("/projects/<uuid:entry_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def project(entry_id: UUID) -> str:
    """One retrofit project with its contract."""
    scope = queries.scope(accounts.current_actor())
    query = select(RetrofitProject).join(RetrofitProject.lead_unit).where(RetrofitProject.id == entry_id, scope)
    entry = _one(RetrofitProject, query)
    facts = [
        _unit(entry),
        {
            "label": _("试点企业"),
            "value": entry.pilot_enterprise.name,
            "url": url_for(".pilot", entry_id=entry.pilot_enterprise_id),
        },
        {"label": _("试点类别"), "value": labels.word(labels.PROGRAMME, entry.programme)},
        {"label": _("合同编号"), "value": entry.contract_number},
        {"label": _("合同金额（万元）"), "value": f"{entry.contract_amount.normalize():f}"},
        {"label": _("签订日期"), "value": entry.signed_on},
        {"label": _("约定完成日期"), "value": entry.due_on},
        {"label": _("完成日期"), "value": entry.done_on or ""},
        {"label": _("验收日期"), "value": entry.accepted_on or ""},
        {"label": _("数字化水平"), "value": evaluation_labels.levels(entry.level_before, entry.level_after)},
    ]
    words = evaluation_labels.PROJECT
    state = labels.word(words, entry.status), labels.tone(words, entry.status)
    return _page(entry, entry.title, state, evaluation_lists.PROJECTS, facts, "2.2.5")


@bp.get("/commitments/<uuid:entry_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def commitment(entry_id: UUID) -> str:
    """One signed version of an annual commitment, with the other versions of its year."""
    scope = queries.scope(accounts.current_actor())
    query = select(Commitment).join(Commitment.lead_unit).where(Commitment.id == entry_id, scope)
    entry = _one(Commitment, query)
    facts = [
        _unit(entry),
        {"label": _("年度"), "value": entry.year},
        {"label": _("版次"), "value": entry.version},
        {"label": _("自第几季度起"), "value": entry.effective_quarter},
        {"label": _("签订日期"), "value": entry.signed_on},
        {"label": _("牵引单位签字"), "value": entry.signed_by_unit},
        {"label": _("工作小组签字"), "value": entry.signed_by_group},
    ]
    rows = [
        [row["label"], row["target"], row["unit"], _("全年累计") if row["cumulative"] else _("每季度")]
        for row in entry.indicators
    ]
    table = {"title": _("指标"), "columns": [_("指标"), _("目标"), _("单位"), _("口径")], "rows": rows, "note": ""}
    title = _("%(year)s 年度绩效任务书", year=entry.year)
    return _page(entry, title, (_("已签订"), "done"), evaluation_lists.COMMITMENTS, facts, "3.1", [table])


@bp.get("/results/<uuid:entry_id>")
@access.roles(*SEE_ALL, *SEE_OWN)
def result(entry_id: UUID) -> str:
    """One unit's result in one round: scores, report, statement, arrangement, consequences."""
    actor = accounts.current_actor()
    query = select(EvaluationResult).join(EvaluationResult.lead_unit).where(EvaluationResult.id == entry_id)
    scope = queries.scope(actor), evaluation_lists.results_scope(actor)
    entry = _one(EvaluationResult, query.where(*scope))
    facts = [
        _unit(entry),
        {"label": _("报送时间"), "value": pages.beijing(entry.reported_at) + (_("（迟报）") if entry.late else "")},
        {
            "label": _("得分"),
            "value": entry.total if entry.total is not None else _("不适用") if entry.grade else _("未出"),
        },
        {"label": _("等次"), "value": labels.word(evaluation_labels.GRADE, entry.grade)},
        {"label": _("审定时间"), "value": pages.beijing(entry.settled_at)},
    ]
    notes = [
        (_("下一阶段工作安排"), entry.arrangement),
        (_("上一阶段工作安排的落实情况"), entry.carried_out),
        (_("上一阶段工作安排是否落实"), _checked(entry)),
        (_("陈述申辩"), entry.statement),
        (_("对陈述申辩的答复"), entry.statement_answer),
        *_consequences(entry),
    ]
    state = labels.word(evaluation_labels.RESULT, entry.status), labels.tone(evaluation_labels.RESULT, entry.status)
    title = evaluation_lists.title_of(entry)
    reads = supervision_panel.reads_answers(actor)
    tables = [*_result_tables(entry), *_supervision_tables(entry, reads)]
    if reads:
        facts.append(_supervision(entry))
    return _page(entry, title, state, evaluation_lists.RESULTS, facts, "3.2", tables, notes)


def _checked(entry: EvaluationResult) -> str:
    """Whether the arrangement of the round before was carried out, as the working group found (3.2)."""
    found = labels.word(evaluation_labels.CARRIED_OUT, entry.arrangement_check) if entry.arrangement_check else ""
    return "：".join(filter(None, [found, entry.arrangement_check_words]))


def _consequences(entry: EvaluationResult) -> list[tuple[str, str]]:
    query = select(EvaluationConsequence).where(EvaluationConsequence.result_id == entry.id)
    found = db_session().scalars(query.order_by(EvaluationConsequence.recorded_at)).unique()
    kinds = evaluation_labels.CONSEQUENCE
    return [
        (_("后续：%(kind)s（第 %(clause)s 条）", kind=labels.word(kinds, one.kind), clause=one.clause), one.reason)
        for one in found
    ]


def _supervision(entry: EvaluationResult) -> dict[str, Any]:
    names = "、".join(str(supervision.CHECKS[name]) for name in supervision.ordered(entry))
    url = url_for("supervision.page", result_id=entry.id)
    return {"label": _("监督检查"), "value": names or _("未安排"), "url": url}


def _supervision_tables(entry: EvaluationResult, reads: bool) -> list[dict[str, Any]]:
    """What supervision found (3.2): the figures for the unit itself, names and words for who judges it."""
    found = supervision_panel.tables(db_session(), entry, reads)
    return [{"title": t.title, "columns": t.columns, "rows": t.rows, "note": t.note} for t in found]


def _result_tables(entry: EvaluationResult) -> list[dict[str, Any]]:
    scores = [
        [
            labels.word(evaluation_labels.DIMENSION, row["dimension"]),
            row["label"],
            row["weight"],
            row["effective"],
            row["score"] if row["score"] is not None else _("不适用"),
            row["points"] if row["points"] is not None else "",
        ]
        for row in entry.scores
    ]
    report = [
        [row["label"], row.get("target"), row.get("actual"), row.get("unit"), row.get("note") or ""]
        for row in entry.report
    ]
    columns = [_("方面"), _("指标"), _("权重"), _("实际权重"), _("评分"), _("得分")]
    told = [_("指标"), _("目标"), _("实际"), _("单位"), _("说明")]
    note = _("没有基数的指标不适用，其权重按比例分给其他指标。")
    return [
        {"title": _("得分"), "columns": columns, "rows": scores, "note": note if scores else _("还没有评出得分。")},
        {"title": _("报送的完成情况"), "columns": told, "rows": report, "note": ""},
    ]
