"""Words of a form: `{{expression}}` templates, and the little Markdown that form-js text views use, made safe."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import re2
from markupsafe import Markup, escape

from webapp import clock

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.S)
_LINK = re.compile(r"\[([^\]]+)\]\(((?:https?://|/|#)[^)\s]*)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def check(words: str) -> None:
    """Refuse blocks (`{{#if …}}`), which only the browser's form viewer knows. Errors: ValueError."""
    for source in _TEMPLATE.findall(words):
        if not source.strip() or source.strip()[0] in "#/^>!":
            raise ValueError(source)


def expressions(words: str) -> Iterator[str]:
    """The FEEL in a text: all of it after a leading `=`, or what stands in double braces."""
    if words.startswith("="):
        yield words
    else:
        yield from (source.strip() for source in _TEMPLATE.findall(words))


def fill(words: str, evaluate: Callable[[str], Any]) -> str:
    """The text with its expressions replaced by what they give."""
    if words.startswith("="):
        return shown(evaluate(words))
    return _TEMPLATE.sub(lambda match: shown(evaluate(match.group(1).strip())), words)


def shown(value: Any) -> str:
    """A value in words: nothing for null, no trailing zeros, dates as people write them (Beijing time)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, datetime):
        local = value.astimezone(clock.BEIJING)
        return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}"
    if isinstance(value, date):
        return f"{value.year} 年 {value.month} 月 {value.day} 日"
    if isinstance(value, list | tuple):
        return "、".join(shown(item) for item in value)
    return str(value)


def _inline(line: str) -> Markup:
    safe = str(escape(line))
    safe = _LINK.sub(lambda m: f'<a href="{m.group(2)}">{m.group(1)}</a>', safe)
    return Markup(_BOLD.sub(r"<strong>\1</strong>", safe))


def markdown(words: str) -> Markup:
    """Headings, paragraphs, lists, bold and links; everything else is shown as it was written."""
    out: list[Markup] = []
    items: list[Markup] = []

    def end_list() -> None:
        if items:
            out.append(Markup("<ul>") + Markup("").join(items) + Markup("</ul>"))
            items.clear()

    for line in words.split("\n"):
        stripped = line.strip()
        if stripped.startswith(("- ", "* ")):
            items.append(Markup("<li>{}</li>").format(_inline(stripped[2:])))
            continue
        end_list()
        if heading := re.match(r"(#{1,4})\s+(.*)", stripped):
            level = max(2, len(heading.group(1)) - 1)  # the only h1 is the page's title, then comes h2
            out.append(Markup(f"<h{level}>{{}}</h{level}>").format(_inline(heading.group(2))))
        elif stripped:
            out.append(Markup("<p>{}</p>").format(_inline(stripped)))
    end_list()
    return Markup("").join(out)


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """The RE2 of a `validate.pattern` (linear time), None when it is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def ascii_width(words: str) -> str:
    """Full-width letters, digits and signs (１２３，ＡＢＣ) as ASCII."""
    return words.translate(_FULL_WIDTH)
