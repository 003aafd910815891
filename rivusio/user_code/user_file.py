"""A user's file: imported as Python would run it, and asked for the pipelines at its top level."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from rivusio.pipes.base import AsyncPipeline, BasePipe, SyncPipeline
from rivusio.safe_repr import repr_of

HERE = Path(__file__).parent.parent


class Refusal(Exception):  # noqa: N818  it is an answer, shown as one line
    """What the user can mend: what, where, what was found, what to do next."""


def find_pipeline(target: str) -> tuple[str, BasePipe[Any, Any]]:
    """Give the pipeline of `FILE` or `FILE:NAME`, and its name.

    Raises:
        Refusal: when the file cannot be imported, or does not say which pipeline is meant.
    """
    path, name = split_target(target)
    namespace = vars(import_file(path))
    return _only(path, namespace) if name is None else (name, _named(path, name, namespace))


def split_target(target: str) -> tuple[Path, str | None]:
    """Give the file and the name of `FILE` or `FILE:NAME`."""
    file, colon, name = target.rpartition(":")
    if colon and name.isidentifier() and not Path(target).exists():
        return Path(file), name
    return Path(target), None


def import_file(path: Path) -> ModuleType:
    """Import a file by its path; what stands beside it can be imported by it.

    Raises:
        Refusal: saying where the file fails.
    """
    if not path.is_file():
        found = "it is a folder" if path.is_dir() else "there is no such file"
        raise Refusal(f'cannot import "{path}": {found}; give the path of a Python file')
    path = path.resolve()
    package, name, root = place_of_module(path)
    full = f"{package}.{name}" if package else name
    runs = f"python -m {full}" if package else f"python {shown(path)}"
    sys.path.insert(0, str(root))
    if package:
        sys.path.append(str(path.parent))  # for one that is written as if it were a script
    try:
        return _imported(path, package, full)
    except SystemExit as error:
        raise Refusal(
            f'cannot import "{shown(path)}": it called sys.exit({repr_of(error.code)}); '
            f'put what runs it under if __name__ == "__main__":'
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Refusal(
            f'cannot import "{shown(path)}": {told(error)}{_at(error)}; mend it until `{runs}` runs'
        ) from error


def place_of_module(path: Path) -> tuple[str, str, Path]:
    """Give the package of a file, its name there, and the folder that it is found from.

    In a package that is what `python -m` takes: the file can then import its package by name, and
    its siblings with a dot. Where it is in none, the package is `""`.
    """
    folder = path.parent
    parts: list[str] = []
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        folder, parts = folder.parent, [folder.name, *parts]
    if parts and (parts[0] not in sys.modules or _is_at(parts[0], folder)):
        if path.name == "__init__.py":
            return ".".join(parts[:-1]), parts[-1], folder
        if path.stem.isidentifier():
            return ".".join(parts), path.stem, folder
    return "", path.stem, path.parent


def _is_at(package: str, folder: Path) -> bool:
    """Tell whether a package that is imported is the one in a folder."""
    return str(folder / package) in getattr(sys.modules[package], "__path__", ())


def _imported(path: Path, package: str, name: str) -> ModuleType:
    """Import a file under its full name, after the packages that it is in."""
    parent = import_module(package) if package else None
    if name in sys.modules:
        if parent is not None:
            return sys.modules[name]  # its package has imported it
        name = f"rivusio_user_{name}"
    inside = [str(path.parent)] if path.name == "__init__.py" else None
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_file_location(name, path, loader=loader, submodule_search_locations=inside)
    assert spec is not None  # noqa: S101  it has a loader
    module = sys.modules[name] = module_from_spec(spec)
    loader.exec_module(module)
    if parent is not None:
        setattr(parent, name.rpartition(".")[2], module)
    return module


def _only(path: Path, namespace: dict[str, Any]) -> tuple[str, BasePipe[Any, Any]]:
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
            f'no pipeline in "{shown(path)}": no name at its top level holds one; '
            f"write one there, such as: chain = Parse() >> Clean()"
        )
    if len(candidates) > 1:
        raise Refusal(
            f'several pipelines in "{shown(path)}": {_listed(candidates)}; '
            f"say which, such as {shown(path)}:{candidates[-1][0]}"
        )
    return candidates[0]


def _is_public_pipe(name: str, value: object) -> bool:
    return isinstance(value, BasePipe) and not name.startswith("_")


def _named(path: Path, name: str, namespace: dict[str, Any]) -> BasePipe[Any, Any]:
    where = f'"{name}" in "{shown(path)}"'
    if name not in namespace:
        there = [each for each in namespace.items() if _is_public_pipe(*each)]
        found = f"there are {_listed(there)}" if there else "there is no pipeline at all"
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


def _listed(pipes: list[tuple[str, BasePipe[Any, Any]]]) -> str:
    return ", ".join(f'"{name}" ({_count(pipe)})' for name, pipe in pipes)


def _count(pipe: BasePipe[Any, Any]) -> str:
    stages = len(pipe._rivusio_stages())
    return "1 stage" if stages == 1 else f"{stages} stages"


def told(error: BaseException) -> str:
    """Give an exception as Python ends a traceback with it, in one line."""
    story = traceback.TracebackException(type(error), error, None, compact=True)
    story.__notes__ = None  # Python ends with them: they are told apart
    *_, said = story.format_exception_only()
    return printable(" ".join(said.split()))


def printable(text: str) -> str:
    """Give a text with escapes for what would move the cursor, or show nothing."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def place_of(error: BaseException) -> tuple[str, str] | None:
    """Give `file:line` and the source line of the user's code that raised, as far as known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(Path(error.filename))}:{error.lineno}", (error.text or "").strip()
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not Path(frame.filename).is_relative_to(HERE)
    ]
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    own = [frame for frame in frames if not _is_in(frame.filename, libraries)]
    if not own:
        return None  # a library's function was joined itself: there is no line of the user's
    return f"{shown(Path(own[-1].filename))}:{own[-1].lineno}", own[-1].line or ""


def _is_in(filename: str, folders: set[str]) -> bool:
    return any(Path(filename).is_relative_to(folder) for folder in folders)


def _at(error: BaseException) -> str:
    place = place_of(error)
    return f" at {place[0]}: {place[1]}" if place else ""


def shown(path: Path) -> str:
    """Give a path as a person would type it from here."""
    try:
        here = Path.cwd()
    except OSError:  # the working folder is gone
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
