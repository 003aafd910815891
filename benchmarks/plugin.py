"""What the mypy plugin costs: CPU time of mypy over 100 chains, with it and without.

    python -m benchmarks.plugin [PAIRS]

The runs with and without it come in turn, since no machine is quiet. `cold` reads everything anew,
as a CI does; `edited` has the libraries in its cache, and every file with chains has changed;
`unchanged` has nothing to do, so that what is left is the start.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PAIRS = 7
FILES, CHAINS = 10, 10  # chains in each file
WITHOUT, WITH = "", "plugins = rivusio.mypy_plugin\n"

HEAD = """from rivusio import AsyncBasePipe, BatchStreamPipe, FilterPipe, SyncBasePipe
from rivusio import batch, drop_none, filter, map, take


class Parse(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return int(data)


class Even(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return item % 2 == 0


class Ask(AsyncBasePipe[int, float | None]):
    async def process(self, data: int) -> float | None:
        return data / 2 or None

    def handle_error(self, error: Exception, data: int) -> float:
        return 0.0


class Mean(BatchStreamPipe[float, float]):
    async def process_batch(self, batch: list[float]) -> float:
        return sum(batch) / len(batch)


def show(value: float) -> str:
    return f"{value:.1f}"

"""
CHAIN = (
    "chain_{0} = Parse() >> Even() >> Ask() >> drop_none() >> Mean({0} + 1) >> map(show)\n"
    "texts_{0} = chain_{0} >> filter(str.isdigit) >> take(9) >> batch(2)\n"
)


def program(turn: int) -> str:
    """Give a file with chains; another one in each turn."""
    chains = (CHAIN.format(index) for index in range(CHAINS // 2))  # each line is one
    return f"# {turn}\n{HEAD}\n{''.join(chains)}"


def cpu(folder: Path, plugin: str) -> float:
    """Give the seconds of CPU time of one run of mypy."""
    (folder / "mypy.ini").write_text(f"[mypy]\nstrict = True\n{plugin}", encoding="utf-8")
    cache = "with" if plugin else "without"
    before = _spent()
    command = [sys.executable, "-m", "mypy", f"--cache-dir={cache}", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  itself
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write(folder: Path, turn: int) -> None:
    """Write all files."""
    for number in range(FILES):
        (folder / f"flow_{number}.py").write_text(program(turn), encoding="utf-8")


def forget(folder: Path) -> None:
    """Remove what mypy has cached."""
    for path in sorted(folder.glob("with*/**/*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def pairs(
    folder: Path, count: int, before: Callable[[Path, int], None]
) -> Iterator[tuple[float, float]]:
    """Give the CPU times of runs without and with the plugin, in turn."""
    for turn in range(count):
        before(folder, turn)
        first, second = (WITHOUT, WITH) if turn % 2 else (WITH, WITHOUT)
        times = {plugin: cpu(folder, plugin) for plugin in (first, second)}
        yield times[WITHOUT], times[WITH]


def main() -> None:
    """Measure, and print a line for each kind of run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS

    def cold(folder: Path, turn: int) -> None:
        write(folder, turn)
        forget(folder)

    kinds: dict[str, Callable[[Path, int], None]] = {
        "cold": cold,
        "edited": lambda folder, turn: write(folder, count + turn),
        "unchanged": lambda _, __: None,
    }
    with tempfile.TemporaryDirectory() as name:
        for kind, before in kinds.items():
            times = list(pairs(Path(name), count, before))
            without, with_it = (statistics.median(each) for each in zip(*times, strict=True))
            ratio = statistics.median(after / first for first, after in times)
            print(f"{kind:10} {without:6.2f} s without, {with_it:6.2f} s with it: {ratio:.2f}")


if __name__ == "__main__":
    main()
