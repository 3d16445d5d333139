"""All tables of the program in one place: every module named `models` or `tables` of a room is imported."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from sqlalchemy import MetaData

import webapp
from webapp.db import Base

_NAMES = (
    "models",
    "tables",
    "demo_clock",
    "evaluation_models",
    "supervision_models",
    "expulsion_models",
    "criticism_models",
)


def load() -> MetaData:
    """Import every module that maps tables and give the metadata that holds them."""
    for module in pkgutil.walk_packages(webapp.__path__, "webapp."):
        if module.name.rsplit(".", 1)[-1] in _NAMES:
            importlib.import_module(module.name)
    return Base.metadata


def is_ours(name: str | None, kind: str) -> bool:
    """Whether a table in the database is described by the metadata: Procrastinate's and partitions are not."""
    own = ("procrastinate_", "activity_history_", "alembic_version")
    return kind != "table" or not (name or "").startswith(own)


def include_object(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Alembic's filter: leave out what the metadata does not describe."""
    return not reflected or is_ours(name, kind)
