"""`rivusio-handler`: a `handle_error` that cannot be called, or whose result does not fit."""

from __future__ import annotations

from mypy import nodes, types
from mypy.nodes import ArgKind
from mypy.plugin import CheckerPluginInterface
from mypy.subtypes import find_member, is_subtype
from mypy.types import get_proper_type
from mypy.typevars import fill_typevars

from rivusio.compiler.known_names import (
    ASYNC_FILTER_PIPE,
    ASYNC_FLAT_MAP_PIPE,
    BATCH_STREAM_PIPE,
    FILTER_PIPE,
    FLAT_MAP_PIPE,
    SLIDING_WINDOW_PIPE,
    WINDOWED_STREAM_PIPE,
)
from rivusio.compiler.mypy_plugin import reporting
from rivusio.compiler.mypy_plugin.async_methods import written
from rivusio.compiler.typecheck import stage_types, type_predicates
from rivusio.compiler.typecheck.display import texts
from rivusio.compiler.typecheck.stage_types import Pipe

NAME = "handle_error"
FILTERS = {FILTER_PIPE, ASYNC_FILTER_PIPE}
FLAT_MAPS = {FLAT_MAP_PIPE, ASYNC_FLAT_MAP_PIPE}
OF_LISTS = {
    BATCH_STREAM_PIPE,
    WINDOWED_STREAM_PIPE,
    SLIDING_WINDOW_PIPE,
}


def check(api: CheckerPluginInterface, info: nodes.TypeInfo) -> None:
    """Check the `handle_error` that is written in a class of pipes."""
    symbol = info.names.get(NAME)
    if symbol is None or symbol.node is None:
        return
    itself = get_proper_type(fill_typevars(info))
    if isinstance(itself, types.TupleType):
        itself = itself.partial_fallback
    found = find_member(NAME, itself, itself) if isinstance(itself, types.Instance) else None
    proper = None if found is None else get_proper_type(found)
    where = written(info, NAME) or info.defn
    match stage_types.meaning_of(itself), proper:
        case (Pipe() as pipe,), types.FunctionLike():
            _Handler(api, info, pipe, proper, where).check()


class _Handler:
    def __init__(
        self,
        api: CheckerPluginInterface,
        info: nodes.TypeInfo,
        pipe: Pipe,
        its: types.FunctionLike,
        where: nodes.Context,
    ) -> None:
        self._api = api
        self._info = info
        self._pipe = pipe
        self._its = its
        self._where = where
        self._bases = {base.fullname for base in info.mro}

    def check(self) -> None:
        if written(self._info, "process_stream") is not None:
            self._say(
                f'"{self._info.name}" overrides "process_stream": its "{NAME}" is never called',
                "handle errors inside process_stream, or override process_item instead",
            )
            return
        item, wanted = self._item(), self._wanted()
        error = self._api.named_generic_type("builtins.Exception", [])
        taken = [error, item]
        fits = types.CallableType(
            taken,
            [ArgKind.ARG_POS] * 2,
            [None] * 2,
            type_predicates.ANY,
            self._api.named_generic_type("builtins.function", []),
        )
        if not is_subtype(self._its, fits):
            [shown] = texts(item)
            self._say(
                f'"{NAME}" of "{self._info.name}" cannot be called with the error and "{shown}"',
                f'make it "def {NAME}(self, error: Exception, data: {shown})"',
            )
            return
        gives = self._its.items[0].ret_type
        awaited = type_predicates.awaitable_of(gives)
        if awaited is not None and self._pipe.family == "sync":
            self._say(
                f'"{NAME}" of "{self._info.name}" is async, but the pipe is sync',
                f'make {NAME} a plain "def"',
            )
            return
        gives = gives if awaited is None else awaited
        if not is_subtype(gives, wanted):
            given, want = texts(gives, wanted)
            self._say(
                f'"{NAME}" of "{self._info.name}" gives "{given}" '
                f'in place of a result of type "{want}"',
                f'let it give "{want}", or raise the error again',
            )

    def _say(self, message: str, note: str) -> None:
        reporting.report(self._api, self._where, message, note, reporting.HANDLER)

    def _item(self) -> types.Type:
        """Say what the stage gets: a list, where it collects its items."""
        takes = self._pipe.takes
        if self._bases & OF_LISTS:
            return self._api.named_generic_type("builtins.list", [takes])
        return takes

    def _wanted(self) -> types.Type:
        out = self._pipe.out
        if self._bases & FILTERS:
            return self._api.named_generic_type("builtins.bool", [])
        if self._bases & FLAT_MAPS:
            return self._api.named_generic_type("typing.Iterable", [out])
        return out
