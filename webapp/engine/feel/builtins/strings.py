"""String functions; positions count code points. Patterns run in RE2: time linear in the text. (DMN 1.3, 10.3.4.3)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import re2

from webapp.engine.feel.budget import Run
from webapp.engine.feel.builtins.registry import builtin, position_in
from webapp.engine.feel.values import Value

_MAX_PATTERN: Final = 500
_MAX_PROGRAM: Final = 5_000
_PATTERN_MEMORY: Final = 1 << 20  # bytes for one compiled pattern and its automaton
_REPLACEMENT_PART: Final = re.compile(r"\\.|\$[0-9]", re.S)
_SPECIAL: Final = frozenset("\\^$.|?*+()[]{}")


@builtin("substring", "string number number?", "string, start position, length")
def _substring(run: Run, text: str, position: Decimal, length: Decimal | None = None) -> str:
    start = position_in(max(len(text), 1), position)
    return text[start:] if length is None else text[start : start + max(int(min(length, Decimal(len(text)))), 0)]


@builtin("string length", "string", "string")
def _string_length(run: Run, text: str) -> Decimal:
    return Decimal(len(text))


@builtin("upper case", "string", "string")
def _upper_case(run: Run, text: str) -> str:
    return text.upper()


@builtin("lower case", "string", "string")
def _lower_case(run: Run, text: str) -> str:
    return text.lower()


@builtin("substring before", "string string", "string, match")
def _substring_before(run: Run, text: str, match: str) -> str:
    return text.partition(match)[0] if match and match in text else ""


@builtin("substring after", "string string", "string, match")
def _substring_after(run: Run, text: str, match: str) -> str:
    return text.partition(match)[2] if match else text


@builtin("contains", "string string", "string, match")
def _contains(run: Run, text: str, match: str) -> bool:
    return match in text


@builtin("starts with", "string string", "string, match")
def _starts_with(run: Run, text: str, match: str) -> bool:
    return text.startswith(match)


@builtin("ends with", "string string", "string, match")
def _ends_with(run: Run, text: str, match: str) -> bool:
    return text.endswith(match)


@builtin("trim", "string", "string")
def _trim(run: Run, text: str) -> str:
    return text.strip()


@builtin("string join", "list string?", "list, delimiter")
def _string_join(run: Run, items: list[Value], delimiter: str | None = None) -> str:
    """Joins strings; nulls are left out."""
    parts = [item for item in items if item is not None]
    for part in parts:
        if type(part) is not str:
            raise TypeError("只接受 string")
        run.text(part)
        run.text(delimiter or "")
    return (delimiter or "").join(parts)


# ---- regular expressions -----------------------------------------------------------------------------------------


@builtin("matches", "string string string?", "input, pattern, flags")
def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    compiled = _compiled(run, pattern, flags or "")
    run.charge(_search_cost(compiled, len(text)))
    return compiled.search(text) is not None


@builtin("replace", "string string string string?", "input, pattern, replacement, flags")
def _replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    compiled = _compiled(run, pattern, flags or "")
    template = _template(replacement, compiled.groups)
    pieces, end, length = [], 0, 0
    for match in _found(run, compiled, text):
        filled = [part if isinstance(part, str) else match.group(part) or "" for part in template]
        for piece in (text[end : match.start()], *filled):
            length += len(piece)
            run.charge(len(piece) >> 6)
            pieces.append(piece)
        if length > run.limits.text:
            run.text("".join(pieces))
        end = match.end()
    return "".join([*pieces, text[end:]])


@builtin("split", "string string", "string, delimiter")
def _split(run: Run, text: str, delimiter: str) -> list[str]:
    if delimiter and not _SPECIAL.intersection(delimiter):
        run.grow(text.count(delimiter))
        return text.split(delimiter)
    parts: list[str] = []
    end = 0
    for match in _found(run, _compiled(run, delimiter, ""), text):
        run.grow(len(parts))
        parts.append(text[end : match.start()])
        end = match.end()
    return [*parts, text[end:]]


def _compiled(run: Run, pattern: str, flags: str) -> Any:
    """The pattern for RE2; paid as if it were compiled each time. Flags as XPath's. Errors: ValueError."""
    compiled = _cached(pattern, flags)
    run.charge(len(pattern) + (int(compiled.programsize) >> 2))
    return compiled


@lru_cache(maxsize=256)
def _cached(pattern: str, flags: str) -> Any:
    if len(pattern) > _MAX_PATTERN or not set(flags) <= set("ismx"):
        raise ValueError("正则表达式过长，或标志不对")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    inline = "".join(flag for flag in "ism" if flag in flags)
    if "x" in flags:
        pattern = re.sub(r"\s+", "", pattern)
    try:
        compiled = re2.compile(f"(?{inline}:{pattern})" if inline else pattern, options)
    except re2.error:
        raise ValueError(f"“{pattern[:40]}”不是正则表达式") from None
    if compiled.programsize > _MAX_PROGRAM:
        raise ValueError("正则表达式过于复杂")
    return compiled


def _search_cost(compiled: Any, length: int) -> int:
    return 1 + (length * int(compiled.programsize) >> 10)


def _found(run: Run, compiled: Any, text: str) -> Iterator[Any]:
    """The matches one after the other; each search may have to look at all the text that is left."""
    run.charge(_search_cost(compiled, len(text)))
    for match in compiled.finditer(text):
        run.charge(_search_cost(compiled, len(text) - match.end()))
        yield match


def _template(replacement: str, groups: int) -> list[str | int]:
    """The parts of a replacement: texts, and numbers of groups ($0 the whole match)."""
    parts: list[str | int] = []
    end = 0
    for match in _REPLACEMENT_PART.finditer(replacement):
        parts.append(replacement[end : match.start()])
        end = match.end()
        if match[0][0] == "\\":
            parts.append(match[0][1])
        elif int(match[0][1]) <= groups:
            parts.append(int(match[0][1]))
    return [*parts, replacement[end:]]
