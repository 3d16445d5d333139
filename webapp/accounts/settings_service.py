"""House rules 工作口径 and settings: described in `processes/settings.toml`, changed on a page, kept in `setting`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts.models import Setting
from webapp.audit import service as audit
from webapp.config import ROOT
from webapp.engine.handler_api import Actor
from webapp.errors import Invalid
from webapp.i18n import _

Value = int | bool | date | None
KINDS = ("working_days", "days", "integer", "boolean", "date")


@dataclass(frozen=True, slots=True)
class Definition:
    """One setting: its kind, bounds, default and words; `clause` is the clause that leaves the point open."""

    key: str
    group: str  # house_rule | system
    kind: str
    default: Value
    least: int | None
    most: int | None
    clause: str
    zh: str
    en: str
    note_zh: str
    note_en: str

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.zh

    def note(self, language: str) -> str:
        return self.note_en if language == "en" else self.note_zh


def load(path: Path) -> dict[str, Definition]:
    """Read the descriptions. Errors: ValueError for an unknown kind (the file is part of the program)."""
    found = {}
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["setting"]:
        if row["kind"] not in KINDS:
            raise ValueError(f"{path}: {row['key']} has the unknown kind {row['kind']!r}")
        default = None if row["kind"] == "date" and not row["default"] else row["default"]
        found[row["key"]] = Definition(
            row["key"], row["group"], row["kind"], default, row.get("min"), row.get("max"), row.get("clause", ""),
            row["zh"], row["en"], row.get("note_zh", ""), row.get("note_en", ""),
        )  # fmt: skip
    return found


DEFINITIONS: dict[str, Definition] = load(ROOT / "processes" / "settings.toml")


def get(session: Session, key: str) -> Any:
    """The present value: int, bool, date or None by the setting's kind. Errors: KeyError for an unknown key."""
    definition = DEFINITIONS[key]
    stored = session.scalar(select(Setting.value).where(Setting.key == key))
    return definition.default if stored is None else _typed(definition, stored["value"])


def everything(session: Session) -> dict[str, Value]:
    """All present values by key."""
    stored = {row.key: row.value["value"] for row in session.execute(select(Setting.key, Setting.value))}
    return {
        key: _typed(definition, stored[key]) if key in stored else definition.default
        for key, definition in DEFINITIONS.items()
    }


def change(session: Session, actor: Actor, entered: Mapping[str, str], *, groups: frozenset[str]) -> list[str]:
    """Set what was entered for the settings of `groups`; give the keys that changed. Errors: Invalid with fields."""
    wanted, problems = {}, {}
    for key, definition in DEFINITIONS.items():
        if definition.group in groups and (key in entered or definition.kind == "boolean"):
            try:
                wanted[key] = _parse(definition, entered.get(key, ""))
            except ValueError as error:
                problems[key] = str(error)
    if problems:
        raise Invalid(_("设置没有保存，请改正以下内容。"), fields=problems)
    before = everything(session)
    changed = [key for key, value in wanted.items() if value != before[key]]
    for key in changed:
        _store(session, actor, key, wanted[key])
        detail = {"before": _plain(before[key]), "after": _plain(wanted[key])}
        audit.record(session, "setting.change", actor, subject=key, detail=detail)
    return changed


def _store(session: Session, actor: Actor, key: str, value: Value) -> None:
    row = {"value": {"value": _plain(value)}, "updated_at": clock.now(), "updated_by": actor.id}
    session.execute(insert(Setting).values(key=key, **row).on_conflict_do_update(index_elements=["key"], set_=row))


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(definition: Definition, value: Any) -> Value:
    if definition.kind == "date":
        return date.fromisoformat(value) if value else None
    return bool(value) if definition.kind == "boolean" else int(value)


def _parse(definition: Definition, words: str) -> Value:
    words = words.strip()
    if definition.kind == "boolean":
        return words in {"1", "true", "on", "yes"}
    if definition.kind == "date":
        if not words:
            return None
        try:
            day = date.fromisoformat(words)
        except ValueError:
            day = date.min
        if not 2000 <= day.year <= 2200:
            raise ValueError(_("请填写日期，例如 2027-12-31。"))
        return day
    try:
        number = int(words)
    except ValueError:
        raise ValueError(_("请填写整数。")) from None
    if not (definition.least or 0) <= number <= (definition.most or 10**6):
        raise ValueError(_("请填写 %(least)s 至 %(most)s 之间的整数。", least=definition.least, most=definition.most))
    return number
