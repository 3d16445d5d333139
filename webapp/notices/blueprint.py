"""The blueprint of the pages without an account; its routes stand in several modules."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for

bp = Blueprint("public", __name__, template_folder="templates", url_prefix="/public")


@bp.context_processor
def _search() -> dict[str, Any]:
    """The search of the top bar looks through the published notices."""
    return {"search_url": url_for("public.notices"), "query": request.args.get("q", "")}
