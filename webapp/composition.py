"""Puts the engine and the domain together; used by the composition roots (web, worker, command line, tests)."""

from __future__ import annotations

from datetime import timedelta

import handlers
from webapp.accounts import roles, service, settings_service
from webapp.config import Config
from webapp.documents import storage
from webapp.engine import runtime
from webapp.engine.handler_api import hooks
from webapp.forms import schema


def build_engine(config: Config | None = None) -> runtime.Engine:
    """Load the domain's handlers, make the process's engine with them and install it."""
    handlers.load()
    if config is not None:
        storage.configure(config)
    hooks.form_check = schema.check
    engine = runtime.Engine(
        hooks,
        org_scoped_roles=roles.ORG_SCOPED,
        resolve_account=service.resolve,
        actor_of=service.actor,
        message_ttl=lambda session: timedelta(days=int(settings_service.get(session, "message_days"))),
    )
    runtime.install(engine)
    return engine
