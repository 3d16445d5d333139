"""The room's blueprint, for its modules of views."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("designer", __name__, template_folder="templates", url_prefix="/designer")

#: Who designs.
DESIGNER = "designer"
