"""Reading BPMN files that strangers send: no DTD, no entities, no network, bounded size (OWASP XXE)."""

from __future__ import annotations

from lxml import etree

from webapp.engine.bpmn.mending import MENDS
from webapp.engine.errors import DeploymentRefused
from webapp.engine.sentences import _, fill
from webapp.engine.types import Finding

MAX_BYTES = 4 * 1024 * 1024

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
QIANYIN = "{https://qianyin.example/schema/bpmn}"


def parse_xml(data: bytes, *, whole: bool = False) -> etree._Element:
    """The root of a document; `whole`: with its comments and processing instructions, to be written again.

    Errors: DeploymentRefused (too large, not well-formed, carries a DTD).
    """
    if len(data) > MAX_BYTES:
        raise refuse(None, "too_large", _("模型文件超过 %(most)s MB。"), most=MAX_BYTES // 1024 // 1024)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=not whole,
        remove_pis=not whole,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise refuse(None, "dtd", _("模型文件不得包含 DTD 或实体声明。")) from error
        line = getattr(error, "lineno", None)
        if line:
            raise refuse(None, "not_xml", _("文件第 %(line)s 行附近不是合法的 XML。"), line=line) from error
        raise refuse(None, "not_xml", _("文件不是合法的 XML。")) from error
    if str(getattr(root.getroottree().docinfo, "doctype", "")):
        raise refuse(None, "dtd", _("模型文件不得包含 DTD 或实体声明。"))
    return root


def refuse(element_id: str | None, code: str, pattern: str, **values: object) -> DeploymentRefused:
    """The refusal of a whole file."""
    told = {name: str(value) for name, value in values.items()}
    return DeploymentRefused([Finding(element_id, code, fill(pattern, told), "error", pattern, told, MENDS[code])])


def local(node: etree._Element) -> str:
    """The BPMN local name of a tag, or the whole tag when it belongs to another namespace."""
    tag = str(node.tag)
    return tag[len(BPMN) :] if tag.startswith(BPMN) else tag


def flag(node: etree._Element, name: str, default: bool = False) -> bool:
    """An xsd:boolean attribute."""
    value = node.get(name)
    return default if value is None else value.strip() in ("true", "1")


def text(node: etree._Element | None) -> str:
    """All text inside a node, stripped."""
    return "" if node is None else "".join(str(part) for part in node.itertext()).strip()
