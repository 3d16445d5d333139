"""Pages that keep themselves up to date: a conditional request that the server answers without counting anew.

The tag of an answer is made of a change counter, the minute (deadlines pass by themselves) and what was asked. The
counter is PostgreSQL's own count of rows written to the tables that the figures are made of: reading it costs a look
into shared memory, writing it costs the steps nothing, and it is late by at most some seconds. What changed is computed
once per process and shared by everybody who asks for the same.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from flask import Response, request
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from webapp import clock
from webapp.engine.handler_api import Actor
from webapp.i18n import language
from webapp.monitor.visibility import sees_all

_COUNTER = text(
    "select coalesce(sum(pg_stat_get_tuples_inserted(c) + pg_stat_get_tuples_updated(c) + pg_stat_get_tuples_deleted(c)"
    "), 0) from unnest(array['process_instance', 'user_task', 'incident',"
    " 'evaluation_result', 'evaluation_round', 'process_target', 'saved_view']::regclass[]) c"
)
#: Answers that are kept.
_KEPT = 200
_known: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()


def counter(session: Session) -> int:
    """How many rows were ever written to the tables that managers look at."""
    return int(session.scalar(_COUNTER) or 0)


def answer(session: Session, actor: Actor, what: str, make: Callable[[], str], *, mimetype: str) -> BaseResponse:
    """`make()`, or 304 when the caller has it already. `what` and the request's parameters name it."""
    who = "all" if sees_all(actor) else str(actor.id)
    parts = (what, who, language(), request.query_string.decode(), str(counter(session)), f"{clock.now():%Y%m%d%H%M}")
    tag = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    known = tag in request.if_none_match
    response = Response(status=304) if known else Response(_made(tag, make), mimetype=mimetype)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _made(tag: str, make: Callable[[], str]) -> str:
    with _lock:
        if tag in _known:
            _known.move_to_end(tag)
            return _known[tag]
    made = make()
    with _lock:
        _known[tag] = made
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return made
