"""问卷调查 (3.2): the pilot enterprises of a unit are asked by one-time link; each answers once, nobody twice.

A link carries a token of 192 bits that is never stored: it is the HMAC of the link's id under the program's secret, so
that the office can hand a link out again as long as it lives, and the database alone opens nothing. What is stored is
its SHA-256. Marks run from 1 to 5; a mark is worth 20 points (house rule), an answer the mean of its marks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import settings_service
from webapp.audit import service as audit
from webapp.documents.storage import config
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, NotFound, QianyinError
from webapp.forms import schema
from webapp.i18n import _
from webapp.ids import uuid7
from webapp.registers import evaluation_scoring as scoring
from webapp.registers.evaluation_models import EvaluationResult, PilotEnterprise
from webapp.registers.supervision_models import Questionnaire, QuestionnaireInvitation, QuestionnaireLink
from webapp.registers.values import as_int, as_text

#: What one mark of five is worth.
POINTS = 20
TOKEN_BYTES = 24
#: Fewer answers than this are told to the lead unit as a number alone: they would tell who said what.
FEWEST_TOLD = 3


class LinkEnded(QianyinError):
    """链接已失效"""

    status = 410
    code = "link_ended"


class AlreadyAnswered(Conflict):
    """已经提交过了"""

    code = "already_answered"


# ---- links -------------------------------------------------------------------------------------------------------


def token_of(link_id: UUID) -> str:
    """The token of a link, 32 characters that an address may hold."""
    made = hmac.new(config().secret_key.encode(), b"questionnaire:" + link_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:TOKEN_BYTES]).decode()


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _link(invitation_id: UUID, now: datetime) -> QuestionnaireLink:
    made = uuid7()
    return QuestionnaireLink(id=made, invitation_id=invitation_id, token_hash=digest(token_of(made)), made_at=now)


def live_tokens(session: Session, questionnaire_id: UUID) -> dict[UUID, str]:
    """invitation -> token of its living link; none for links made under another secret."""
    link, invitation = QuestionnaireLink, QuestionnaireInvitation
    query = select(link).join(invitation, invitation.id == link.invitation_id)
    mine = invitation.questionnaire_id == questionnaire_id, link.ended_at.is_(None)
    found = [(one.invitation_id, token_of(one.id), one.token_hash) for one in session.scalars(query.where(*mine))]
    return {key: token for key, token, kept in found if digest(token) == kept}


def renew(session: Session, invitation_id: UUID, actor: Actor | None, now: datetime) -> None:
    """A new link for one that was lost; the old one ends. Errors: NotFound, Conflict (answered, or closed)."""
    invitation = _locked(session, invitation_id)
    questionnaire = session.get_one(Questionnaire, invitation.questionnaire_id)
    if invitation.answered_at is not None:
        raise Conflict(_("%(name)s已经作答，不需要新的链接。", name=invitation.pilot_enterprise.name))
    if is_over(questionnaire, now):
        raise Conflict(_("问卷已经截止，不能再发新的链接。"))
    mine = QuestionnaireLink.invitation_id == invitation.id, QuestionnaireLink.ended_at.is_(None)
    session.execute(update(QuestionnaireLink).where(*mine).values(ended_at=now))
    session.add(_link(invitation.id, now))
    case, name = questionnaire.result.instance_id, invitation.pilot_enterprise.name
    audit.record(session, "questionnaire.renew", actor, instance_id=case, subject=name)
    session.flush()


def _locked(session: Session, invitation_id: UUID) -> QuestionnaireInvitation:
    query = select(QuestionnaireInvitation).where(QuestionnaireInvitation.id == invitation_id)
    locking = query.with_for_update(of=QuestionnaireInvitation).execution_options(populate_existing=True)
    found = session.scalars(locking).unique().one_or_none()
    if found is None:
        raise NotFound(_("没有找到这份问卷。"))
    return found


# ---- asking and answering ----------------------------------------------------------------------------------------


def pilots(session: Session, result: EvaluationResult) -> list[PilotEnterprise]:
    """The pilot enterprises that the unit served at the end of the quarter, by name: who may be asked."""
    end = scoring.Quarter(result.round.year, result.round.quarter).end
    pilot = PilotEnterprise
    served = pilot.listed_on <= end, (pilot.until.is_(None)) | (pilot.until > end)
    query = select(pilot).where(pilot.lead_unit_id == result.lead_unit_id, *served).order_by(pilot.name)
    return list(session.scalars(query).unique())


def send(session: Session, result: EvaluationResult, form: Mapping[str, Any], now: datetime) -> Questionnaire:
    """Ask every pilot enterprise of the unit; open until 24:00 of the last day of the setting."""
    days = int(settings_service.get(session, "questionnaire_days"))
    made = Questionnaire(result_id=result.id, form=dict(form), opened_at=now, ends_at=clock.deadline(now, days=days))
    session.add(made)
    session.flush()
    asked = [
        QuestionnaireInvitation(id=uuid7(), questionnaire_id=made.id, pilot_enterprise_id=pilot.id)
        for pilot in pilots(session, result)
    ]
    session.add_all(asked)
    session.flush()
    session.add_all(_link(invitation.id, now) for invitation in asked)
    session.flush()
    return made


def of_result(session: Session, result_id: UUID) -> Questionnaire | None:
    """The questionnaire of a unit in a round, if one was ordered."""
    return session.scalars(select(Questionnaire).where(Questionnaire.result_id == result_id)).unique().one_or_none()


def is_over(questionnaire: Questionnaire, now: datetime) -> bool:
    """Whether it takes no more answers: its time is up, or it was closed."""
    return questionnaire.closed_at is not None or now >= questionnaire.ends_at


def close(session: Session, result_id: UUID, now: datetime) -> None:
    """Take no more answers: its time is up, all have answered, or the case has ended. A second call changes nothing."""
    mine = Questionnaire.result_id == result_id, Questionnaire.closed_at.is_(None)
    session.execute(update(Questionnaire).where(*mine).values(closed_at=now))


def open_link(session: Session, token: str, now: datetime) -> tuple[Questionnaire, QuestionnaireInvitation]:
    """What a link opens. Errors: NotFound (no such link), LinkEnded (replaced, or closed), AlreadyAnswered."""
    query = select(QuestionnaireLink).where(QuestionnaireLink.token_hash == digest(token))
    link = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if link is None:
        raise NotFound(_("没有这份问卷。请核对链接是否完整，或向工作小组办公室索取。"))
    invitation = session.get_one(QuestionnaireInvitation, link.invitation_id, populate_existing=True)
    questionnaire = session.get_one(Questionnaire, invitation.questionnaire_id, populate_existing=True)
    if invitation.answered_at is not None:
        at = invitation.answered_at.astimezone(clock.BEIJING)
        words = _("贵企业已于 %(at)s 提交这份问卷，每家企业只答一次，不需要再做什么。", at=f"{at:%Y-%m-%d %H:%M}")
        raise AlreadyAnswered(words)
    if is_over(questionnaire, now):
        last = (questionnaire.closed_at or questionnaire.ends_at) - timedelta(seconds=1)
        day = f"{last.astimezone(clock.BEIJING):%Y-%m-%d}"
        raise LinkEnded(_("这份问卷已于 %(day)s 截止，不再接收答卷。感谢您的关注。", day=day))
    if link.ended_at is not None:
        raise LinkEnded(_("这个链接已经作废：办公室给贵企业发过新的链接，请使用新的链接。"))
    return questionnaire, invitation


def answer(session: Session, token: str, given: Mapping[str, Any], now: datetime) -> QuestionnaireInvitation:
    """Keep one answer. Errors: those of `open_link`; of two at the same moment the second is AlreadyAnswered."""
    _questionnaire, invitation = open_link(session, token, now)
    reading = select(Questionnaire.id).where(Questionnaire.id == invitation.questionnaire_id)
    session.execute(reading.with_for_update(read=True))  # closing waits for us, or we see that it is closed
    _locked(session, invitation.id)
    questionnaire, invitation = open_link(session, token, now)
    names = [component.key for component in schema.load(questionnaire.form).walk() if component.key]
    invitation.answers = {name: given[name] for name in names if given.get(name) not in (None, "")}
    invitation.answered_at, invitation.score = now, score(questionnaire.form, invitation.answers)
    session.flush()
    return invitation


# ---- figures -----------------------------------------------------------------------------------------------------


def scales(form: Mapping[str, Any]) -> dict[str, str]:
    """The questions that ask for a mark, {key: label}: the choices with the property `scale`."""
    found = schema.load(form).walk()
    return {component.key: component.label for component in found if component.properties.get("scale") == "true"}


def remarks(form: Mapping[str, Any]) -> dict[str, str]:
    """The questions that are answered in words, {key: label}."""
    return {c.key: c.label for c in schema.load(form).walk() if c.type in ("textarea", "textfield")}


def score(form: Mapping[str, Any], answers: Mapping[str, Any]) -> Decimal | None:
    """An answer's satisfaction, 0 to 100: the mean of its marks, 20 points each; None without any."""
    marks = [mark for name in scales(form) if (mark := as_int(answers.get(name))) is not None]
    return scoring.rounded(Decimal(sum(marks) * POINTS) / len(marks)) if marks else None


@dataclass(frozen=True, slots=True)
class Tally:
    """How a questionnaire stands. `rate`: per cent answered; `questions`: (label, mean mark, [how many gave 5 … 1])."""

    invited: int
    answered: int
    satisfaction: Decimal | None
    questions: list[tuple[str, Decimal | None, list[int]]]

    @property
    def rate(self) -> Decimal:
        return scoring.rounded(Decimal(self.answered * 100) / self.invited) if self.invited else Decimal()


def invitations(session: Session, questionnaire_id: UUID) -> list[QuestionnaireInvitation]:
    """Everyone who was asked, by name."""
    query = select(QuestionnaireInvitation).join(QuestionnaireInvitation.pilot_enterprise)
    mine = QuestionnaireInvitation.questionnaire_id == questionnaire_id
    return list(session.scalars(query.where(mine).order_by(PilotEnterprise.name)).unique())


def tally(form: Mapping[str, Any], asked: Sequence[QuestionnaireInvitation]) -> Tally:
    """Counts, response rate, satisfaction and each question's mean over what was answered."""
    answered = [one for one in asked if one.answered_at is not None]
    scores = [one.score for one in answered if one.score is not None]
    questions = []
    for name, label in scales(form).items():
        marks = [mark for one in answered if (mark := as_int((one.answers or {}).get(name))) is not None]
        mean = scoring.rounded(Decimal(sum(marks)) / len(marks)) if marks else None
        questions.append((label, mean, [marks.count(mark) for mark in (5, 4, 3, 2, 1)]))
    satisfaction = scoring.rounded(sum(scores, Decimal()) / len(scores)) if scores else None
    return Tally(len(asked), len(answered), satisfaction, questions)


def said(form: Mapping[str, Any], one: QuestionnaireInvitation) -> str:
    """What somebody wrote in words, question by question."""
    given = one.answers or {}
    return "；".join(as_text(given[name]) for name in remarks(form) if as_text(given.get(name)))


def counts(session: Session, questionnaire_id: UUID) -> tuple[int, int]:
    """(answered, asked), for a page that watches them live."""
    asked = QuestionnaireInvitation
    query = select(func.count(asked.answered_at), func.count()).where(asked.questionnaire_id == questionnaire_id)
    answered, total = session.execute(query).one()
    return answered, total
