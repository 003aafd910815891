"""What the settings of a stage come down to, where they are written in the text.

    Clean().with_config(StreamConfig(retry_attempts=3))     it is tried again
    Clean(config=SETTINGS)                                  the same, for a name bound once

What only running the program can tell is `Undetermined`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mypy import nodes, types
from mypy.nodes import ArgKind

from rivusio.compiler.analysis.bindings import Bindings
from rivusio.compiler.known_names import IN_CONFIG

NOT_WRITTEN = "its settings are not written here"


class Undetermined(Exception):  # noqa: N818  it is an answer
    """The text does not tell; the message says what, in words that go behind a stage's name."""


@dataclass(frozen=True)
class Said:
    """What the settings ask for, as far as it decides how code looks."""

    treats: bool = False
    times: bool = False
    skips_none: bool = False
    buffers: bool = False


@dataclass(frozen=True)
class Reading:
    """What expressions are read with: what names stand for, and what mypy has inferred."""

    bindings: Bindings
    inferred: dict[nodes.Expression, types.Type]

    def said(self, config: nodes.Expression) -> Said | None:
        """Say what a configuration asks for; None for `None`, which leaves things as they are.

        Raises:
            Undetermined: when it is not written here, or depends on what is not.
        """
        config = self.bindings.seen_through(config, unless_changed=True)
        if is_none(config):
            return None
        match config:
            case nodes.CallExpr(callee=nodes.RefExpr(fullname=name)) if name.startswith(IN_CONFIG):
                fields = _fields(config)
            case _:
                raise Undetermined(NOT_WRITTEN)
        match name.removeprefix(IN_CONFIG):
            case "BackpressureConfig":
                return Said(buffers=True)
            case "StreamConfig":
                return self._stream(fields)
        raise Undetermined(NOT_WRITTEN)

    def is_given(self, value: nodes.Expression | None, what: str) -> bool:
        """Tell whether an argument is there and not `None`.

        Raises:
            Undetermined: when it may be either.
        """
        if value is None:
            return False
        value = self.bindings.seen_through(value)
        if is_none(value):
            return False
        if may_be_none(self.inferred.get(value)):
            raise Undetermined(f"{what} may be None")
        return True

    def number(self, value: nodes.Expression) -> int | None:
        """Give a whole number that is written in the text; None for any other expression."""
        value = self.bindings.seen_through(value)
        return value.value if isinstance(value, nodes.IntExpr) else None

    def _stream(self, fields: dict[str, nodes.Expression]) -> Said:
        timed = self.is_given(fields.get("timeout"), "its timeout")
        buffered = "buffer_size" in fields or self.is_given(
            fields.get("backpressure"), "its backpressure"
        )
        return Said(
            treats=timed or self._retries(fields) or self._handles(fields),
            times=timed,
            skips_none=self._skips_none(fields),
            buffers=buffered,
        )

    def _retries(self, fields: dict[str, nodes.Expression]) -> bool:
        if "retry_attempts" not in fields:
            return False
        attempts = self.number(fields["retry_attempts"])
        if attempts is None:
            raise Undetermined("its retry_attempts is not written here")
        return attempts > 1

    def _handles(self, fields: dict[str, nodes.Expression]) -> bool:
        if "on_error" not in fields:
            return False
        given = self.bindings.seen_through(fields["on_error"])
        if isinstance(given, nodes.StrExpr):
            return given.value != "raise"
        if _may_be_text(self.inferred.get(given)):
            raise Undetermined("its on_error is not written here")
        return True

    def _skips_none(self, fields: dict[str, nodes.Expression]) -> bool:
        if "skip_none" not in fields:
            return False
        match self.bindings.seen_through(fields["skip_none"]):
            case nodes.NameExpr(fullname="builtins.True"):
                return True
            case nodes.NameExpr(fullname="builtins.False"):
                return False
        raise Undetermined("its skip_none is not written here")


def _fields(call: nodes.CallExpr) -> dict[str, nodes.Expression]:
    if any(kind is not ArgKind.ARG_NAMED for kind in call.arg_kinds):
        raise Undetermined(NOT_WRITTEN)
    pairs = zip(call.arg_names, call.args, strict=True)
    return {name: value for name, value in pairs if name is not None}


def is_none(expression: nodes.Expression) -> bool:
    """Tell whether `None` is written there."""
    return isinstance(expression, nodes.NameExpr) and expression.fullname == "builtins.None"


def may_be_none(of: types.Type | None) -> bool:
    """Tell whether a value of the type could be `None`, for all that is known."""
    match None if of is None else types.get_proper_type(of):
        case None | types.AnyType() | types.NoneType():
            return True
        case types.UnionType(items=items):
            return any(map(may_be_none, items))
    return False


def _may_be_text(of: types.Type | None) -> bool:
    match None if of is None else types.get_proper_type(of):
        case None | types.AnyType():
            return True
        case types.UnionType(items=items):
            return any(map(_may_be_text, items))
        case types.LiteralType(fallback=fallback):
            return _may_be_text(fallback)
        case types.Instance(type=info):
            return info.fullname in {"builtins.str", "builtins.object"}
    return False
