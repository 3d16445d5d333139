"""What the processes of external handlers have in common, loaded once and forked: the domain, and what renders.

Importing takes a second and a half and 100 MB; a child that is forked afterwards costs some milliseconds and shares
the memory.
"""

from __future__ import annotations

import importlib

import handlers
import webapp.worker_child  # noqa: F401  (what the children run)

handlers.load()
for _name in ("weasyprint", "docxtpl", "openpyxl"):
    importlib.import_module(_name)
