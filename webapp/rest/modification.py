"""POST /process-instance/{id}/modification: `cancel` and `startBeforeActivity` in pairs, which move tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from webapp import access
from webapp.accounts.service import current_actor
from webapp.engine.commands import MoveToken
from webapp.engine.runtime import engine
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.rest import paging
from webapp.rest.blueprint import bp
from webapp.rest.instances import operator

Instruction = Mapping[str, Any]


@bp.post("/process-instance/<id>/modification")
@access.signed_in
def instance_modification(id: str) -> tuple[str, int]:
    """Errors: Invalid (an instruction of another kind, or without its other half), those of MoveToken."""
    session = db_session()
    row = operator(session, id)
    body = request.get_json(silent=True)
    for command in moves(body if isinstance(body, dict) else {}):
        engine().step(session, row.id, command, current_actor())
    return "", 204


def moves(body: Mapping[str, Any]) -> list[MoveToken]:
    """The moves that the instructions ask for: the first cancelled token goes to the first start, and so on."""
    given = body.get("instructions")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid("请求内容应为 {“instructions”: […]}。")
    if any(one.get("type") not in ("cancel", "startBeforeActivity") or one.get("variables") for one in given):
        raise Invalid("只支持 cancel 和 startBeforeActivity 两种指令，不带变量。")
    cancels = [one for one in given if one["type"] == "cancel"]
    starts = [one for one in given if one["type"] == "startBeforeActivity"]
    if not cancels or len(cancels) != len(starts):
        raise Invalid("cancel 与 startBeforeActivity 须成对出现：令牌只能移动，不能凭空增减。")
    reason = str(body.get("annotation") or "接口")
    return [_move(cancel, begin, reason) for cancel, begin in zip(cancels, starts, strict=True)]


def _move(cancel: Instruction, begin: Instruction, reason: str) -> MoveToken:
    instance, activity = cancel.get("activityInstanceId"), cancel.get("activityId")
    node = None if instance is None else paging.uuid(str(instance))
    return MoveToken(str(begin.get("activityId") or ""), reason, node, None if activity is None else str(activity))
