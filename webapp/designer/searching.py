"""Words looked for in the library: names of elements, conditions, fields, whatever a file of the working sets says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.designer import library
from webapp.engine.bpmn.xml import BPMN, local, parse_xml, text
from webapp.engine.errors import DeploymentRefused

_MOST = 100


@dataclass(frozen=True, slots=True)
class Match:
    """`element_id`: in a diagram, else ''; `words`: what was found."""

    folder: library.Folder
    path: str
    element_id: str
    kind: str
    words: str


def search(session: Session, words: str) -> list[Match]:
    """What holds all the words, at most a hundred."""
    wanted = words.casefold().split()
    found: list[Match] = []
    for folder in library.folders(session) if wanted else ():
        for path, content in library.working(session, folder.key).items():
            for element_id, kind, said in _texts(path, content):
                if all(word in f"{said} {element_id}".casefold() for word in wanted):
                    found.append(Match(folder, path, element_id, kind, said[:200]))
                    if len(found) == _MOST:
                        return found
    return found


def _texts(path: str, content: bytes) -> Iterator[tuple[str, str, str]]:
    if library.kind(path) != "bpmn":
        try:
            lines = content.decode().splitlines()
        except UnicodeDecodeError:
            return  # a DOCX
        yield from (("", library.kind(path), line.strip()) for line in lines if len(line) < 2000)
        return
    try:
        root = parse_xml(content)
    except DeploymentRefused:
        return
    for node in root.iter(f"{BPMN}*"):
        id, name = node.get("id") or "", node.get("name") or ""
        if name and id:
            yield id, "name", name
        if local(node) in ("conditionExpression", "documentation", "script", "condition"):
            parent = node.getparent()
            yield (parent.get("id") or "" if parent is not None else "", "text", text(node))
