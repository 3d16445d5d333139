"""Register rows for tests: a lead unit with its consortium, a filing, a notice under publicity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tests.support import make_organisation
from webapp import clock
from webapp.accounts.models import Organisation
from webapp.demo_clock import demo_clock, refresh
from webapp.notices.models import Notice, NoticeItem
from webapp.registers import history, numbers
from webapp.registers.checks import credit_check_character
from webapp.registers.models import (
    BarredEntry,
    ConsortiumEnterprise,
    Filing,
    FilingItem,
    Interpretation,
    LeadUnit,
    PublicityBatch,
    PublishedList,
)

#: Wednesday in a working week; the publicity of `make_world` runs from the 23rd to the 27th of November 2026.
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def set_time(session: Session, instant: datetime) -> None:
    """Set the clock for this process and, through the demo's clock, for every request; commits."""
    clock.clock.offset = timedelta()
    seconds = int((instant - clock.now()).total_seconds()) + 1
    row = insert(demo_clock).values(id=1, offset_seconds=seconds)
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_={"offset_seconds": seconds}))
    session.commit()
    refresh(session)


def code(number: int) -> str:
    """A true credit code, different for every number."""
    first = f"9144010{number % 10}MA5{number:06d}"[:17].ljust(17, "0")
    return first + credit_check_character(first)


@dataclass
class World:
    """What `make_world` made."""

    organisation: Organisation
    unit: LeadUnit
    other: LeadUnit
    member: ConsortiumEnterprise
    gone: ConsortiumEnterprise
    filing: Filing
    items: list[FilingItem]
    notice: Notice
    published: PublishedList


def make_unit(session: Session, name: str, number: int, **details: object) -> LeadUnit:
    """A listed lead unit with its organisation."""
    organisation = make_organisation(session, name=name, credit_code=code(number))
    unit = LeadUnit(
        organisation_id=organisation.id,
        credit_code=code(number),
        name=name,
        listed_on=date(2025, 1, 16),
        legal_rep="某某",
        **details,
    )
    session.add(unit)
    session.flush()
    return unit


def make_member(
    session: Session, unit: LeadUnit, name: str, number: int, since: date, **details: object
) -> ConsortiumEnterprise:
    """A membership, with its entry in the history."""
    member = ConsortiumEnterprise(lead_unit_id=unit.id, name=name, credit_code=code(number), since=since, **details)
    session.add(member)
    history.record(session, member, "added")
    return member


def make_world(session: Session) -> World:
    """Two lead units; the first with a member, one that left, and a filing of two enterprises under publicity."""
    unit = make_unit(session, "广州云枢工业互联网科技有限公司", 1)
    other = make_unit(session, "广州粤构智能制造服务有限公司", 2)
    published = PublishedList(
        number="穗工信名单〔2026〕1 号",
        title="产业生态联合体企业名单",
        published_on=date(2026, 3, 2),
        published_at=datetime(2026, 3, 2, 1, tzinfo=UTC),
        added=2,
    )
    session.add(published)
    session.flush()
    day = date(2026, 3, 2)
    member = make_member(
        session, unit, "广州睿桥信息科技有限公司", 11, day, since_list_id=published.id, need="设备联网"
    )
    gone = make_member(
        session, unit, "广州衡越机电科技有限公司", 12, day, until=date(2026, 9, 11), until_reason="业务调整"
    )
    make_member(session, other, "广州朗程自动化有限公司", 13, date(2026, 6, 12))
    filing, items = _filing(session, unit)
    notice = _notice(session, unit, items)
    session.add(
        BarredEntry(
            credit_code=code(31),
            name="广州某清退企业有限公司",
            clause="4.4.3",
            decision_number="穗工信〔2026〕126 号",
            decided_on=date(2026, 5, 6),
        )
    )
    session.add(
        Interpretation(
            number=numbers.document_number(session, "interpretation", 2026),
            clause="4.6.1",
            topic="other_identity",
            text="法定代表人为港澳台居民的，可提交其来往内地通行证的复印件。",
            signed_by="某某",
            signed_on=date(2026, 3, 18),
        )
    )
    session.flush()
    organisation = session.get(Organisation, unit.organisation_id)
    assert organisation is not None
    return World(organisation, unit, other, member, gone, filing, items, notice, published)


def _filing(session: Session, unit: LeadUnit) -> tuple[Filing, list[FilingItem]]:
    filing = Filing(
        number="BA-2026-0052",
        lead_unit_id=unit.id,
        status="review",
        need="补充模具排程与能耗采集能力",
        submitted_at=datetime(2026, 11, 9, 8, 20, tzinfo=UTC),
    )
    session.add(filing)
    session.flush()
    items = [
        FilingItem(
            filing_id=filing.id,
            seq=n,
            name=name,
            credit_code=code(20 + n),
            id_number="11010519491231002X",
            need="能耗监测",
            status="public",
        )
        for n, name in enumerate(("广州澜川精密模具有限公司", "广州禾量传感技术有限公司"), 1)
    ]
    session.add_all(items)
    session.flush()
    return filing, items


def _notice(session: Session, unit: LeadUnit, items: list[FilingItem]) -> Notice:
    batch = PublicityBatch(number="GS-2026-0007", status="public", created_at=NOW - timedelta(days=6))
    session.add(batch)
    session.flush()
    published_at = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    notice = Notice(
        kind="publicity",
        number="穗工信公示〔2026〕7 号",
        title="关于2026年第7批新增产业生态联合体企业名单的公示",
        status="published",
        batch_id=batch.id,
        signed_by="某某",
        published_at=published_at,
        period_days=5,
        period_starts_on=date(2026, 11, 23),
        period_ends_at=clock.deadline(published_at, working_days=5),
    )
    session.add(notice)
    session.flush()
    for n, item in enumerate(items, 1):
        item.batch_id = batch.id
        session.add(
            NoticeItem(
                notice_id=notice.id,
                seq=n,
                filing_item_id=item.id,
                lead_unit_name=unit.name,
                name=item.name,
                credit_code=item.credit_code,
                need=item.need,
            )
        )
    session.flush()
    return notice
