"""What an argument is whose value stands in the text: `0`, `-1.5`, `"block"`, `timedelta(0)`."""

from __future__ import annotations

from datetime import timedelta

from mypy import nodes

CONSTANTS: dict[str, object] = {
    "builtins.True": True,
    "builtins.False": False,
    "builtins.None": None,
}


class NotLiteral(Exception):  # noqa: N818  it is an answer
    """The value is known only when the program runs."""


def value_of(expression: nodes.Expression) -> object:
    """Give the value of an expression.

    Raises:
        NotLiteral: when the text does not tell.
    """
    match expression:
        case nodes.IntExpr(value=value) | nodes.FloatExpr(value=value) | nodes.StrExpr(value=value):
            return value
        case nodes.UnaryExpr(op="-", expr=inner):
            number = value_of(inner)
            if isinstance(number, int | float):
                return -number
        case nodes.RefExpr(fullname=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case nodes.RefExpr(node=nodes.Var(final_value=value)) if value is not None:
            return value
        case nodes.CallExpr(callee=nodes.RefExpr(fullname="datetime.timedelta")):
            return _duration(expression)
    raise NotLiteral


def _duration(call: nodes.CallExpr) -> timedelta:
    given: list[float] = []
    named: dict[str, float] = {}
    for argument, name in zip(call.args, call.arg_names, strict=True):
        value = value_of(argument)
        if not isinstance(value, int | float):
            raise NotLiteral
        if name is None:
            given.append(value)
        else:
            named[name] = value
    try:
        return timedelta(*given, **named)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotLiteral from error  # mypy says what is wrong with the call
