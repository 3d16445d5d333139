"""What a file really is: judged by its bytes, never by its name alone.

Accepted are PDF, JPEG and PNG. Each refusal is one sentence that says what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from webapp.errors import Invalid
from webapp.i18n import _

T = TypeVar("T")

#: A scanned A4 page at 600 dpi has 35 megapixels; more than this is a decompression bomb or a slip.
MAX_PIXELS = 80_000_000
MAX_PAGES = 2_000
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
EXTENSIONS = {PDF: (".pdf",), JPEG: (".jpg", ".jpeg"), PNG: (".png",)}
NAMES = {PDF: "PDF", JPEG: "JPEG", PNG: "PNG"}
_ACTIVE = re.compile(rb"/(JavaScript|Launch|RichMedia|EmbeddedFile)[\s/<(\[]")
_ACTIVE_ACTIONS = {"/JavaScript": "javascript", "/Launch": "launch", "/RichMedia": "rich_media"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the bytes are. `flags`: active content found in a PDF (javascript, launch, rich_media, attachment)."""

    media_type: str
    pages: int | None = None
    flags: tuple[str, ...] = ()


def check(path: Path, filename: str, *, max_size: int) -> Checked:
    """Judge the file at `path`. Errors: Invalid, with a sentence: it is empty, too big, unreadable or not allowed."""
    size = path.stat().st_size
    if size == 0:
        raise Invalid(_("文件“%(name)s”是空的（0 字节），请重新选择文件。", name=filename))
    if size > max_size:
        raise too_big(filename, max_size)
    media_type = sniff(path)
    if media_type is None:
        raise Invalid(_("文件“%(name)s”不是 PDF、JPEG 或 PNG，请转换格式后再上传。", name=filename))
    suffix = Path(filename).suffix.lower()
    if suffix not in EXTENSIONS[media_type]:
        raise Invalid(_wrong_extension(filename, suffix, media_type))
    return _check_pdf(path, filename) if media_type == PDF else _check_image(path, filename, media_type)


def too_big(filename: str, max_size: int) -> Invalid:
    """The refusal of a file over the limit (bytes)."""
    return Invalid(
        _(
            "文件“%(name)s”超过 %(limit)s MB，请压缩或拆分后再上传。",
            name=filename,
            limit=max_size // (1024 * 1024),
        )
    )


def sniff(path: Path) -> str | None:
    """The media type by the first bytes, or None when it is none of the accepted ones. ISO 32000-1 7.5.2 for PDF."""
    with path.open("rb") as file:
        head = file.read(1024)
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return PDF if b"%PDF-" in head else None


def _wrong_extension(filename: str, suffix: str, media_type: str) -> str:
    if not suffix:
        return _(
            "文件“%(name)s”没有扩展名，内容是 %(kind)s，请加上扩展名 %(ext)s 后再上传。",
            name=filename,
            kind=NAMES[media_type],
            ext=EXTENSIONS[media_type][0],
        )
    return _(
        "文件“%(name)s”的扩展名是 %(suffix)s，内容却是 %(kind)s，请核对是否选错文件。",
        name=filename,
        suffix=suffix,
        kind=NAMES[media_type],
    )


def _check_image(path: Path, filename: str, media_type: str) -> Checked:
    try:
        with Image.open(path, formats=[NAMES[media_type]]) as image:
            width, height = image.size
            if width * height <= MAX_PIXELS:
                _decode(image, media_type)
                if media_type == JPEG and not _is_whole_jpeg(path):
                    raise ValueError("the picture is cut off")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        width = height = MAX_PIXELS
    except Exception as error:  # the decoders raise what they like on hostile bytes: all of it means unreadable
        raise Invalid(_("图片“%(name)s”已损坏，无法读取，请重新扫描或拍照后上传。", name=filename)) from error
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 10_000
        raise Invalid(_("图片“%(name)s”像素过多（上限 %(n)s 万像素），请缩小后再上传。", name=filename, n=limit))
    return Checked(media_type, pages=1)


def _decode(image: Image.Image, media_type: str) -> None:
    """Read the whole picture: checksums for PNG; JPEG at an eighth of its size, which decodes all of its bytes."""
    if media_type == PNG:
        image.verify()
    else:
        image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()


def _is_whole_jpeg(path: Path) -> bool:
    """Whether an end marker (EOI) follows the last scan; the decoder forgives once WeasyPrint is loaded."""
    data = path.read_bytes()
    scan = data.rfind(b"\xff\xda")
    return scan > 0 and data.find(b"\xff\xd9", scan) > 0


def _check_pdf(path: Path, filename: str) -> Checked:
    reader = _readable(lambda: PdfReader(path), filename)
    if reader.is_encrypted:
        raise Invalid(_("PDF“%(name)s”设有密码，无法审核，请去除密码后再上传。", name=filename))
    pages = _readable(lambda: len(reader.pages), filename)
    if pages == 0:
        raise Invalid(_("PDF“%(name)s”没有任何页面，请重新导出后再上传。", name=filename))
    if pages > MAX_PAGES:
        raise Invalid(_("PDF“%(name)s”超过 %(n)s 页，请只上传所需的页。", name=filename, n=MAX_PAGES))
    _readable(lambda: reader.pages[0].mediabox, filename)
    return Checked(PDF, pages=pages, flags=tuple(sorted(_active(path, reader))))


def _readable(read: Callable[[], T], filename: str) -> T:
    try:
        return read()
    except Exception as error:  # as with images: whatever the parser raises, the file cannot be read
        raise Invalid(_("PDF“%(name)s”已损坏，无法读取，请重新导出或扫描后上传。", name=filename)) from error


def _active(path: Path, reader: PdfReader) -> set[str]:
    """Active content: named in the bytes, or reachable from catalogue and pages (it may lie in compressed objects)."""
    names = {"JavaScript": "javascript", "Launch": "launch", "RichMedia": "rich_media"}
    found = {names.get(m.group(1).decode(), "attachment") for m in _ACTIVE.finditer(path.read_bytes())}
    try:
        found.update(_actions(reader))
    except Exception:  # a page that cannot be walked is flagged, for somebody to look at
        found.add("unchecked")
    return found


def _actions(reader: PdfReader) -> Iterator[str]:
    catalogue = reader.root_object
    yield from _named_trees(_object(catalogue.get("/Names")))
    yield from _of_action(catalogue.get("/OpenAction"))
    yield from _of_events(catalogue.get("/AA"))
    for page in reader.pages:
        yield from _of_events(page.get("/AA"))
        for entry in _object(page.get("/Annots")) or ():
            annotation = _object(entry)
            if isinstance(annotation, DictionaryObject):
                yield from _of_action(annotation.get("/A"))
                yield from _of_events(annotation.get("/AA"))
                yield from filter(None, [_ACTIVE_ACTIONS.get(str(annotation.get("/Subtype")))])


def _named_trees(names: Any) -> Iterator[str]:
    if isinstance(names, DictionaryObject):
        if "/JavaScript" in names:
            yield "javascript"
        if "/EmbeddedFiles" in names:
            yield "attachment"


def _of_events(events: Any) -> Iterator[str]:
    events = _object(events)
    if isinstance(events, DictionaryObject):
        for action in events.values():
            yield from _of_action(action)


def _of_action(action: Any) -> Iterator[str]:
    action = _object(action)
    if isinstance(action, DictionaryObject) and (kind := _ACTIVE_ACTIONS.get(str(action.get("/S")))):
        yield kind


def _object(value: Any) -> Any:
    resolved = value.get_object() if value is not None and hasattr(value, "get_object") else value
    return resolved if isinstance(resolved, DictionaryObject | ArrayObject) else None


FLAG_WORDS: dict[str, Callable[[], str]] = {
    "javascript": lambda: _("含脚本（JavaScript）"),
    "launch": lambda: _("含启动外部程序的动作"),
    "rich_media": lambda: _("含多媒体内容"),
    "attachment": lambda: _("含嵌入的附件"),
    "unchecked": lambda: _("有无法检查的内容"),
}


def flag_sentence(flags: tuple[str, ...] | list[str]) -> str:
    """What to tell people about a PDF with active content, or an empty string."""
    if not flags:
        return ""
    words = "、".join(FLAG_WORDS[flag]() for flag in flags if flag in FLAG_WORDS)
    return _("请留意：此 PDF %(what)s，请在受限的阅读器中打开。", what=words)
