"""What may be done in the inbox, in one place for pages and REST; the parts live in files of their own."""

from __future__ import annotations

from webapp.inbox.claiming import Result, bulk, claim, look, release, transfer
from webapp.inbox.completing import Completed, FormRefused, complete
from webapp.inbox.drafts import keep, save_draft
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.personal import comment, comments, keep_phrase, keep_view, phrases, saved_views
from webapp.inbox.starting import Startable, start, startable
from webapp.inbox.visibility import may_see, people, to_do, visible_tasks

__all__ = [
    "Completed",
    "FormRefused",
    "Result",
    "Startable",
    "bulk",
    "claim",
    "comment",
    "comments",
    "complete",
    "keep",
    "keep_phrase",
    "keep_view",
    "look",
    "may_see",
    "people",
    "phrases",
    "prepared_by_oneself",
    "release",
    "save_draft",
    "saved_views",
    "start",
    "startable",
    "to_do",
    "transfer",
    "visible_tasks",
]
