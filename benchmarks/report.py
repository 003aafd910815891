"""Says what was measured: a table for people, the same in the documents, and one sentence."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks.figures import Figures
from benchmarks.judge import told
from benchmarks.measure import Measured
from benchmarks.shape import Shape
from benchmarks.sides import MODES

ROOT = Path(__file__).parent.parent
PERFORMANCE = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"

WIDTH = 100  # of a line in a document
WIDE = 150  # columns that what a shape is has room in


def table(shapes: Sequence[Shape], measured: dict[str, Measured], width: int) -> Table:
    """Give the table of what was measured, for a terminal; where it is narrow, names must do."""
    made = Table(title="CPU time, the expert's loop being 1 (and the quarters about the median)")
    is_wide = width >= WIDE
    for title in ("shape", "what it is") if is_wide else ("shape",):
        made.add_column(title, no_wrap=True)
    for title in ("ns an item", *MODES):
        made.add_column(title, justify="right", no_wrap=True)
    for shape in shapes:
        about = [shape.about] if is_wide else []
        made.add_row(shape.name, *about, *_cells(measured[shape.name]))
    return made


def _cells(measured: Measured) -> list[str]:
    ratios = [told(measured.ratios[mode]) for mode in MODES]
    return [f"{measured.nanoseconds.median:,.0f}", *ratios]


def markdown(shapes: Sequence[Shape], figures: dict[str, Figures]) -> str:
    """Give a table for each Python, for a document."""
    return "\n\n".join(_markdown_of(shapes, each) for _, each in sorted(figures.items()))


def _markdown_of(shapes: Sequence[Shape], figures: Figures) -> str:
    lines = [
        f"Python {figures.python}, rivusio {figures.rivusio}, {figures.rounds} rounds:",
        "",
        "| shape | what it is | ns an item | interpreted | compiled |",
        "|---|---|---:|---:|---:|",
    ]
    for shape in shapes:
        if (measured := figures.shapes.get(shape.name)) is not None:
            cells = " | ".join(_cells(measured))
            lines.append(f"| `{shape.name}` | {shape.about} | {cells} |")
    return "\n".join(lines)


def sentence(shapes: Sequence[Shape], figures: Figures) -> str:
    """Say of compiled code what is true, the worst included."""

    def ratio(shape: Shape) -> float:
        return figures.shapes[shape.name].ratios["compiled"].median

    there = [shape for shape in shapes if shape.name in figures.shapes]
    loops = sorted((each for each in there if not (each.naive or each.without_monitor)), key=ratio)
    singles = sorted((each for each in there if each.naive), key=ratio)
    best, middle, worst = loops[0], loops[len(loops) // 2], loops[-1]
    upper = loops[len(loops) * 3 // 4]
    said = (
        f"In CPU time a compiled run costs {_about(ratio(best))} to {_about(ratio(worst))} times "
        f"the loop that an expert would write in its place, {_about(ratio(middle))} times in the "
        f"middle of {len(loops)} shapes and {_about(ratio(upper))} times or more in a quarter of "
        f"them; the worst is {worst.about}. A single item, through "
        f"`process(item)` or a run of its own, costs {_about(ratio(singles[0]))} to "
        f"{_about(ratio(singles[-1]))} times a bare loop of calls. "
        "[All figures](docs/performance.md) are measured by `make bench`."
    )
    return textwrap.fill(said, WIDTH, break_long_words=False, break_on_hyphens=False)


def _about(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def block(text: str, name: str) -> str:
    """Give what stands in a document between the marks of a name."""
    return _pattern(name).search(text).group("inside").strip("\n")  # type: ignore[union-attr]  # else the document is broken


def with_block(text: str, name: str, inside: str) -> str:
    """Give a document with something else between the marks of a name."""
    return _pattern(name).sub(lambda match: f"{match['start']}{inside}{match['end']}", text)


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<start><!-- {name}: .*? -->\n+)(?P<inside>.*?)(?P<end>\n+<!-- end of {name} -->)",
        re.DOTALL,
    )


def rewrite(shapes: Sequence[Shape], figures: dict[str, Figures]) -> None:
    """Write the figures into the documents."""
    for path, name, inside in documented(shapes, figures):
        text = path.read_text(encoding="utf-8")
        path.write_text(with_block(text, name, inside), encoding="utf-8")


def documented(shapes: Sequence[Shape], figures: dict[str, Figures]) -> list[tuple[Path, str, str]]:
    """Give which document has what between the marks of which name.

    The sentence is of the oldest Python that has figures.
    """
    first = figures[min(figures, key=_version)]
    return [
        (PERFORMANCE, "figures", markdown(shapes, figures)),
        (README, "speed", sentence(shapes, first)),
    ]


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
