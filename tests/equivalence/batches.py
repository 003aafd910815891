"""One batch: cases of a seed, compiled in one run of the compiler, and run in both modes."""

from __future__ import annotations

import random
import re
import shutil
import signal
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tests.equivalence import chains
from tests.equivalence.chains import Case, Ends
from tests.equivalence.running import (
    Refused,
    Run,
    carried_out,
    compiled,
    loops_of_one_stage,
    write,
)
from tests.equivalence.shrinking import (
    Failure,
    compiled_differs,
    quickly_differs,
    shrunk,
    written,
)
from tests.equivalence.table import Table
from tests.equivalence.trimming import name_at, trimmed

RUNS_EACH = 8  # of a chain, at least
LONGEST = 300.0  # real seconds for all runs of a case
CUT_SHORT = 0.15  # of all batches: there every stage has a loop of its own
CANDIDATES = 8  # chains of which the one is taken that lets most meet
MOST_SHRUNK = 3  # failures of one batch that are made small: the others are kept as they are


@dataclass(slots=True)
class Outcome:
    """What came of a batch.

    Attributes:
        cases: how many chains there were.
        runs: how many runs were made in both modes.
        events: how many events were compared.
        table: what was covered.
        failures: a file for each chain that differed, or that was not compiled.
    """

    cases: int = 0
    runs: int = 0
    events: int = 0
    table: Table = field(default_factory=Table)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Sum up."""
        self.cases += other.cases
        self.runs += other.runs
        self.events += other.events
        self.table.update(other.table)
        self.failures += other.failures


def chosen_cases(seed: str, count: int, runs_each: int) -> list[Case]:
    """Choose cases: chains and half of their runs such as let meet what has not met.

    The same seed gives the same cases.
    """
    chosen = random.Random(seed)  # noqa: S311  to be the same again
    planned = Table()
    made = []
    for _ in range(count):
        chain = planned.newest([chains.chain(chosen) for _ in range(CANDIDATES)])
        runs = list(chains.runs(chosen, chain, runs_each - runs_each // 2))
        for each in runs:
            planned.add(chain, each.source, each.consumer)
        for _ in range(runs_each // 2):
            at = planned.rarest(chain, chosen)
            planned.add(chain, *at)
            runs.append(Ends(*at, chosen.random() < 0.5, chosen.randrange(1_000_000)))
        made.append(Case(chain, tuple(runs)))
    return made


class HangError(BaseException):
    """A case that takes too long; no error, so that no pipe can handle it."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """End what takes longer than so many real seconds.

    Raises:
        HangError: then.
    """

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attempted(batch: tuple[str, int]) -> Outcome:
    """Carry a batch out, of a seed and so many chains; whatever goes wrong is its failure."""
    seed, count = batch
    is_cut = random.Random(f"{seed} is cut").random() < CUT_SHORT  # noqa: S311  to be the same again
    try:
        with loops_of_one_stage() if is_cut else nullcontext():
            return carried_out_batch(seed, count)
    except Exception as error:  # noqa: BLE001  the other batches go on
        return Outcome(failures=[f"# seed {seed}: {error!r}\n{traceback.format_exc()}"])


def carried_out_batch(seed: str, count: int) -> Outcome:
    """Choose cases, compile them, run them, and make what differs small."""
    folder = Path(tempfile.mkdtemp(prefix="rivusio-batch-"))
    try:
        cases = chosen_cases(seed, count, RUNS_EACH)
        places = write(folder, [case.chain for case in cases])
        outcome = Outcome(cases=count)
        refused = _refused(folder, sorted({path for path, _ in places}))
        if refused:
            outcome.failures.append(f"# {seed} does not compile\n{refused}")
        found: list[Failure] = []
        for (path, name), case in zip(places, cases, strict=True):
            if path.name in refused:
                continue
            runs: list[Run] = []
            try:
                with bounded(LONGEST):
                    runs.extend(carried_out(path, name, case))
            except HangError:
                text = trimmed(path.read_text(encoding="utf-8"), {name})
                outcome.failures.append(f"# {seed} {name} hangs: {case.runs}\n{text}")
            outcome.runs += len(runs)
            outcome.events += sum(run.events for run in runs)
            for run in runs:
                outcome.table.add(case.chain, run.ends.source, run.ends.consumer)
            found += _failures(runs)
        for index, failure in enumerate(found):
            outcome.failures.append(_told(failure, f"seed {seed}", small=index < MOST_SHRUNK))
        return outcome
    finally:
        shutil.rmtree(folder)


def _refused(folder: Path, paths: Sequence[Path]) -> str:
    """Compile; give what the compiler has against chains, with what is left of their files."""
    try:
        compiled(folder, paths)
    except Refused as error:
        return "\n".join(_complaints(str(error).split("\n"), paths))
    return ""


def _complaints(said: Sequence[str], paths: Sequence[Path]) -> Iterator[str]:
    told: set[str] = set()
    for line in said:
        path = next((path for path in paths if f"{path.name}:" in line), None)
        if path is None:
            yield f"# {line}"
            continue
        text = path.read_text(encoding="utf-8")
        module = re.search(r'the module of "(\w+)"', line)
        at = re.search(r":(\d+):", line)
        name = module[1] if module else name_at(text, int(at[1]) if at else 1)
        if f"{path.name} {name}" not in told:
            told.add(f"{path.name} {name}")
            yield f"# {line}\n\n{trimmed(text, {name})}\n"


def _failures(runs: Sequence[Run]) -> Iterator[Failure]:
    """Give the first run of a case that differs, if one does."""
    for run in runs:
        if run.found is not None:
            chain, monitor = run.case.chain, run.ends.monitor
            yield Failure(chain, run.source, run.consumer, monitor, run.found)
            return


def _told(failure: Failure, about: str, *, small: bool) -> str:
    if small:
        quick = next(iter(quickly_differs([failure]))) is not None
        failure = shrunk(failure, quickly_differs if quick else compiled_differs)
        if not quick:
            about += "; it differs only where mypy has told the types"
    return written(failure, about)
