"""Which files mypy can be asked for in one go, so that each has the answer that it has alone.

    jobs/a/main.py     import helper      # jobs/a/helper.py
    jobs/b/main.py     import helper      # jobs/b/helper.py

To mypy all files of a run share their folders: it would call both `main`, and give both the
first `helper`. Folders with modules of one name are asked for apart.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from rivusio.compiler.mypy_server.client import OracleError, OracleTimeoutError
from rivusio.compiler.typecheck import request
from rivusio.user_code.importing import locate_module

STUB = ".pyi"
MAIN = "__main__"  # what mypy calls a file without a suffix, wherever it is


class Answered(Protocol):
    """What mypy has answered for some files."""

    @property
    def stopped(self) -> bool:
        """Whether something stopped it, so that it has answered of none."""


Done = TypeVar("Done", bound=Answered)


def each_apart(
    paths: Iterable[str], ask: Callable[[list[str]], Done], timeout: float
) -> Iterator[tuple[list[str], Done | OracleError]]:
    """Ask for files in one go as far as may be; where one of them stops mypy, for each alone.

    Gives the files, and what came of them.
    """
    for group in groups(paths):
        yield from _apart(group, ask, timeout)


def _apart(
    group: list[str], ask: Callable[[list[str]], Done], timeout: float
) -> Iterator[tuple[list[str], Done | OracleError]]:
    done: Done | OracleError
    try:
        done = ask(group)
    except OracleError as error:
        done = error
    has_stopped = isinstance(done, OracleError) or done.stopped
    may_be_one = has_stopped and len(group) > 1 and not isinstance(done, OracleTimeoutError)
    if may_be_one and request.works(timeout):
        for path in group:
            yield from _apart([path], ask, timeout)
    else:
        yield group, done


def raise_if_all_failed(failures: Iterable[Exception | None]) -> None:
    """Raise the one reason why nothing came of any file: it is told in one line.

    Raises:
        Exception: that.
    """
    there = list(failures)
    first = next(iter(there), None)
    if first is not None and all(str(each) == str(first) for each in there):
        raise first


@dataclass
class _Group:
    """Files that get along, the folders that they import from, and what stands there."""

    paths: list[str] = field(default_factory=list)
    modules: dict[Path, set[str]] = field(default_factory=dict)  # by the folder: those asked for
    beside: dict[str, Path] = field(default_factory=dict)  # by their names: whose they are

    def takes(self, root: Path, module: str, beside: set[str]) -> bool:
        """Tell whether a file gets along with those that are here."""
        if root in self.modules:
            return module not in self.modules[root]
        return not beside & self.beside.keys()

    def add(self, path: str, root: Path, module: str, beside: set[str]) -> None:
        self.paths.append(path)
        self.modules.setdefault(root, set()).add(module)
        for name in beside:
            self.beside.setdefault(name, root)


def each_once(paths: Iterable[str]) -> list[str]:
    """Leave out what names a file again, such as `./flights.py`; a link is a file of its own."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(_place(path), path)
    return list(found.values())


def groups(paths: Iterable[str]) -> list[list[str]]:
    """Put files into as few groups as may be asked for in one go, in their order."""
    found: list[_Group] = []
    known: dict[Path, set[str]] = {}
    for path in paths:
        package, name, root = _module(path)
        module = f"{package}.{name}" if path.endswith(".py") else MAIN
        beside = known.setdefault(root, set(_modules_in(root))) | ({module} & {MAIN})
        group = next((each for each in found if each.takes(root, module, beside)), None)
        if group is None:
            group = _Group()
            found.append(group)
        group.add(path, root, module, beside)
    return [each.paths for each in found]


def _place(path: str) -> str:
    with contextlib.suppress(OSError, ValueError):  # a null byte
        folder, name = os.path.split(path)
        return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118  `..` is no name to Path
    return path


def _module(path: str) -> tuple[str, str, Path]:
    """Give the package of a file, its name there, and the folder that it is imported from."""
    try:
        return locate_module(Path(path).parent.resolve() / Path(path).name)
    except (OSError, ValueError, RuntimeError):  # it cannot be read: that is told elsewhere
        return "", path, Path()


def _modules_in(folder: Path) -> Iterator[str]:
    """Give the names of the modules and packages that stand in a folder."""
    with contextlib.suppress(OSError):
        for each in folder.iterdir():
            if each.suffix in (".py", STUB):
                yield each.name.removesuffix(each.suffix)
            elif each.name.isidentifier() and not each.name.startswith("__") and each.is_dir():
                yield each.name
