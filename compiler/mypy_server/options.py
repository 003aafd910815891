"""What every run of mypy in a child process shares: settings, cache, module names, complaints.

Names in mypy that are not documented are met with care: see `oracle_worker`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from pathlib import Path, PurePath
from unicodedata import is_normalized

from mypy import main
from mypy.find_sources import InvalidSourceList, create_source_list
from mypy.modulefinder import BuildSource
from mypy.options import Options

from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.known_names import PLUGIN
from rivusio.compiler.locks import lock_now
from rivusio.compiler.mypy_server.build import STUBBED

ANY_RETURNED = "no-any-return"  # mypy's word for `return json.loads(line)` where an int is promised
TOO_COMPLEX = "Source expression too complex to parse"  # mypy goes on as if the file were empty
CACHES = 16  # that stand side by side; who comes then works without one
# Settings that let mypy tell what the body of a function is worth, and its words for what it finds.
TELLING = {
    "warn_return_any": ANY_RETURNED,
    "disallow_untyped_calls": "no-untyped-call",
    "disallow_any_generics": "type-arg",
    "strict_equality": "comparison-overlap",
}


def settings() -> Options:
    """Give the settings that mypy finds from here, with what a run in a child needs.

    Raises:
        SystemExit: when mypy refuses the settings; it has said why on stderr.
    """
    # Any file will do, so that mypy does not take those that the settings name.
    _, options = main.process_options([__file__], stdout=sys.stderr, stderr=sys.stderr)
    options.cache_dir = _cache_dir(options)
    options.incremental = True
    if hasattr(options, "native_parser"):  # mypy 2: its columns are wrong behind a letter like "ä"
        options.native_parser = False
    if hasattr(options, "num_workers"):  # mypy 2
        options.num_workers = 0
    options.plugins = [each for each in options.plugins if each != PLUGIN]  # it asks what we ask
    options.output = "json"
    options.report_dirs = {}
    for ours in ("rivusio", "rivusio.*", *STUBBED):  # as if installed, wherever they are
        options.per_module_options.setdefault(ours, {})["ignore_errors"] = True
    for ours in ("rivusio", "rivusio.*"):  # without it nothing is a chain
        options.per_module_options[ours]["follow_imports"] = "normal"
    options.pretty = False
    return options


def tell_more(options: Options) -> None:
    """Let mypy look into functions and tell what their bodies are worth, whatever the user wants.

    All runs do so: one cache serves them only if they have the same settings.
    """
    options.check_untyped_defs = True  # a chain in a function without annotations is a chain
    for name in TELLING:
        setattr(options, name, True)


def _cache_dir(options: Options) -> str:
    """Give a cache of our own beside the user's settings, or elsewhere if it cannot be there."""
    if given := os.environ.get("MYPY_CACHE_DIR"):
        return _one_of_ours(Path(given) / "rivusio") or os.devnull
    beside = Path(options.config_file).parent if options.config_file else Path.cwd()
    place = hashlib.sha256(os.fsencode(Path.cwd())).hexdigest()[:16]
    elsewhere = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for folder in (beside / ".mypy_cache" / "rivusio", elsewhere / "rivusio" / place):
        if (found := _one_of_ours(folder)) is not None:
            return found
    return os.devnull


_held: dict[Path, tuple[Path, int]] = {}  # the caches of this process, and what locks them


def _one_of_ours(folder: Path) -> str | None:
    """Give a cache that nobody else has now: this one, or one beside it; None if none can be.

    mypy keeps a database, and two at once find it locked. So each process that runs at the same
    time has a cache of its own, which the next one finds warm.
    """
    for number in range(1, CACHES + 1):
        place = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        if folder not in _held:
            try:
                place.mkdir(parents=True, exist_ok=True)
                if (lock := lock_now(place / "lock")) is None:
                    continue
            except OSError:
                return str(place) if os.access(place, os.W_OK | os.X_OK) else None
            _held[folder] = place, lock
        return str(_held[folder][0])
    return os.devnull


def sources(files: Sequence[tuple[str, str]], options: Options) -> list[BuildSource]:
    """Name the modules as mypy does, each with its text: from its cache it has no types.

    Generated modules import them by these names, so where a file's own is none that `import` takes,
    such as that of `my-flow.py`, it gets another: the same one in whatever company. Files that
    mypy cannot tell apart, such as two scripts of one name, get names by their order.

    Args:
        files: the path and the text of each.
        options: what the user has set.
    """
    found: list[BuildSource] = []
    for index, (path, text) in enumerate(files):
        module, base = _module_of(path, options)
        if any(source.module == module for source in found):
            module, base = f"rivusio_checks_{index}", None
        found.append(BuildSource(path, module, text, base))
    return found


def _module_of(path: str, options: Options) -> tuple[str, str | None]:
    name = PurePath(path).name.removesuffix(".py")
    try:
        [source] = create_source_list([path], options)
    except InvalidSourceList:  # it stands in what looks like a package, but for its name
        return _importable(name), os.path.dirname(path) or "."  # noqa: PTH120  as mypy writes it
    package = source.module.removesuffix(name)
    last = source.module.removeprefix(package)
    if last and all(map(_is_importable, package.split(".")[:-1])):
        return package + _importable(last), source.base_dir
    is_plain = all(map(_is_importable, source.module.split(".")))
    return source.module if is_plain else _importable(source.module), source.base_dir


def _importable(name: str) -> str:
    """Give a name that `import` takes, for a file that may be called anything."""
    return name if _is_importable(name) else f"rivusio_file_{re.sub(r'[^0-9a-zA-Z]+', '_', name)}"


def _is_importable(name: str) -> bool:
    """Tell whether a name can be imported, and does not hide rivusio from everybody else."""
    is_plain = name.isidentifier() and is_normalized("NFKC", name)
    return is_plain and not iskeyword(name) and name != "rivusio"


def complaints(messages: Sequence[str], *, stops: bool = False) -> Iterator[Complaint]:
    """Read what mypy reports, a line of JSON each; what is no JSON it says when it gives up."""
    for message in messages:
        try:
            said = json.loads(message)
        except ValueError:
            yield Complaint("", 1, 0, message, None, stops)
            continue
        if said["severity"] == "error":
            line, column = max(said["line"], 1), max(said["column"], 0)
            unread = said["message"] == TOO_COMPLEX
            place = said["file"], line, column
            yield Complaint(*place, said["message"], said["code"], stops or unread)
