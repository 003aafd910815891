"""What `rivusio compile` and `rivusio explain` share: a compilation, its JSON and its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rivusio.cli.compiling.compiler_modules import import_compiler
from rivusio.cli.messages import leave_failed
from rivusio.user_code.refusal import Refusal

if TYPE_CHECKING:
    from rivusio.compiler.artifacts.index import Unmade
    from rivusio.compiler.driver import Chain, Compilation


def compile_files(
    files: Sequence[str],
    *,
    writes: bool,
    no_import: bool,
    timeout: float | None,
    strict: bool = False,
) -> Compilation:
    """Compile files, or find out what would be written.

    Args:
        files: their paths.
        writes: whether the modules are written.
        no_import: whether no file is ever imported.
        timeout: how long mypy may take, in seconds; the compiler's own limit if left out.
        strict: whether a stage that stays a call is an error.

    Raises:
        Refusal: when the compiler fails as a whole.
    """
    driver = import_compiler("rivusio.compiler.driver")
    options = driver.Options(not no_import, timeout or driver.TIMEOUT, strict)
    make = driver.compile_files if writes else driver.explain
    try:
        done: Compilation = make(files, options)
    except driver.FAILURES as error:
        raise Refusal(str(error)) from error
    return done


def leave_if_failed(done: Compilation) -> None:
    """End the command with the exit code of a failure, if there was an error."""
    if done.failed:
        leave_failed()


def as_json_object(
    diagnostics: Iterable[dict[str, Any]], done: Compilation | None = None
) -> dict[str, Any]:
    """Give what `--output json` writes, whatever comes of a command."""
    return {
        "chains": [] if done is None else [_chain_as_json(each) for each in done.chains],
        "unmade": [] if done is None else [_unmade_as_json(*each) for each in done.unmade],
        "diagnostics": list(diagnostics),
        "fresh": [] if done is None else list(done.fresh),
        "unfinished": [] if done is None else list(done.unfinished),
    }


def _chain_as_json(chain: Chain) -> dict[str, Any]:
    return {
        "name": chain.name,
        "path": chain.path,
        "line": chain.line,
        "artifact": chain.artifact,
        "stages": [stage.model_dump() for stage in chain.stages],
    }


def _unmade_as_json(path: str, unmade: Unmade) -> dict[str, Any]:
    return {"name": unmade.chain, "path": path} | unmade.model_dump(exclude={"chain"})
