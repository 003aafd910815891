"""The pipelines at the top level of a user's file: `FILE`, or `FILE:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rivusio.pipes.base import AsyncPipeline, BasePipe, SyncPipeline
from rivusio.user_code.describe import path_from_here
from rivusio.user_code.importing import import_file
from rivusio.user_code.refusal import Refusal


def find_pipeline(target: str) -> tuple[str, BasePipe[Any, Any]]:
    """Give the pipeline of `FILE` or `FILE:NAME`, and its name.

    Raises:
        Refusal: when the file cannot be imported, or does not say which pipeline is meant.
    """
    path, name = split_target(target)
    namespace = vars(import_file(path))
    return (
        _find_only(path, namespace) if name is None else (name, _find_named(path, name, namespace))
    )


def split_target(target: str) -> tuple[Path, str | None]:
    """Give the file and the name of `FILE` or `FILE:NAME`."""
    file, colon, name = target.rpartition(":")
    if colon and name.isidentifier() and not Path(target).exists():
        return Path(file), name
    return Path(target), None


def _find_only(path: Path, namespace: dict[str, Any]) -> tuple[str, BasePipe[Any, Any]]:
    """Give the one chain of a file; or, where there is no chain, its one pipe."""
    pipes = {
        id(value): (name, value)
        for name, value in reversed(namespace.items())
        if _is_public_pipe(name, value)
    }
    found = list(reversed(pipes.values()))
    chains = [each for each in found if isinstance(each[1], SyncPipeline | AsyncPipeline)]
    candidates = chains or found
    if not candidates:
        raise Refusal(
            f'no pipeline in "{path_from_here(path)}": no name at its top level holds one; '
            f"write one there, such as: chain = Parse() >> Clean()"
        )
    if len(candidates) > 1:
        raise Refusal(
            f'several pipelines in "{path_from_here(path)}": {_list_names(candidates)}; '
            f"say which, such as {path_from_here(path)}:{candidates[-1][0]}"
        )
    return candidates[0]


def _is_public_pipe(name: str, value: object) -> bool:
    return isinstance(value, BasePipe) and not name.startswith("_")


def _find_named(path: Path, name: str, namespace: dict[str, Any]) -> BasePipe[Any, Any]:
    where = f'"{name}" in "{path_from_here(path)}"'
    if name not in namespace:
        there = [each for each in namespace.items() if _is_public_pipe(*each)]
        found = f"there are {_list_names(there)}" if there else "there is no pipeline at all"
        raise Refusal(f"no {where}: {found}; give the name of one at the file's top level")
    value = namespace[name]
    if isinstance(value, BasePipe):
        return value
    if isinstance(value, type) and issubclass(value, BasePipe):
        raise Refusal(f"{where} is a class, and no pipeline; make one of it: pipe = {name}()")
    kind = type(value).__name__
    hint = f"make it a pipe with @pipe, or join it: chain = map({name})"
    raise Refusal(
        f"{where} is no pipeline, but of type {kind}; "
        f"{hint if callable(value) else 'give the name of a chain or a pipe'}"
    )


def _list_names(pipes: list[tuple[str, BasePipe[Any, Any]]]) -> str:
    return ", ".join(f'"{name}" ({_count_stages(pipe)})' for name, pipe in pipes)


def _count_stages(pipe: BasePipe[Any, Any]) -> str:
    stages = len(pipe._rivusio_stages())
    return "1 stage" if stages == 1 else f"{stages} stages"
