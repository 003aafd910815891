"""One build of mypy, without pydantic where only rivusio itself uses it.

Of what mypy reads for a file that imports rivusio, more than half is pydantic and what that
imports: seconds on a cold cache, and a tenth of one on every other. A stub with as much of it as
rivusio's own modules use stands in its place, unless the user's code, or a library of the user's,
imports pydantic too: then every type is what it is.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from mypy import build
from mypy.modulefinder import BuildSource
from mypy.options import Options
from mypy.plugin import Plugin

from rivusio.compiler.known_names import USERS_OF_PYDANTIC

STUBS = Path(__file__).with_name("stubs")
STUBBED = ("pydantic", "pydantic_core")

_users: set[str] = set()  # the modules that use it and are not rivusio's, in builds of this process


def run_build(
    sources: Sequence[BuildSource], options: Options, plugins: Sequence[Plugin] = ()
) -> build.BuildResult:
    """Build.

    Raises:
        CompileError: when mypy gives up.
    """
    if not _is_named(sources, options) and not _users:
        result = _build([*sources, *stubs()], _stub_out(options), plugins)
        _users.update(_users_in(result))
        if not _users:
            return result
    return _build(sources, options, plugins)


def stubs() -> list[BuildSource]:
    """Give the stubs."""
    return [BuildSource(str(STUBS / f"{name}.pyi"), name) for name in STUBBED]


def _build(
    sources: Sequence[BuildSource], options: Options, plugins: Sequence[Plugin]
) -> build.BuildResult:
    """Build with the cache that the settings name; without one where it is of no use."""
    try:
        return _build_with(sources, options, plugins)
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):  # such as one that another has locked
            for spoilt in Path(options.cache_dir).glob("*/*.db*"):
                spoilt.unlink(missing_ok=True)
    uncached = options.apply_changes({})
    uncached.cache_dir = os.devnull
    return _build_with(sources, uncached, plugins)


def _build_with(
    sources: Sequence[BuildSource], options: Options, plugins: Sequence[Plugin]
) -> build.BuildResult:
    return build.build(list(sources), options, extra_plugins=list(plugins), stdout=sys.stderr)


def _is_named(sources: Sequence[BuildSource], options: Options) -> bool:
    """Tell whether a text or a plugin of the user's settings names it."""
    texts = [each.text or "" for each in sources]
    return any("pydantic" in each for each in (*texts, *options.plugins))


def _stub_out(options: Options) -> Options:
    """Give the settings with a cache of its own: each would take the other's for out of date."""
    changed = options.apply_changes({})
    if options.cache_dir != os.devnull:
        changed.cache_dir = str(Path(options.cache_dir) / "stubbed")
    return changed


def _users_in(result: build.BuildResult) -> set[str]:
    """Give the modules that import it, and are not rivusio's own."""
    return {
        state.id
        for state in result.graph.values()
        if state.id.partition(".")[0] not in (*STUBBED, "rivusio")
        or state.id.startswith(USERS_OF_PYDANTIC)
        if any(
            name.partition(".")[0] in STUBBED
            and state.priorities.get(name, build.PRI_HIGH) < build.PRI_INDIRECT
            for name in (*state.dependencies, *state.suppressed)
        )
    }
