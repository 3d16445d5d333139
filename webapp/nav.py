"""The sections of the top bar: what exists and what the caller's roles may open. One list, no second rule of access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException

from webapp import access
from webapp.i18n import _, lazy

#: (key, address, label), in the order of the bar; a section without a route is left out.
SECTIONS = (
    ("tasks", "/tasks", lazy("待办")),
    ("dashboard", "/dashboard", lazy("监控总览")),
    ("instances", "/instances", lazy("案件")),
    ("rounds", "/rounds/", lazy("季度评价")),
    ("definitions", "/definitions", lazy("流程")),
    ("notices", "/notices/", lazy("公示")),
    ("registers", "/registers/", lazy("台账")),
    ("designer", "/designer/", lazy("流程设计")),
    ("regulation", "/regulation/", lazy("规程")),
    ("admin", "/admin/", lazy("管理")),
)
#: Where listed enterprises are, which are in no open case.
REGISTER = "/registers/consortium"
PUBLIC = (
    ("public", "/public/", lazy("公示公告")),
    ("lists", "/public/lists", lazy("联合体名单")),
    ("answer", "/public/objections/answer", lazy("异议答复查询")),
)


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    label: str
    url: str
    active: bool
    count: int | None = None


def endpoint_of(app: Flask, path: str) -> str | None:
    """The endpoint that answers GET on a path, through the router's own redirects; None when there is none."""
    known: dict[str, str | None] = app.extensions.setdefault("qianyin-nav", {})
    if path not in known:
        known[path] = _find_endpoint(app, path)
    return known[path]


def _find_endpoint(app: Flask, path: str) -> str | None:
    adapter = app.url_map.bind("localhost")
    for candidate in (path, path.rstrip("/") or "/", path.rstrip("/") + "/"):
        try:
            return str(adapter.match(candidate, method="GET")[0])
        except HTTPException:
            continue
    return None


def _sections(app: Flask, wanted: Iterable[tuple[str, str, Any]], held: Iterable[str] | None) -> list[Section]:
    held = None if held is None else frozenset(held)
    found = []
    for key, path, label in wanted:
        rule = access.RULES.get(endpoint_of(app, path) or "")
        if rule is not None and rule.allows(held):
            found.append((key, path, label))
    here = max((path.rstrip("/") for _key, path, _label in found if _inside(path)), key=len, default=None)
    return [Section(key, str(label), path, path.rstrip("/") == here) for key, path, label in found]


def _inside(path: str) -> bool:
    base = path.rstrip("/")
    return request.path == base or request.path.startswith(base + "/")


def sections(app: Flask, held: Iterable[str] | None) -> list[Section]:
    """The sections that a caller with these roles may open; empty for nobody."""
    return [] if held is None else _sections(app, SECTIONS, held)


def public_sections(app: Flask) -> list[Section]:
    """The sections of the pages without account."""
    return _sections(app, PUBLIC, None)


def search_url(app: Flask, held: Iterable[str]) -> str:
    """Where the search of the top bar leads: all cases for who may see them, else one's own tasks."""
    rule = access.RULES.get(endpoint_of(app, "/instances") or "")
    return "/instances" if rule is not None and rule.allows(held) else "/tasks"


def register_search(held: Iterable[str], words: str) -> dict[str, str]:
    """For an empty list: the way to the same words in the register of enterprises, if the caller may open it."""
    rule = access.RULES.get(endpoint_of(current_app, REGISTER) or "")
    if not words or rule is None or not rule.allows(held):
        return {}
    return {"action_label": _("在联合体企业台账中查找"), "action_url": f"{REGISTER}?{urlencode({'q': words})}"}


def account_links() -> list[dict[str, str]]:
    """What stands under the person's name."""
    return [
        {"label": _("账号与密码"), "url": "/account"},
        {"label": _("提醒方式"), "url": "/reminders/choices"},
        {"label": _("代理"), "url": "/standing"},
    ]
