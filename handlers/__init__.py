"""What the service tasks, forms and case files of `processes/` do: thin functions that call the registers' services."""

from __future__ import annotations

import importlib

MODULES = (
    "partner_filing",
    "enterprise_review",
    "publicity_batch",
    "batch_list",
    "objection",
    "notice_correction",
    "change_review",
    "expulsion_review",
    "expulsion_hearing",
    "expulsion_meeting",
    "expulsion_decision",
    "expulsion_handover",
    "expulsion_reconsideration",
    "reconsideration_file",
    "criticism",
    "criticism_rectification",
    "criticism_papers",
    "expulsion_papers",
    "quarterly_evaluation",
    "lead_unit_evaluation",
    "evaluation_reporting",
    "evaluation_checks",
    "evaluation_judging",
    "evaluation_concluding",
    "evaluation_overview",
    "documents",
    "case_files",
)


def load() -> None:
    """Import every module of hooks, so that `webapp.engine.handler_api.hooks` knows them all. May be called again."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
