"""Names of FEEL: which of them need to be known before an expression that uses them can be read.

Words that stand side by side make one name (`Monthly Salary`, `申请 日期`), because two names never do. Only a name
with an operator or a keyword inside (`net-price`, `in stock`, `date and time`) must be declared to be read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

KEYWORDS: Final = frozenset(
    {"and", "or", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between"}
    | {"function", "external", "true", "false", "null"}
)
#: Names of types and functions with a keyword inside.
STANDARD_ODD_NAMES: Final = frozenset({"date and time", "years and months duration", "days and time duration"})
_WORDS: Final = re.compile(r"\w+(?:\s+\w+)*+")
_LEXEME: Final = re.compile(r"\w+|[^\w\s]")


def normalized(name: str) -> str:
    """The name with single spaces."""
    return " ".join(name.split())


@lru_cache(maxsize=8192)
def is_odd(name: str) -> bool:
    """Whether merging words would not read this name back whole."""
    if not _WORDS.fullmatch(name):
        return True
    words = name.split()
    return any(word in KEYWORDS for word in words) or words[0] == "not" or "instance" in words


def odd_names(names: Iterable[str]) -> frozenset[str]:
    """Those of the names that must be declared (none of the empty ones)."""
    return frozenset([name for name in names if is_odd(name) and name.strip()])


@lru_cache(maxsize=512)
def pattern_of(names: frozenset[str]) -> re.Pattern[str] | None:
    """Matches any of the names, the longest first, whatever the spacing; None when there is no name."""
    if not names:
        return None
    return re.compile("|".join(_pattern(name) for name in sorted(names, key=len, reverse=True)))


def _pattern(name: str) -> str:
    lexemes = _LEXEME.findall(name)
    text = re.escape(lexemes[0])
    for before, lexeme in pairwise(lexemes):
        apart = before[-1].isalnum() and lexeme[0].isalnum()
        text += (r"\s++" if apart else r"\s*+") + re.escape(lexeme)
    return f"(?:{text})(?!\\w)"
