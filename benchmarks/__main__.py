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
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks import figures, report
from benchmarks.judge import judge, judged_again
from benchmarks.measure import Measured, combined, measure
from benchmarks.shape import Shape
from benchmarks.sides import BenchmarkError, all_shapes, chosen_shapes, compile_shapes

ROUNDS = 31
PASSES = 3  # in which what is committed is measured


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
    if arguments.check and figures.this_python() not in figures.read():
        version = figures.this_python()
        print(f"there are no committed figures of Python {version}: make bench-check UPDATE=1")
        return 2
    measured = _measured(shapes, rounds)
    if arguments.update:
        measured = _with_more_passes(measured, rounds)
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
    if not text.isdecimal() or int(text) < 2:  # else there are no quarters
        raise argparse.ArgumentTypeError(f'it takes 2 rounds or more, not "{text}"')
    return int(text)


def _measured(shapes: Sequence[Shape], rounds: int) -> dict[str, Measured]:
    told = Console(stderr=True)
    turns = track(shapes, "measuring", console=told, transient=True, disable=not told.is_terminal)
    return {shape.name: measure(shape, rounds) for shape in turns}


def _with_more_passes(measured: dict[str, Measured], rounds: int) -> dict[str, Measured]:
    """Measure everything twice more, later and elsewhere.

    A processor has better and worse minutes, and code better and worse places in memory, which the
    rounds of one pass do not show.
    """
    passes = [measured]
    for number in range(2, PASSES + 1):
        print(f"pass {number} of {PASSES}", file=sys.stderr)
        passes.append(_measured_elsewhere(list(measured), rounds))
    return {name: combined([each[name] for each in passes]) for name in measured}


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
    committed = figures.read()[figures.this_python()].shapes
    known = {name: each for name, each in committed.items() if everything or name in measured}

    def again(names: Collection[str]) -> dict[str, Measured]:
        print(f"measured again, as it looks worse: {', '.join(names)}")
        return _measured_elsewhere(names, 2 * rounds)

    verdicts = judged_again(known, judge(known, measured), again)
    for verdict in verdicts:
        print(verdict)
    if any(verdict.fails for verdict in verdicts):
        print("what is worse was so each time; make bench-check UPDATE=1 if that is to be")
        return 1
    print(f"no ratio of {len(measured)} shapes is worse than the committed one")
    return 0


def _measured_elsewhere(names: Collection[str], rounds: int) -> dict[str, Measured]:
    """Measure in another process: there, memory is laid out anew."""
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
