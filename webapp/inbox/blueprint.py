"""The inbox's blueprint, which its view modules share, with the templates of the forms."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("inbox", "webapp.inbox", template_folder="templates")
bp.register_blueprint(Blueprint("forms", "webapp.forms", template_folder="templates"))
