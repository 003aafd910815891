"""Measure every shape beside the loop an expert would write: `make bench`.

    python -m benchmarks [SHAPE ...] [--rounds N] [--json FILE] [--check | --update | --documents]

With `--check` what is measured is compared with the committed figures of this Python, and the exit
code is 1 if something is worse beyond noise (see `judge.py`). With `--update` it becomes what is
committed: `figures.json`, the table of `docs/performance.md` and the sentence of the README.
`--documents` measures nothing and only writes those two anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks import figures, report
from benchmarks.judge import AGAIN, judge, judged_again
from benchmarks.measure import Measured, measure
from benchmarks.shape import Shape
from benchmarks.sides import BenchmarkError, all_shapes, chosen_shapes, compile_shapes

ROUNDS = 31


def main() -> int:
    """Do what the command line says; give the exit code."""
    arguments = _arguments()
    if arguments.documents:
        report.rewrite(all_shapes(), figures.read())
        return 0
    try:
        shapes = chosen_shapes(arguments.shapes)
        compile_shapes()
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 2
    rounds: int = arguments.rounds
    measured = _measured(shapes, rounds)
    console = Console()
    console.print(report.table(shapes, measured, console.width))
    now = figures.figures_of(measured, rounds)
    if arguments.json is not None:
        figures.write({figures.this_python(): now}, arguments.json)
    if arguments.update:
        _update(now)
    if arguments.check:
        return _check(measured, rounds, everything=not arguments.shapes)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="What rivusio costs.")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help="only these; else every shape")
    parser.add_argument("--rounds", type=_rounds, default=ROUNDS, help=f"{ROUNDS} if not said")
    parser.add_argument("--json", type=_file, metavar="FILE", help="write the figures there, too")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the committed figures")
    what.add_argument("--update", action="store_true", help="write what is committed anew")
    what.add_argument(
        "--documents", action="store_true", help="only write what documents say of the figures"
    )
    return parser.parse_args()


def _file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():  # better now than after minutes of measuring
        raise argparse.ArgumentTypeError(f'there is no folder "{path.parent}"')
    return path


def _rounds(text: str) -> int:
    rounds = int(text)
    if rounds < 2:  # else there are no quarters
        raise argparse.ArgumentTypeError("it takes 2 rounds or more")
    return rounds


def _measured(shapes: Sequence[Shape], rounds: int) -> dict[str, Measured]:
    told = Console(stderr=True)
    turns = track(shapes, "measuring", console=told, transient=True, disable=not told.is_terminal)
    return {shape.name: measure(shape, rounds) for shape in turns}


def _update(now: figures.Figures) -> None:
    """Write what was measured to the committed figures and the documents.

    Shapes that were not measured keep their figures; those that are no more lose them.
    """
    shapes = all_shapes()
    version = figures.this_python()
    committed = figures.read()
    known = committed[version].shapes | now.shapes if version in committed else now.shapes
    kept = {shape.name: known[shape.name] for shape in shapes if shape.name in known}
    committed[version] = figures.Figures(now.python, now.rivusio, now.rounds, kept)
    figures.write(committed)
    report.rewrite(shapes, figures.read())


def _check(measured: dict[str, Measured], rounds: int, *, everything: bool) -> int:
    version = figures.this_python()
    committed = figures.read().get(version)
    if committed is None:
        print(f"there are no committed figures of Python {version}: make bench-check UPDATE=1")
        return 2
    known = {
        name: each for name, each in committed.shapes.items() if everything or name in measured
    }
    again = partial(_measured_elsewhere, rounds=2 * rounds)
    verdicts = judged_again(known, judge(known, measured), again)
    for verdict in verdicts:
        print(verdict)
    if any(verdict.fails for verdict in verdicts):
        print(f"worse beyond noise, also when measured {AGAIN} times more: see above")
        return 1
    print(f"no ratio of {len(measured)} shapes is worse than the committed one")
    return 0


def _measured_elsewhere(names: Collection[str], rounds: int) -> dict[str, Measured]:
    """Measure in another process: there, memory is laid out anew."""
    print(f"measured again, as it looks worse: {', '.join(names)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.json"
        options = ["--rounds", str(rounds), "--json", str(path)]
        subprocess.run(  # noqa: S603  itself
            [sys.executable, "-m", "benchmarks", *names, *options],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return figures.read(path)[figures.this_python()].shapes


if __name__ == "__main__":
    sys.exit(main())
