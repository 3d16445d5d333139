"""The pages without an account, put together: importing this module gives the blueprint all of its routes."""

from __future__ import annotations

from webapp.notices import objection_views, public_pages, questionnaire_views, receipt_views
from webapp.notices.blueprint import bp

__all__ = ["bp", "objection_views", "public_pages", "questionnaire_views", "receipt_views"]
