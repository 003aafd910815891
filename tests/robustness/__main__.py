"""The long campaign: as many broken files and artifacts as there is time for.

    python -m tests.robustness                      one minute
    python -m tests.robustness --seconds 3600
    python -m tests.robustness --seed 12345         the same again

It prints its seed. A file that the command cannot deal with is left under .fuzz/front_door, with
what was said of it; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.places import ROOT
from tests.robustness import artifacts, packages, programs, texts
from tests.robustness.mutation import SOURCES, broken_source
from tests.robustness.support import Told, faults, told, written

LEFT = ROOT / ".fuzz" / "front_door"
LIMIT = 60.0  # seconds that one answer may take
SHORT = 10.0  # where it will be used up
TOGETHER = 20  # files of packages that are checked at once


class Campaign:
    """Files that are tried, and what was wrong with the answers."""

    def __init__(self, seed: int, seconds: float) -> None:
        self.chosen = random.Random(seed)  # noqa: S311  no secret
        self.until = time.monotonic() + seconds
        self.tried = self.failed = 0

    def is_on(self) -> bool:
        """Tell whether there is time left."""
        return time.monotonic() < self.until

    def try_files(self, files: dict[str, bytes], *arguments: str, limit: float = LIMIT) -> None:
        """Ask a command for files in a folder of their own."""
        with tempfile.TemporaryDirectory() as name:
            os.chdir(name)
            try:
                paths = written(Path(name), files)
                started = time.monotonic()
                done = told(*arguments, "--timeout", str(limit), *files)
                seconds = time.monotonic() - started
                wrong = list(faults(done, paths))
                if seconds > 3 * limit * len(files):
                    wrong.append(f"it took {seconds:.0f} s")
            finally:
                os.chdir(ROOT)
        self.note(wrong, files, " ".join(arguments), done)

    def note(self, wrong: list[str], files: dict[str, bytes], what: str, done: Told) -> None:
        """Count; leave what has failed."""
        self.tried += 1
        if not wrong:
            return
        self.failed += 1
        folder = LEFT / f"{self.tried}"
        folder.mkdir(parents=True, exist_ok=True)
        written(folder, {Path(name).name: content for name, content in files.items()})
        (folder / "said.txt").write_text("\n".join([what, *wrong, done.text]), encoding="utf-8")
        print(f"{what}: {wrong[0]}; see {folder.relative_to(ROOT)}", flush=True)


def named(campaign: Campaign) -> None:
    """Try each file of the lists by itself, with each command."""
    cases = {**texts.BROKEN, **texts.ODD, **texts.EMPTY}
    does = {**programs.FAILING, **programs.HARMLESS}
    cases |= {name: programs.program(each) for name, each in does.items()}
    for name, content in cases.items():
        for command in ("check", "compile", "explain"):
            if campaign.is_on():
                campaign.try_files({f"{name}.py": content}, command)
    for name, each in programs.HANGING.items():
        if campaign.is_on():
            campaign.try_files({f"{name}.py": programs.program(each)}, "compile", limit=SHORT)


def real(campaign: Campaign) -> None:
    """Check every file that is installed here."""
    files = packages.installed()
    campaign.chosen.shuffle(files)
    for start in range(0, len(files), TOGETHER):
        if not campaign.is_on():
            return
        some = files[start : start + TOGETHER]
        contents = {f"f{number}_{path.name}": path.read_bytes() for number, path in enumerate(some)}
        campaign.try_files(contents, "check")


def mutated(campaign: Campaign) -> None:
    """Break sources of ours and of others, and compile what is left; it is not imported."""
    others = packages.installed()
    while campaign.is_on():
        some = [*SOURCES, *campaign.chosen.sample(others, 3)]
        files = {
            f"f{number}_{path.name}": broken_source(path, campaign.chosen)
            for number, path in enumerate(some)
        }
        campaign.try_files(files, "compile", "--no-import")


def spoilt(campaign: Campaign) -> None:
    """Spoil an artifact at every place of both files, in every way."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        written(Path(name), {f"{artifacts.NAME}.py": artifacts.FLOW.encode()})
        told("compile", f"{artifacts.NAME}.py")
        at = artifacts.beside(Path(name))
        original = at.module.read_bytes(), at.manifest.read_bytes()
        with artifacts.imported(Path(name)) as flow:
            for which, way, place in _places(original):
                if not campaign.is_on():
                    break
                spoiled = list(original)
                spoil = artifacts.SPOILS[way]
                spoiled[which] = spoil(original[which], place, campaign.chosen)
                at.restore((spoiled[0], spoiled[1]))
                wrong = list(artifacts.faults(flow.chain, original, at))
                files = {"module.py": spoiled[0], "manifest.json": spoiled[1]}
                campaign.note(wrong, files, f"{way} at {place}", Told(0, "", "", None))
        os.chdir(ROOT)


def _places(original: tuple[bytes, bytes]) -> Iterator[tuple[int, str, int]]:
    for which, content in enumerate(original):
        for way in artifacts.SPOILS:
            for place in range(len(content)):
                yield which, way, place


def main() -> int:
    """Share the time out among the ideas; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.seconds:g} s", flush=True)
    os.environ.setdefault("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
    ideas = (spoilt, named, real, mutated)
    failed = 0
    for number, idea in enumerate(ideas):
        campaign = Campaign(asked.seed + number, asked.seconds / len(ideas))
        idea(campaign)
        print(f"{idea.__name__}: {campaign.tried} tried, {campaign.failed} failed", flush=True)
        failed += campaign.failed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
