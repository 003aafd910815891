"""`rivusio compile --check`: whether artifacts are those of the chains as they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rivusio.cli.compiling.compilation import as_json_object
from rivusio.cli.compiling.compiler_modules import import_compiler
from rivusio.cli.messages import leave_failed
from rivusio.cli.terminal import say
from rivusio.user_code.refusal import Refusal

if TYPE_CHECKING:
    from rivusio.compiler.diagnostics import Diagnostic


def check_artifacts(files: Sequence[str], form: str, *, strict: bool) -> None:
    """Say which files must be compiled anew, and end the command as failed if one must.

    Args:
        files: their paths.
        form: `"text"` for people, `"json"` for machines.
        strict: whether a stage that stays a call is wrong, too.

    Raises:
        Refusal: for a file that is not there.
    """
    apart = import_compiler("rivusio.compiler.apart")
    for file in files:
        if not Path(file).is_file():
            raise Refusal(f'cannot check "{file}": there is no such file; give a Python file')
    once = apart.each_once(files)
    found = {file: list(_find_faults(file, strict=strict)) for file in once}
    wrong = [file for file, each in found.items() if any(one.is_wrong for one in each)]
    if form == "json":
        told = as_json_object(asdict(one.diagnostic) for each in found.values() for one in each)
        told["fresh"] = [file for file in once if file not in wrong]
        say(json.dumps(told, indent=2))
    else:
        for one in (one for each in found.values() for one in each):
            say(one.line, err=not one.is_wrong)
    if wrong:
        leave_failed()


@dataclass(frozen=True, slots=True)
class _Fault:
    """One line of `--check`, and the same for machines; what is not wrong is a warning."""

    line: str
    diagnostic: Diagnostic

    @property
    def is_wrong(self) -> bool:
        return self.diagnostic.severity == "error"


def _find_faults(file: str, *, strict: bool) -> Iterator[_Fault]:
    """Say what is wrong with the artifacts of a file, and which of its chains have none."""
    artifact = import_compiler("rivusio.compiler.artifacts.index")
    planning = import_compiler("rivusio.compiler.planning")
    run = f"run `rivusio compile {file}`"
    reason = artifact.tell_outdated(Path(file))
    if reason is not None:
        yield _Fault(f"{file}: {reason}; {run}", replace(planning.failure(file, reason), note=run))
        return
    for each in artifact.read_index(Path(file)).unmade:
        said = planning.repeat_reason(file, each)
        line = f"{file}: {said.message}; {run if each.failed else 'it runs interpreted'}"
        yield _Fault(line, said)
    for chain, index, stage in artifact.list_calls(Path(file)) if strict else ():
        told = f'stage {index + 1} "{stage.name}" is {stage.how}: {stage.why}'
        wrong = planning.failure(file, f'chain "{chain}", {told}')
        yield _Fault(f"{file}: {wrong.message}", wrong)
