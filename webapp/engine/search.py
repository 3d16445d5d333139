"""Search in Chinese without a dictionary: words of two characters, kept as lexemes of a tsvector.

PostgreSQL's own parser knows no Chinese and depends on the server's locale, so neither side goes through it: the
lexemes are made here, stored with `array_to_tsvector`, and asked for with a tsquery written here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_RUN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+|[^\W_㐀-鿿豈-﫿\U00020000-\U0003ffff]+")
_LIMIT = 400  # lexemes of one row


def _runs(text: str) -> Iterable[tuple[str, bool]]:
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        yield run, ord(run[0]) >= 0x3400


def bigrams(*texts: str) -> list[str]:
    """The lexemes of some texts, sorted: pairs of Chinese characters, whole words and numbers of other scripts.

    >>> bigrams("牵引单位 BA-2026-0187")
    ['0187', '2026', 'ba', '单位', '引单', '牵引']
    """
    found: set[str] = set()
    for text in texts:
        for run, chinese in _runs(text):
            if not chinese or len(run) == 1:
                found.add(run[:60])
            else:
                found.update(run[n : n + 2] for n in range(len(run) - 1))
    return sorted(found)[:_LIMIT]


def tsquery(text: str) -> str:
    """What a person typed as a tsquery literal (bind it and cast it: `:q ::tsquery`); "" when nothing can be searched.

    Every part must occur; the last one may be the beginning of a word.

    >>> tsquery("数字化 018")
    "'字化' & '数字' & '018':*"
    """
    parts: list[str] = []
    for run, chinese in _runs(text):
        if chinese and len(run) > 1:
            parts += sorted(f"'{run[n : n + 2]}'" for n in range(len(run) - 1))
        else:
            parts.append(f"'{run[:60]}':*")
    return " & ".join(dict.fromkeys(parts))
