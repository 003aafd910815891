"""Makes a case that differs as small as it gets: drops what it does not need, step by step."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from rivusio.artifacts import loader
from rivusio.compiler.jit import compile_stages
from rivusio.testing import ConsumerScript, SourceScript
from rivusio.testing.scripts import Step
from tests.equivalence import chains
from tests.equivalence.chains import Chain, name_of
from tests.equivalence.ends import item_of
from tests.equivalence.running import Refused, compared, compiled, imported
from tests.equivalence.trimming import trimmed

AT_ONCE = 24  # candidates that are compiled in one run of the compiler
ROUNDS = 60

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Failure:
    """A chain with one run of it in which the modes differ.

    Attributes:
        chain: the chain.
        source: what its source does.
        consumer: what its consumer does.
        monitor: whether it is observed.
        found: the difference.
    """

    chain: Chain
    source: SourceScript
    consumer: ConsumerScript
    monitor: bool
    found: str


Differs = Callable[[Sequence[Failure]], Iterator[str | None]]  # gives how each one differs


def shrunk(failure: Failure, differs: Differs, rounds: int = ROUNDS) -> Failure:
    """Give a smaller case that fails in the same way, if there is one."""
    for _ in range(rounds):
        for some in _batches(_simpler(failure)):
            less = next(
                (
                    replace(each, found=found)
                    for each, found in zip(some, differs(some), strict=True)
                    if found is not None and _is_alike(found, failure.found)
                ),
                None,
            )
            if less is not None:
                failure = less
                break
        else:
            return failure
    return failure


def _batches(failures: Iterator[Failure]) -> Iterator[Sequence[Failure]]:
    while some := list(itertools.islice(failures, AT_ONCE)):
        yield some


def _is_alike(found: str, other: str) -> bool:
    """A chain that is not compiled, or does not compile, is another story than one that differs."""
    return all((word in found) == (word in other) for word in ("not compiled", "refused by mypy"))


def _simpler(failure: Failure) -> Iterator[Failure]:
    for chain in chains.simpler(failure.chain):
        source = failure.source
        if chain.stages[0].takes != failure.chain.stages[0].takes:
            source = _of_type(source, chain.stages[0].takes)
        yield replace(failure, chain=chain, source=source)
    if failure.monitor:
        yield replace(failure, monitor=False)
    for source in _simpler_source(failure.source):
        yield replace(failure, source=source)
    if failure.consumer.slow:
        yield replace(failure, consumer=replace(failure.consumer, slow=0.0))
    if failure.consumer.cancelled_at is not None and failure.consumer.cancelled_at > 1:
        at = failure.consumer.cancelled_at - 1
        yield replace(failure, consumer=replace(failure.consumer, cancelled_at=at))
    if failure.consumer.entry == "stream" and failure.consumer != ConsumerScript():
        yield replace(failure, consumer=ConsumerScript())


def _of_type(source: SourceScript, takes: str) -> SourceScript:
    """Give the same source with items of another type."""
    steps: list[Step] = [
        ("emit", item_of(index, takes)) if step[0] == "emit" else step
        for index, step in enumerate(source.steps)
    ]
    return replace(source, steps=tuple(steps))


def _simpler_source(source: SourceScript) -> Iterator[SourceScript]:
    steps = source.steps
    if len(steps) > 2:
        yield replace(source, steps=steps[: len(steps) // 2])
        yield replace(source, steps=steps[len(steps) // 2 :])
    for index in range(len(steps)):
        yield replace(source, steps=(*steps[:index], *steps[index + 1 :]))


def compiled_differs(failures: Sequence[Failure]) -> Iterator[str | None]:
    """Say how each of some cases differs, as the real compiler compiles it."""
    with tempfile.TemporaryDirectory(prefix="rivusio-shrink-") as folder:
        paths = []
        for index, each in enumerate(failures):
            path = Path(folder) / f"less_{index}.py"
            path.write_text(chains.text_of([each.chain]), encoding="utf-8")
            paths.append(path)
        refused = ""
        try:
            compiled(Path(folder), paths)
        except Refused as error:
            refused = str(error)
        for each, path in zip(failures, paths, strict=True):
            if path.name in refused:
                yield f"refused by mypy: {refused}"
                continue
            yield _difference(path, each)


def quickly_differs(failures: Sequence[Failure]) -> Iterator[str | None]:
    """Do the same, compiled in this process: without mypy, so not always the same code."""
    on_demand = loader.compile_on_demand
    loader.compile_on_demand = compile_stages
    try:
        with tempfile.TemporaryDirectory(prefix="rivusio-shrink-") as folder:
            for each in failures:
                path = Path(folder) / f"less_{next(_numbers)}.py"
                path.write_text(chains.text_of([each.chain]), encoding="utf-8")
                yield _difference(path, each)
    finally:
        loader.compile_on_demand = on_demand


def _difference(path: Path, failure: Failure) -> str | None:
    run = failure.source, failure.consumer
    try:
        imported(path, name_of(0))
        return compared(path, name_of(0), *run, monitor=failure.monitor)[1]
    except Exception:  # noqa: BLE001  what cannot be made is no smaller case
        return None


def written(failure: Failure, about: str) -> str:
    """Give the file of a case: its chain, its run as `RUN`, and what it is about."""
    said = "\n".join(f"# {line}".rstrip() for line in [about, *failure.found.split("\n")])
    text = trimmed(chains.text_of([failure.chain]), {name_of(0)})
    source = f"SourceScript({failure.source.steps!r}, {failure.source.kind!r})"
    run = f"RUN = (\n    {source},\n    {_consumer(failure.consumer)},\n    {failure.monitor},\n)"
    imports = "from rivusio.testing import ConsumerScript, SourceScript"
    return f"{said}\n{text}\n\n{imports}\n\n{run}\n"


def _consumer(consumer: ConsumerScript) -> str:
    said = [
        f"{each.name}={value!r}"
        for each in fields(consumer)
        if (value := getattr(consumer, each.name)) != each.default
    ]
    return f"ConsumerScript({', '.join(said)})"
