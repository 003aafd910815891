"""What rivusio makes of a class of pipes: its kind, and which of its methods is called."""

from __future__ import annotations

from dataclasses import dataclass

from mypy import nodes, types

from rivusio.compiler.analysis.settings import Undetermined
from rivusio.compiler.known_names import (
    ASYNC_BASE_PIPE,
    ASYNC_FILTER_PIPE,
    ASYNC_FLAT_MAP_PIPE,
    BATCH_STREAM_PIPE,
    FILTER_PIPE,
    FLAT_MAP_PIPE,
    SLIDING_WINDOW_PIPE,
    STREAM_PIPE,
    SYNC_BASE_PIPE,
    WINDOWED_STREAM_PIPE,
)
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE
from rivusio.graph.operations import Entry, Kind


@dataclass(frozen=True)
class PipeFamily:
    """What a class of rivusio's makes of the classes that inherit from it."""

    kind: Kind
    method: str
    entry: Entry | None = None  # None: awaited if it is a coroutine function, else looked at


FAMILIES = {
    SYNC_BASE_PIPE: PipeFamily("map", "process", entry="call"),
    ASYNC_BASE_PIPE: PipeFamily("map", "process"),
    FILTER_PIPE: PipeFamily("filter", "keep", entry="call"),
    ASYNC_FILTER_PIPE: PipeFamily("filter", "keep"),
    FLAT_MAP_PIPE: PipeFamily("flat_map", "expand", entry="call"),
    ASYNC_FLAT_MAP_PIPE: PipeFamily("flat_map", "expand"),
    STREAM_PIPE: PipeFamily("map", "process_item"),
    BATCH_STREAM_PIPE: PipeFamily("batch", "process_batch"),
    WINDOWED_STREAM_PIPE: PipeFamily("tumbling", "process_window"),
    SLIDING_WINDOW_PIPE: PipeFamily("sliding", "process_window"),
}
# What a stage calls: where something is assigned to one of these, its class does not say it.
METHODS = {each.method for each in FAMILIES.values()} | {"process_stream", "handle_error"}


def family_of(info: nodes.TypeInfo) -> tuple[PipeFamily, nodes.TypeInfo]:
    """Say what rivusio makes of a class of pipes, and by which class of its own."""
    ours = next((base for base in info.mro if base.fullname.startswith("rivusio.")), None)
    family = None if ours is None else FAMILIES.get(ours.fullname)
    if ours is None or family is None or defines(info, "_rivusio_operation"):
        raise Undetermined(UNKNOWN_PIPE)
    return family, ours


def defines(info: nodes.TypeInfo, name: str) -> bool:
    """Tell whether a class of the user's own has that name, and not only rivusio's."""
    owner = next((base for base in info.mro if name in base.names), None)
    return owner is not None and not owner.fullname.startswith(("rivusio.", "builtins."))


def class_itself(its: types.Type | None) -> nodes.TypeInfo | None:
    """Give the class that a type stands for, if it is that of a class itself."""
    match None if its is None else types.get_proper_type(its):
        case types.FunctionLike() as function if function.is_type_obj():
            return function.type_object()
    return None


def _callee(callee: nodes.Expression) -> nodes.Expression:
    return callee.base if isinstance(callee, nodes.IndexExpr) else callee


def called_name(callee: nodes.Expression) -> str:
    """Give the full name of what is called; an alias stands for its class."""
    inner = _callee(callee)
    return inner.fullname if isinstance(inner, nodes.RefExpr) else ""


def called_node(callee: nodes.Expression) -> nodes.SymbolNode | None:
    """Give what mypy knows of what is called, if that is a name."""
    inner = _callee(callee)
    return inner.node if isinstance(inner, nodes.RefExpr) else None
