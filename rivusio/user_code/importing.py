"""A user's file, imported as Python would run it."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from rivusio.safe_repr import repr_of
from rivusio.user_code.describe import describe_error, locate_error, path_from_here
from rivusio.user_code.refusal import Refusal


def import_file(path: Path) -> ModuleType:
    """Import a file by its path; what stands beside it can be imported by it.

    Raises:
        Refusal: saying where the file fails.
    """
    if not path.is_file():
        found = "it is a folder" if path.is_dir() else "there is no such file"
        raise Refusal(f'cannot import "{path}": {found}; give the path of a Python file')
    path = path.resolve()
    package, name, root = locate_module(path)
    full = f"{package}.{name}" if package else name
    runs = f"python -m {full}" if package else f"python {path_from_here(path)}"
    sys.path.insert(0, str(root))
    if package:
        sys.path.append(str(path.parent))  # for one that is written as if it were a script
    try:
        return _execute(path, package, full)
    except SystemExit as error:
        raise Refusal(
            f'cannot import "{path_from_here(path)}": it called sys.exit({repr_of(error.code)}); '
            f'put what runs it under if __name__ == "__main__":'
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Refusal(
            f'cannot import "{path_from_here(path)}": {describe_error(error)}{_at(error)}; '
            f"mend it until `{runs}` runs"
        ) from error


def locate_module(path: Path) -> tuple[str, str, Path]:
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


def _execute(path: Path, package: str, name: str) -> ModuleType:
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


def _at(error: BaseException) -> str:
    place = locate_error(error)
    return f" at {place[0]}: {place[1]}" if place else ""
