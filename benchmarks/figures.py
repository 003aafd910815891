"""The committed figures: what was measured of each shape, for each Python, in `figures.json`."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rivusio
from benchmarks.measure import Measured, Spread
from benchmarks.sides import MODES

FIGURES = Path(__file__).with_name("figures.json")
DIGITS = 4  # significant ones: the others are noise


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured in one go.

    Attributes:
        python: the whole version of the Python that it ran on.
        rivusio: the version of rivusio.
        rounds: in how many rounds.
        shapes: by the name of the shape.
    """

    python: str
    rivusio: str
    rounds: int
    shapes: dict[str, Measured] = field(default_factory=dict)


def this_python() -> str:
    """Give what figures are kept by: "3.11", say."""
    major, minor, _ = platform.python_version_tuple()
    return f"{major}.{minor}"


def figures_of(measured: dict[str, Measured], rounds: int) -> Figures:
    """Give what was measured just now."""
    return Figures(platform.python_version(), rivusio.__version__, rounds, measured)


def read(path: Path = FIGURES) -> dict[str, Figures]:
    """Read figures, by the Python that they are of; there are none where there is no file."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        version: Figures(
            told["python"],
            told["rivusio"],
            told["rounds"],
            {name: _measured(shape) for name, shape in told["shapes"].items()},
        )
        for version, told in found.items()
    }


def _measured(told: dict[str, Any]) -> Measured:
    return Measured(
        Spread(**told["nanoseconds"]), {mode: Spread(**told["ratios"][mode]) for mode in MODES}
    )


def write(figures: dict[str, Figures], path: Path = FIGURES) -> None:
    """Write figures, so that a difference of two versions of the file can be read."""
    told = {version: asdict(each) for version, each in sorted(figures.items())}
    text = json.dumps(_rounded(told), indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Round every float of a tree of dicts."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
