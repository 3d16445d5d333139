"""What supervision (3.2) found, as tables: beside the experts' task, on the unit's evaluation page, and for the unit.

One home of who reads what: the working group's side and the judging experts read names and words; the judged unit reads
figures alone, and no question's mean while fewer than three have answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.engine.handler_api import Actor, Block, CasePanel
from webapp.i18n import _
from webapp.registers import evaluation_labels as words
from webapp.registers import labels, questionnaires, spot_checks, supervision
from webapp.registers.evaluation_models import EvaluationResult
from webapp.registers.supervision_models import SupervisionRecord
from webapp.registers.values import as_text, until_words

#: Who sees figures and opinions before the result is told.
INSIDE = frozenset({"office", "working_group", "manager"})
#: Who reads what enterprises answered, and who answered it.
READS_ANSWERS = INSIDE | {"expert"}


@dataclass(frozen=True, slots=True)
class Table:
    """One check as rows of text, with the documents that go with it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    documents: Sequence[UUID] = ()


def reads_answers(actor: Actor) -> bool:
    """Whether this person reads names and words of those who were asked."""
    return bool(actor.roles & READS_ANSWERS)


def tables(session: Session, result: EvaluationResult, inside: bool) -> list[Table]:
    """Everything that was found of a unit in a round, as far as this side may read it."""
    made = [
        *_questionnaire(session, result, inside),
        *_interviews(session, result, inside),
        *_visits(session, result, inside),
        *_spot_check(session, result, inside),
    ]
    if inside and result.unchecked:
        rows = [[str(supervision.CHECKS[name]), why] for name, why in result.unchecked.items()]
        made.append(Table(_("未开展的检查"), [_("形式"), _("原因")], rows))
    return made


def standing(told: questionnaires.Tally) -> str:
    """The figure with its n and response rate, in a sentence."""
    satisfaction = _("满意度 %(n)s 分", n=told.satisfaction) if told.satisfaction is not None else _("满意度尚无")
    return _(
        "%(satisfaction)s（n＝%(answered)s，发出 %(invited)s 份，回收率 %(rate)s%%）",
        satisfaction=satisfaction,
        answered=told.answered,
        invited=told.invited,
        rate=f"{told.rate:f}",
    )


def _questionnaire(session: Session, result: EvaluationResult, inside: bool) -> list[Table]:
    held = questionnaires.of_result(session, result.id)
    if held is None:
        return []
    asked = questionnaires.invitations(session, held.id)
    told = questionnaires.tally(held.form, asked)
    enough = inside or told.answered >= questionnaires.FEWEST_TOLD
    rows = [
        [label, "—" if mean is None else mean, "·".join(map(str, counts))]
        for label, mean, counts in (told.questions if enough else [])
    ]
    columns = [_("问题"), _("平均（5 分制）"), _("5 分至 1 分各几家")]
    found = [Table(_("问卷调查"), columns, rows, standing(told))]
    answered = [one for one in asked if one.answered_at is not None]
    if inside and answered:
        answers = [
            [one.pilot_enterprise.name, "—" if one.score is None else str(one.score), fees(one.answers), said]
            for one in answered
            for said in [questionnaires.said(held.form, one) or "—"]
        ]
        columns = [_("试点企业"), _("满意度"), _("合同外收费"), _("意见")]
        note = _("作答企业的名称不告知牵引单位。")
        found.append(Table(_("答卷"), columns, answers, note))
    return found


def fees(answers: Any) -> str:
    """Whether an answer speaks of charges outside the contract (4.4.7)."""
    return {"yes": _("有"), "no": _("没有")}.get(as_text((answers or {}).get("fees")), "—")


def _documents(records: Sequence[SupervisionRecord]) -> list[UUID]:
    return [UUID(document) for record in records for document in record.documents]


def _interviews(session: Session, result: EvaluationResult, inside: bool) -> list[Table]:
    held = supervision.records(session, result.id, "interview")
    if not held:
        return []
    marks = [record.mark for record in held if record.mark]
    note = _("共 %(n)s 次", n=len(held))
    if marks:
        mean = f"{Decimal(sum(marks)) / len(marks):.2f}"
        note = _("共 %(n)s 次，受访人平均评价 %(mean)s / 5", n=len(held), mean=mean)
    rows = [
        [
            record.held_on,
            record.pilot_enterprise.name if record.pilot_enterprise else "",
            record.person,
            f"{record.mark} / 5",
            record.words,
        ]
        for record in held
    ]
    columns = [_("日期"), _("受访企业"), _("受访人"), _("评价"), _("内容")]
    return [Table(_("电话访谈"), columns if inside else [], rows if inside else [], note)]


def _visits(session: Session, result: EvaluationResult, inside: bool) -> list[Table]:
    held = supervision.records(session, result.id, "visit")
    if not held:
        return []
    rows = [
        [
            record.held_on,
            record.pilot_enterprise.name if record.pilot_enterprise else result.lead_unit.name,
            record.person,
            record.words,
            _("%(n)s 张", n=len(record.documents)).replace(" ", "\N{NO-BREAK SPACE}"),
        ]
        for record in held
    ]
    columns = [_("日期"), _("地点"), _("人员"), _("情况"), _("照片")]
    note = _("共 %(n)s 次", n=len(held))
    return [Table(_("实地走访"), columns if inside else [], rows if inside else [], note, _documents(held))]


def _spot_check(session: Session, result: EvaluationResult, inside: bool) -> list[Table]:
    check = spot_checks.of_result(session, result.id)
    if check is None:
        return []
    rows = [
        [
            f"{finding['number']} {finding['title']}",
            labels.word(spot_checks.VERDICT, finding["verdict"]),
            finding["words"] or "—",
        ]
        for finding in check.findings
    ]
    note = _(
        "从 %(all)s 个项目中抽取 %(n)s 个，种子 %(seed)s，可以复算。",
        all=len(check.population),
        n=len(check.drawn),
        seed=check.seed,
    )
    documents = [UUID(document) for finding in check.findings for document in finding["documents"]]
    return [Table(_("项目抽查"), [_("项目"), _("结论"), _("发现的事实")], rows, note, documents if inside else ())]


def _block(table: Table) -> Block:
    if not table.rows:
        return Block("text", title=table.title, text=table.note or _("还没有记录。"))
    return Block("table", title=table.title, note=table.note, columns=table.columns, rows=table.rows)


# ---- the case panel ----------------------------------------------------------------------------------------------


def unit_file(session: Session, result: EvaluationResult, actor: Actor) -> CasePanel:
    """The unit's result so far; before it is told, the unit sees where its case stands and no more."""
    inside = bool(actor.roles & INSIDE)
    told = inside or result.status in ("stating", "settling", "settled")
    facts = [
        (_("牵引单位"), result.lead_unit.name, f"/registers/lead-units/{result.lead_unit_id}"),
        (_("季度"), words.quarter(result.round.year, result.round.quarter), None),
        (_("状态"), str(words.RESULT[result.status][0]), None),
        (_("报送期限"), until_words(result.report_due_at), None),
    ]
    if told and result.total is not None:
        facts.append((_("得分"), str(result.total), None))
    if inside:
        names = "、".join(str(supervision.CHECKS[name]) for name in supervision.ordered(result)) or _("未安排")
        facts.append((_("监督检查"), names, f"/registers/results/{result.id}/supervision"))
    blocks = [Block("facts", title=_("评价概要"), items=facts)]
    if result.late:
        blocks.append(Block("hint", text=_("材料迟报，已记录（第 4.2.2 条）。"), style="warn"))
    reads = reads_answers(actor)
    if not reads and not told:
        return CasePanel(blocks=blocks)
    found = tables(session, result, reads)
    for table in found:
        blocks.append(_block(table))
    documents = [document for table in found for document in table.documents] if reads else []
    return CasePanel(blocks=blocks, documents=documents)
