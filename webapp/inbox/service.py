"""What may be done in the inbox, in one place for pages and REST; the parts live in files of their own."""

from __future__ import annotations

from webapp.inbox.claiming import Result, bulk, claim, look, release, transfer
from webapp.inbox.completing import Completed, FormRefused, complete
from webapp.inbox.drafts import keep, save_draft
from webapp.inbox.four_eyes import prepared_by_oneself
from webapp.inbox.personal import comment, comments, keep_phrase, keep_view, phrases, saved_views
from webapp.inbox.returning import Goal, give_back, goals, mark_seen, may_recall, recall
from webapp.inbox.starting import Startable, start, startable
from webapp.inbox.visibility import may_see, people, to_do, visible_tasks

__all__ = [
    "Completed",
    "FormRefused",
    "Goal",
    "Result",
    "Startable",
    "bulk",
    "claim",
    "comment",
    "comments",
    "complete",
    "give_back",
    "goals",
    "keep",
    "keep_phrase",
    "keep_view",
    "look",
    "mark_seen",
    "may_recall",
    "may_see",
    "people",
    "phrases",
    "prepared_by_oneself",
    "recall",
    "release",
    "save_draft",
    "saved_views",
    "start",
    "startable",
    "to_do",
    "transfer",
    "visible_tasks",
]
