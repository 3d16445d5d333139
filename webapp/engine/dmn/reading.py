"""Reading a DMN file that a stranger wrote, and collecting everything that is wrong with it.

No DTD, no entities, no network, bounded size. Elements of other namespaces (drawings, extensions) are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from webapp.engine.errors import DeploymentRefused, FeelError
from webapp.engine.types import Finding

Element = etree._Element

MAX_BYTES: Final = 4 * 1024 * 1024
#: DMN 1.1 to 1.5: what we carry out is the same in all of them.
NAMESPACES: Final = frozenset(
    {
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    }
)


class Findings:
    """What is wrong, by element; the file is refused when there is anything."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def add(self, element: Element | None, code: str, message: str) -> None:
        self._found.append(Finding(identity(element), code, message))

    def expression(self, element: Element, error: FeelError) -> None:
        self.add(element, "feel", str(error))

    def refuse_if_any(self) -> None:
        """Errors: DeploymentRefused with all findings."""
        if self._found:
            raise DeploymentRefused(self._found)


def read_definitions(xml: bytes) -> Element:
    """The `definitions` element. Errors: DeploymentRefused."""
    if len(xml) > MAX_BYTES:
        raise _refused("dmn_size", f"DMN 文件超过 {MAX_BYTES // 1024 // 1024} MB。")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise _refused("dmn_xml", "DMN 文件不是合法的 XML。") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("dmn_dtd", "DMN 文件不得包含 DTD 或实体声明。")
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        raise _refused("dmn_root", "根元素应为 DMN 1.1 至 1.5 的 definitions。")
    return root


def _refused(code: str, message: str) -> DeploymentRefused:
    return DeploymentRefused([Finding(None, code, message)])


def tag(element: Element) -> str:
    """The local name of a DMN element; empty for others."""
    name = etree.QName(element)
    return name.localname if name.namespace in NAMESPACES else ""


def children(element: Element, *names: str) -> list[Element]:
    """The DMN children of these names (all of them, when none is given), in order."""
    return list(_children(element, names))


def _children(element: Element, names: tuple[str, ...]) -> Iterator[Element]:
    for child in element:
        name = tag(child)
        if name and (name in names or not names):
            yield child


def child(element: Element | None, *names: str) -> Element | None:
    """The first DMN child of these names."""
    return None if element is None else next(_children(element, names), None)


def text_of(element: Element | None, name: str = "text") -> str:
    """The text of a child, stripped; empty when there is none."""
    holder = child(element, name)
    return "" if holder is None else "".join(str(part) for part in holder.itertext()).strip()


def identity(element: Element | None) -> str | None:
    """The id of the element, or of the nearest around it that has one."""
    while element is not None:
        found = element.get("id")
        if found:
            return found
        element = element.getparent()
    return None


def reference(element: Element) -> str:
    """The id that an `href` points to, in this file."""
    return (element.get("href") or "").rpartition("#")[2]
