"""The sides of a comparison: a shape's chain in each mode, and the expert's loop.

Each gives its outputs for a source, as an iterator or an async iterator, so that they can be
compared and measured alike.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal, assert_never, get_args

import rivusio
from benchmarks import shapes
from benchmarks.shape import Item, Outputs, Shape

Side = Literal["expert", "interpreted", "compiled"]
Compared = Literal["interpreted", "compiled"]
SIDES: tuple[Side, ...] = get_args(Side)
MODES: tuple[Compared, ...] = get_args(Compared)

FOLDER = Path(shapes.__file__).parent


class BenchmarkError(Exception):
    """What was asked for cannot be measured; the message says why."""


def all_shapes() -> tuple[Shape, ...]:
    """Give the shapes of every family, in their order."""
    found: list[Shape] = []
    for family in shapes.FAMILIES:
        found += importlib.import_module(f"{shapes.__name__}.{family}").SHAPES
    return tuple(found)


def chosen_shapes(names: list[str]) -> tuple[Shape, ...]:
    """Give the shapes of those names, or all.

    Raises:
        BenchmarkError: naming what is not there, and what is.
    """
    known = all_shapes()
    if missing := [name for name in names if name not in [shape.name for shape in known]]:
        there = ", ".join(shape.name for shape in known)
        raise BenchmarkError(f"no shape is called {', '.join(missing)}; there are {there}")
    return tuple(shape for shape in known if not names or shape.name in names)


def compile_shapes() -> None:
    """Compile all chains, in one go; does nothing if they are up to date.

    A file that was compiled by itself might have other modules than one that was compiled with
    the files it imports.

    Raises:
        BenchmarkError: with what the compiler has said, if it could not.
    """
    if _compiled("--check").returncode:
        shutil.rmtree(FOLDER / "__rivusio__", ignore_errors=True)
        done = _compiled()
        if done.returncode:
            raise BenchmarkError(f"the chains cannot be compiled:\n{done.stdout}{done.stderr}")


def _compiled(*options: str) -> subprocess.CompletedProcess[str]:
    files = [str(path) for path in sorted(FOLDER.glob("[!_]*.py"))]
    return subprocess.run(  # noqa: S603  itself
        [sys.executable, "-m", "rivusio.cli", "compile", *options, *files],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def outputs(shape: Shape, side: Side, source: Any, **watching: Any) -> Outputs:
    """Start one side of a shape.

    Args:
        shape: the shape.
        side: which one.
        source: what it is to run over.
        watching: `clock=` for what goes by time; `tally=` or `monitor=`, by the side.
    """
    if side == "expert":
        return shape.expert(source, **watching)
    with rivusio.mode(side):
        match shape.way:
            case "iterate":
                chain: Any = shape.chain  # a sync chain
                run: Iterator[Item] = chain.iterate(source, **watching)
                return run
            case "stream":
                return aiter(shape.chain.stream(source, **watching))
            case "process" | "iterate one":
                return _one_by_one(shape, side, source)
            case "await" | "stream one":
                return _await_one_by_one(shape, side, source)
            case other:
                assert_never(other)


def _one_by_one(shape: Shape, mode: Compared, items: list[Item]) -> Iterator[list[Item]]:
    """Give the results of all items as one list: handing each over would be measured, too."""
    chain: Any = shape.chain  # a sync chain
    results: list[Item] = []
    with rivusio.mode(mode):
        if shape.way == "process":
            for item in items:
                results.append(chain.process(item))  # noqa: PERF401  as people write it
        else:
            for item in items:
                for result in chain.iterate((item,)):
                    results.append(result)  # noqa: PERF402  as people write it
    yield results


async def _await_one_by_one(
    shape: Shape, mode: Compared, items: list[Item]
) -> AsyncIterator[list[Item]]:
    chain: Any = shape.chain  # an async chain
    results: list[Item] = []
    with rivusio.mode(mode):
        if shape.way == "await":
            for item in items:
                results.append(await chain.process(item))  # noqa: PERF401  as people write it
        else:
            for item in items:
                async for result in chain.stream((item,)):
                    results.append(result)  # noqa: PERF401  as people write it
    yield results
