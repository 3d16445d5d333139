"""The product as it is served, with one local handler more: the service task of the benchmark's process."""

from __future__ import annotations

from webapp import composition
from webapp import config as settings
from webapp.app import create_app
from webapp.engine.handler_api import HandlerContext, handler


@handler("benchmark.note")
def note(context: HandlerContext) -> dict[str, object]:
    """A handler that does nothing but answer: what is measured is the engine."""
    return {"noted": True}


config = settings.load()
composition.build_engine(config)
app = create_app(config)
