"""The built-in functions of FEEL, by theme. (DMN 1.3, 10.3.4; `now`, `today` and a few of DMN 1.4 and 1.5 with them)"""

from webapp.engine.feel.builtins import (  # noqa: F401  # each module registers its functions
    contexts,
    conversion,
    lists,
    numeric,
    ranges,
    statistics,
    strings,
    temporal,
)
from webapp.engine.feel.builtins.registry import BUILTINS

__all__ = ["BUILTINS"]
