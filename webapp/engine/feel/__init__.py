"""FEEL, the expression language of DMN 1.3: our own lexer, grammar and compiler to closures; no Python eval anywhere.

Everything that designers write (conditions, scripts, mappings, cells of decision tables) is FEEL and nothing else, with
a bounded cost: see `budget`.
"""

from webapp.engine.errors import FeelError, LimitExceeded
from webapp.engine.feel.budget import Limits
from webapp.engine.feel.expression import (
    Evaluation,
    Expression,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)
from webapp.engine.feel.values import Range, YearsMonths

__all__ = [
    "Evaluation",
    "Expression",
    "FeelError",
    "LimitExceeded",
    "Limits",
    "Range",
    "UnaryTests",
    "YearsMonths",
    "compile_expression",
    "compile_unary_tests",
]
