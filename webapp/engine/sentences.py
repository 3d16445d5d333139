"""Sentences that the engine says: Chinese in the code, collected for the catalogues, translated by whoever shows them.

The engine does not know who reads (no gettext here): it gives a sentence together with its pattern and its values.
"""

from __future__ import annotations

from collections.abc import Mapping


def _(pattern: str) -> str:
    """Marks a pattern (with `%(name)s`) or a word for the catalogues; gives it back unchanged."""
    return pattern


def fill(pattern: str, values: Mapping[str, object]) -> str:
    """The Chinese sentence."""
    return pattern % values if values else pattern
