"""The type cases of `tests/typesafety/*.yml`: programs, and what type checkers say of them.

    - case: a_wrong_joint
      main: |
        from given import *
        wrong = Parse() >> Parse()
      out: |                              what mypy says with the plugin, to the letter
        main:2:20: error: ...
      plain: |                            what it says without, if that is something else
        main:2: error: ...
      pyright: [2]                        where basedpyright has errors, if not where plain mypy has

All cases are checked in one run of mypy, each as a module of its own: a run for each case takes
half a second, most of which goes into reading rivusio from the cache.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from mypy import version

FOLDER = Path(__file__).parent
LINE = re.compile(r"(?P<module>\w+)\.py:(?P<place>[\d:]+) (?P<said>.*)")
SETTINGS = """[mypy]
strict = True
implicit_reexport = True
show_column_numbers = True
"""
NEWEST = "2.4."  # the mypy that the cases were written with
PLUGIN = "plugins = rivusio.mypy_plugin\n"


@dataclass(frozen=True)
class Case:
    """A program, and what is said of it."""

    file: str
    name: str
    main: str
    out: str
    plain: str
    pyright_given: tuple[int, ...] | None

    @property
    def pyright(self) -> tuple[int, ...]:
        """The lines in which basedpyright has errors."""
        if self.pyright_given is not None:
            return self.pyright_given
        errors = re.findall(r"^main:(\d+):.* error: ", self.plain, re.MULTILINE)
        return tuple(sorted({int(line) for line in errors}))

    @property
    def module(self) -> str:
        """The name under which it is checked."""
        return f"{self.file}__{self.name}"

    def __str__(self) -> str:
        return self.module


def cases() -> list[Case]:
    """Give all cases, in the order of the files."""
    return [case for path in sorted(FOLDER.glob("*.yml")) for case in _of_file(path)]


def _of_file(path: Path) -> list[Case]:
    found = []
    for each in yaml.safe_load(path.read_text(encoding="utf-8")):
        out = each.get("out", "")
        plain = each.get("plain", out)
        lines = each.get("pyright")
        given = None if lines is None else tuple(lines)
        found.append(Case(path.stem, each["case"], each["main"], out, plain, given))
    return found


def write(folder: Path, given: Iterable[Case]) -> list[str]:
    """Write the programs, each a file; give their names."""
    shutil.copy(FOLDER / "given.py", folder)
    names = ["given.py"]
    for case in given:
        name = f"{case.module}.py"
        (folder / name).write_text(case.main, encoding="utf-8")
        names.append(name)
    return names


def mypy_says(folder: Path, names: list[str], cache: Path, *, plugin: bool) -> dict[str, str]:
    """Run mypy once over the files in a folder; give what it says, by module."""
    config = folder / ("with_plugin.ini" if plugin else "without.ini")
    config.write_text(SETTINGS + (PLUGIN if plugin else ""), encoding="utf-8")
    options = [f"--config-file={config}", f"--cache-dir={cache}", "--no-error-summary"]
    # In a process of its own, since mypy keeps all that it has read for as long as it lives.
    command = [sys.executable, "-m", "mypy", *options, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    said: dict[str, list[str]] = defaultdict(list)
    for line in done.stdout.splitlines():
        match = LINE.search(line)
        assert match, line
        said[match["module"]].append(f"main:{match['place']} {plain_names(match['said'])}\n")
    return {module: "".join(lines) for module, lines in said.items()}


def agreed(text: str) -> str:
    """Give what versions of mypy agree in: not columns, and not what comes first in a line.

    Of the version that the cases were written with, that is all.
    """
    if version.__version__.startswith(NEWEST):
        return text
    lines = re.sub(r"^(main:\d+):\d+:", r"\1:", text, flags=re.MULTILINE).splitlines()
    return "\n".join(sorted(lines))


def plain_names(said: str) -> str:
    """Leave out the modules of types: versions of mypy differ in them."""
    return re.sub(
        r"\b(?:builtins|typing|rivusio|given|collections)(?:\.[a-z_]+)*\.(?=[A-Za-z])", "", said
    )


def update() -> None:
    """Write anew what is said in all cases, for a person to read the difference."""
    given = cases()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = write(folder, given)
        says, plain = (
            mypy_says(folder, names, folder / f"cache_{plugin}", plugin=plugin)
            for plugin in (True, False)
        )
    for path in sorted(FOLDER.glob("*.yml")):
        text = ""
        for case in (each for each in given if each.file == path.stem):
            parts = {"main": case.main, "out": says.get(case.module, "")}
            if plain.get(case.module, "") != parts["out"]:
                parts["plain"] = plain.get(case.module, "")
            text += f"- case: {case.name}\n"
            for key, part in parts.items():
                text += _block(key, part)
            if case.pyright_given is not None:
                text += f"  pyright: {list(case.pyright_given)}\n"
            text += "\n"
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _block(key: str, part: str) -> str:
    if not part:
        return "" if key == "out" else f'  {key}: ""\n'
    return f"  {key}: |\n{textwrap.indent(part, '    ')}"


if __name__ == "__main__":
    update()
