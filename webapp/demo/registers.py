"""The registers of the demo: lead units, consortium enterprises by earlier lists, a barred entry, interpretations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Organisation
from webapp.demo import evaluation, make
from webapp.notices import publishing
from webapp.notices.models import Notice
from webapp.registers import history, numbers
from webapp.registers.models import BarredEntry, ConsortiumEnterprise, Interpretation, LeadUnit, PublishedList

#: name, district code, trade
_UNITS = (
    ("广州云锦数字科技有限公司", "440112", "金属加工"),
    ("广州珠江智链科技股份有限公司", "440106", "注塑与模具"),
    ("广州云枢工业互联网科技有限公司", "440112", "汽车零部件"),
    ("广州粤构智能制造服务有限公司", "440115", "定制家居"),
    ("广州联匠软件技术有限公司", "440106", "日化美妆"),
    ("广州岭南工联信息技术有限公司", "440111", "纺织服装"),
    ("广州海纬数据科技有限公司", "440106", "食品加工"),
    ("广州鼎新工业软件有限公司", "440113", "电子装联"),
    ("广州穗智云制造有限公司", "440112", "医疗器械"),
    ("广州南粤数联科技有限公司", "440113", "珠宝首饰"),
    ("广州衡观咨询服务有限公司", "440106", "智能家电"),
    ("广州北辰数字运营有限公司", "440111", "箱包皮具"),
    ("广州广联企服科技有限公司", "440115", "新材料"),
)
EXPELLED = "广州恒锐数控科技有限公司"
_MEMBERS = 66
#: How many days ago the earlier lists came out, and how many enterprises each added.
_LISTS = ((330, 24), (210, 18), (120, 14), (45, 10))


@dataclass(frozen=True, slots=True)
class Registers:
    """What the cases of the demo refer to."""

    units: list[LeadUnit]
    expelled: LeadUnit
    other_identity: Interpretation
    notices: list[Notice]


def fill(session: Session, now: datetime, *, barred: bool = True) -> Registers:
    """Enter everything; the histories of the registers begin with it.

    `barred`: the last unit is expelled already, else it is still listed and its expulsion can be played.
    """
    today = now.astimezone(clock.BEIJING).date()
    units = [_unit(session, n, name, region, trade, today) for n, (name, region, trade) in enumerate(_UNITS)]
    units[3].rectifying = True
    expelled = _unit(session, 90, EXPELLED, "440112", "数控装备", today)
    if barred:
        _bar(session, expelled, today)
    notices = _earlier_lists(session, units, today)
    interpretations = _interpretations(session, today)
    session.flush()
    evaluation.fill(session, units, today)
    return Registers(units, expelled, interpretations[0], notices)


def _unit(session: Session, n: int, name: str, region: str, trade: str, today: date) -> LeadUnit:
    code = make.credit_code(90_000 + n * 1013, region)
    organisation = Organisation(name=name, credit_code=code, kind="firm")
    session.add(organisation)
    session.flush()
    unit = LeadUnit(
        organisation_id=organisation.id,
        credit_code=code,
        name=name,
        legal_rep=make.person(n * 3 + 1),
        address=f"广州市{'黄埔区' if region == '440112' else '天河区'}科学大道 {n * 8 + 12} 号",
        registered_capital=Decimal(1000 + n % 20 * 500),
        founded_on=date(2008 + n % 9, 3, 1 + n % 27),
        industry=trade,
        contact=make.person(n * 3 + 2),
        phone=f"020-8{n % 10}00{n % 7:04d}",
        listed_on=clock.next_working_day(today - timedelta(days=640)),
    )
    session.add(unit)
    history.record(session, unit, "listed")
    return unit


def _bar(session: Session, unit: LeadUnit, today: date) -> None:
    """A unit that was expelled a year ago: off the list, its code on the barred list (4.4)."""
    decided = clock.next_working_day(today - timedelta(days=384))
    before = history.snapshot(unit)
    unit.status, unit.listed_on = "expelled", clock.next_working_day(today - timedelta(days=700))
    history.record(session, unit, "expelled", before=before)
    entry = BarredEntry(
        credit_code=unit.credit_code,
        name=unit.name,
        clause="4.4.5",
        decision_number=f"穗工信清退〔{decided.year}〕3 号",
        decided_on=decided,
        reason="申报材料中的审计报告系伪造。",
    )
    session.add(entry)
    history.record(session, entry, "barred")


def _earlier_lists(session: Session, units: Sequence[LeadUnit], today: date) -> list[Notice]:
    notices: list[Notice] = []
    number = 0
    for ago, count in _LISTS:
        day = clock.next_working_day(today - timedelta(days=ago))
        moment = datetime(day.year, day.month, day.day, 9, 30, tzinfo=clock.BEIJING)
        order = 1 + sum(1 for notice in notices if notice.published_at and notice.published_at.year == day.year)
        published = PublishedList(
            number=numbers.document_number(session, "list", day.year),
            title=f"产业生态联合体企业名单（{day.year} 年第 {order} 批）",
            published_on=day,
            published_at=moment,
            added=count,
        )
        session.add(published)
        session.flush()
        for _n in range(count):
            _member(session, units[number % len(units)], number, published)
            number += 1
        session.flush()
        notices.append(publishing.list_notice(session, published, signed_by="何国华", batch_id=None))
    return notices


def _member(session: Session, unit: LeadUnit, number: int, published: PublishedList) -> None:
    found = make.enterprise(number, published.published_on)
    names = ("name", "credit_code", "legal_rep", "address", "registered_capital", "founded_on", "need")
    member = ConsortiumEnterprise(
        lead_unit_id=unit.id,
        since=published.published_on,
        since_list_id=published.id,
        programme="national" if number % 4 else "provincial",
        **{name: found[name] for name in names},
    )
    session.add(member)
    history.record(session, member, "added")


_READINGS = (
    (260, "other_identity", "法定代表人为港澳台居民或者外籍人员的，其有效身份证件的复印件视为“法人身份证复印件”。"),
    (180, "no_accounts", "成立不满一个会计年度的企业没有上年度财务材料，以最近一期加盖公章的财务报表说明情况。"),
)


def _interpretations(session: Session, today: date) -> list[Interpretation]:
    made = []
    for ago, topic, words in _READINGS:
        day = clock.next_working_day(today - timedelta(days=ago))
        made.append(
            Interpretation(
                number=numbers.document_number(session, "interpretation", day.year),
                clause="4.6.1",
                topic=topic,
                text=words,
                signed_by="广州市工业和信息化局（演示）",
                signed_on=day,
            )
        )
    session.add_all(made)
    return made
