"""The product with a process of its own, to be put under load and killed: `made_app` for gunicorn, handlers.

Its handlers write down what they did: the local one in the step's transaction, the external one under its key.
"""

from __future__ import annotations

from sqlalchemy import text

from tests.engine.runtime.models import end, model, service, start, timer, user
from webapp import composition, db, worker_child
from webapp import config as settings
from webapp.app import create_app
from webapp.config import Config
from webapp.engine.handler_api import ExternalContext, HandlerContext, Hooks, handler

TABLE = "create table effect (kind text, instance_id uuid, key uuid)"
_WRITE = text("insert into effect values (:kind, :instance, :key)")
_ONCE = text(
    "insert into effect select 'external', :instance, :key"
    " where not exists (select 1 from effect where kind = 'external' and key = :key)"
)
MODEL = model(
    "ledger",
    start(),
    user("first"),
    service("inside", "ledger.inside"),
    f'<intermediateCatchEvent id="rest">{timer("timeDuration", "PT0S")}</intermediateCatchEvent>',
    service("outside", "ledger.outside"),
    user("second"),
    end(),
    flows="start>first first>inside inside>rest rest>outside outside>second second>end",
    attributes='camunda:candidateStarterGroups="office"',
)


@handler("ledger.inside")
def inside(context: HandlerContext) -> None:
    """Writes in the step's own transaction."""
    context.session.execute(_WRITE, {"kind": "local", "instance": context.instance_id, "key": None})


@handler("ledger.outside", external=True)
def outside(context: ExternalContext) -> None:
    """Writes by a transaction of its own, once for its key."""
    with db.transaction() as session:
        session.execute(_ONCE, {"instance": context.instance_id, "key": context.job_id})


def prepare(config: Config) -> Hooks:
    """What a child process of handlers knows: the product's, and those above."""
    return worker_child.prepare(config)


def made_app() -> object:
    """For gunicorn: `tests.reliability.site:made_app()`."""
    config = settings.load()
    composition.build_engine(config)
    return create_app(config)
