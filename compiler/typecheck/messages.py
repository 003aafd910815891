"""The words for what is wrong with a chain: the same on the command line and out of mypy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from rivusio.compiler.typecheck.mismatches import (
    AnyMismatch,
    BothFunctions,
    IsClass,
    IsNoPipe,
    MustBeSync,
    TakesNoItem,
    TypesDiffer,
)


def message_and_note(
    what: AnyMismatch, names: Sequence[str], sources: Sequence[str]
) -> tuple[str, str]:
    """Say what is wrong, and what to do about it.

    Args:
        what: the finding.
        names: what the stages of the flat chain are called.
        sources: how they are written.
    """
    match what:
        case TypesDiffer(right=right) as differ:
            left = _numbered(names, right - 1)
            message = (
                f'{_numbered(names, right)} accepts "{differ.accepts}" '
                f'but {left} produces "{differ.produces}"'
            )
            return message, _fix(differ, left)
        case IsClass(stage=stage, class_name=name):
            return f"{_numbered(names, stage)} is a class, and no pipe", f"did you mean {name}()?"
        case IsNoPipe(stage=stage, type=its):
            message = f'{_numbered(names, stage)} is no pipe: it is of type "{its}"'
            return message, "join pipes, functions or coroutine functions"
        case TakesNoItem(stage=stage, type=its):
            message = f'{_numbered(names, stage)} cannot be called with one item: it is a "{its}"'
            return message, "give it one parameter for the item, and the others defaults"
        case BothFunctions(right=right):
            left = _numbered(names, right - 1)
            message = f"{_numbered(names, right)} and {left} are both functions: one must be a pipe"
            return message, f"make a pipe of the first: map({sources[right - 1]})"
        case MustBeSync(stage=stage):
            message = f"{_numbered(names, stage)} is async: a SyncPipeline cannot hold it"
            return message, "use AsyncPipeline"
        case _:
            assert_never(what)


def _numbered(names: Sequence[str], index: int) -> str:
    """Say which stage is meant: people count from 1."""
    return f'stage {index + 1} "{names[index]}"'


def _fix(differ: TypesDiffer, left: str) -> str:
    match differ.fix:
        case "drop_none":
            return "put drop_none() between them"
        case "batch":
            return "put batch(n) between them"
        case "flat_map":
            return "put flat_map(list) between them"
        case "await":
            return f"await it in {left}"
        case "stage":
            return f'put a stage between them that makes a "{differ.accepts}"'
        case _:
            assert_never(differ.fix)
