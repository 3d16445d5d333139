"""What deployment would say of a folder as it stands on the table: the one source of findings for every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.accounts.roles import ROLES
from webapp.designer import comparing, library
from webapp.engine import deployment
from webapp.engine.handler_api import hooks
from webapp.engine.types import Finding
from webapp.i18n import _, say


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in the reader's language. `where`: the element's name or id, '' for the folder as a whole."""

    severity: str
    element_id: str
    where: str
    message: str
    mend: str


def findings(session: Session, files: Mapping[str, bytes]) -> list[Told]:
    """Errors first, then warnings; an empty set of files is one error."""
    if not files:
        return [Told("error", "", "", _("没有要部署的文件。"), _("先画流程图。"))]
    checked = deployment.review(session, files, hooks, roles=frozenset(ROLES))
    names = {
        id: facts.name
        for path, content in files.items()
        if library.kind(path) == "bpmn"
        for id, facts in comparing.read(content).items()
    }
    return [told(finding, names) for finding in (*checked.errors, *checked.warnings)]


def told(finding: Finding, names: Mapping[str, str] | None = None) -> Told:
    """One finding as people read it."""
    message = say(finding.pattern, finding.values) if finding.pattern else finding.message
    id = finding.element_id or ""
    return Told(finding.severity, id, (names or {}).get(id) or id, message, _(finding.mend) if finding.mend else "")
