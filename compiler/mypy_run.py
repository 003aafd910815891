"""What every run of mypy in a child process shares: settings, cache, module names, complaints.

Names in mypy that are not documented are met with care: see `oracle_worker`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mypy import main
from mypy.find_sources import InvalidSourceList, create_source_list
from mypy.modulefinder import BuildSource
from mypy.options import Options

from rivusio.compiler.ir import Complaint
from rivusio.compiler.mypy_build import STUBBED

ANY_RETURNED = "no-any-return"  # mypy's word for `return json.loads(line)` where an int is promised
PLUGIN = "rivusio.mypy_plugin"
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
        return str(Path(given) / "rivusio")
    beside = Path(options.config_file).parent if options.config_file else Path.cwd()
    place = hashlib.sha256(os.fsencode(Path.cwd())).hexdigest()[:16]
    elsewhere = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for folder in (beside / ".mypy_cache" / "rivusio", elsewhere / "rivusio" / place):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return str(folder)
    return os.devnull


def sources(files: Sequence[tuple[str, str]], options: Options) -> list[BuildSource]:
    """Name the modules as mypy does, each with its text: from its cache it has no types.

    Files that mypy cannot tell apart, such as two scripts of one name, get names of their own:
    the same ones wherever the same files are given in the same order.

    Args:
        files: the path and the text of each.
        options: what the user has set.
    """
    found: list[BuildSource] = []
    for index, (path, text) in enumerate(files):
        module, base = _module_of(path, options)
        if module is None or any(source.module == module for source in found):
            module, base = f"rivusio_checks_{index}", None
        found.append(BuildSource(path, module, text, base))
    return found


def _module_of(path: str, options: Options) -> tuple[str | None, str | None]:
    try:
        [source] = create_source_list([path], options)
    except InvalidSourceList:
        return None, None
    return source.module, source.base_dir


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
            yield Complaint(said["file"], line, column, said["message"], said["code"], stops)
