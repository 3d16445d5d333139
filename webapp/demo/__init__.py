"""The demo: fictional organisations, people, registers and cases, so that a first look shows the product at work."""

from __future__ import annotations

from sqlalchemy.orm import Session

from webapp import clock
from webapp.config import Config


def load(session: Session, config: Config) -> bool:
    """Fill an empty database; the processes must be deployed and the engine installed. False: it was filled before."""
    from webapp.accounts import service
    from webapp.demo import cases, criticism, expulsion, jobs, people, reconsideration, registers, reviews

    if service.find(session, "office") is not None:
        return False
    entered = registers.fill(session, clock.now(), barred=False)
    for notice in entered.notices:
        jobs.make_documents(session, notice.id)
    jobs.make_reports(session)
    everybody = people.fill(session, entered.units, entered.expelled)
    reconsideration.fill(session, everybody, entered.expelled, entered.units[4:6])
    everybody = people.actors(session)
    cases.fill(session, everybody, entered)
    expulsion.fill(session, everybody, entered.units[2])
    criticism.fill(session, everybody, {"_a": entered.units[0], "_b": entered.units[1]})
    reviews.fill(session, everybody)
    return True
