"""How a built-in function is declared, checked and charged.

    @builtin("substring", "string number number?", "string, start position, length")

Types: string number boolean list context function any, `?` after an argument that may be missing or null. A single
value stands for a list of one, and a list of one for its item. What is of the wrong type, or what the function refuses
with an ordinary Python error, is null with a warning. Arguments and results are charged here, by their size, for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from webapp.engine.feel.budget import Run
from webapp.engine.feel.operators import describe
from webapp.engine.feel.values import Function, Value, kind

BUILTINS: Final[dict[str, Function]] = {}

_Body = TypeVar("_Body", bound=Callable[..., Value])
_TYPES: Final[dict[str, type]] = {
    "string": str,
    "number": Decimal,
    "boolean": bool,
    "context": dict,
    "function": Function,
}
_REFUSALS: Final = (ValueError, ArithmeticError, TypeError, LookupError, AttributeError)
_MAX_WHOLE: Final = 10**9


class _Parameter(NamedTuple):
    type_name: str
    optional: bool


def builtin(name: str, types: str, *names: str) -> Callable[[_Body], _Body]:
    """Declare a function `body(run, *arguments)`. Each of `names` is one way to name the parameters."""
    parameters = [_Parameter(word.rstrip("?"), word.endswith("?")) for word in types.split()]
    least = sum(not parameter.optional for parameter in parameters)

    def register(body: _Body) -> _Body:
        def call(run: Run, *arguments: Value) -> Value:
            try:
                return _charged(run, body(run, *[_fitting(run, *pair) for pair in zip(arguments, parameters)]))  # noqa: B905
            except _REFUSALS as error:
                return run.null(f"函数 {name}：{describe(error)}")

        BUILTINS[name] = Function(name, _alternatives(names), call, least, len(parameters))
        return body

    return register


def variadic(name: str, parameter: str = "list") -> Callable[[_Body], _Body]:
    """Declare a function `body(run, items)` that takes one list or any number of arguments."""

    def register(body: _Body) -> _Body:
        def call(run: Run, *arguments: Value) -> Value:
            one_list = len(arguments) == 1 and type(arguments[0]) is list
            items = arguments[0] if one_list else list(arguments)
            _charged(run, items)
            try:
                return _charged(run, body(run, items))
            except _REFUSALS as error:
                return run.null(f"函数 {name}：{describe(error)}")

        BUILTINS[name] = Function(name, ((parameter,),), call, 0, None)
        return body

    return register


def of_lists(name: str, parameter: str = "list") -> Callable[[_Body], _Body]:
    """Declare a function `body(run, first, *more)` whose arguments, one or many, are charged and passed as they are."""

    def register(body: _Body) -> _Body:
        def call(run: Run, *arguments: Value) -> Value:
            for argument in arguments:
                run.value(argument)
            return _charged(run, body(run, *arguments))

        BUILTINS[name] = Function(name, ((parameter,),), call, 1, None)
        return body

    return register


def whole(number: Decimal) -> int:
    """A whole number of reasonable size. Errors: ValueError."""
    if number != number.to_integral_value() or abs(number) > _MAX_WHOLE:
        raise ValueError(f"{number:.10g} 不是整数")
    return int(number)


def position_in(length: int, position: Decimal) -> int:
    """A position from 1 (from the end when negative) as an index from 0. Errors: ValueError."""
    index = whole(position)
    if index == 0 or abs(index) > length:
        raise ValueError(f"位置 {index} 超出范围")
    return index - 1 if index > 0 else length + index


def numbers(items: Sequence[Value]) -> Sequence[Decimal]:
    """The items, all numbers. Errors: ValueError."""
    if any(type(item) is not Decimal for item in items):
        raise ValueError("只接受 number")
    return items


def _alternatives(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.strip() for part in line.split(",") if part.strip()) for line in names) or ((),)


def _fitting(run: Run, value: Value, parameter: _Parameter) -> Value:
    """The argument, charged, as the parameter's type. Errors: TypeError."""
    run.value(value)
    if value is None:
        if parameter.optional or parameter.type_name == "any":
            return None
        raise TypeError("参数为 null")
    if parameter.type_name == "list":
        return value if type(value) is list else [value]
    wanted = _TYPES.get(parameter.type_name)
    if wanted is None or type(value) is wanted:
        return value
    if type(value) is list and len(value) == 1 and type(value[0]) is wanted:
        return value[0]
    raise TypeError(f"不接受 {kind(value)}")


def _charged(run: Run, value: Value) -> Value:
    run.value(value)
    return value
