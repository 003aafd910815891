"""Python text for what the functions and methods of random stages do."""

from __future__ import annotations

import textwrap

from tests.equivalence.bodies import INTO_X, OUT_OF_X, TYPES, Place, lines_of
from tests.equivalence.pipes import FILTERS, FLAT_MAPS, Stage

LAZY = {"lazy flat-map pipe", "async flat-map pipe"}
# How a flat-map says that it gives a collection, and how it makes one of a list.
COLLECTIONS = (
    ("Iterable[{0}]", "{0}"),
    ("list[{0}]", "{0}"),
    ("tuple[{0}, ...]", "tuple({0})"),
    ("Sequence[{0}]", "{0}"),
)
STREAM_BODIES = {
    "passes": "async for data in stream:\n    {body}\n    yield x",
    "twice": "async for data in stream:\n    {body}\n    yield x\n    yield -x",
    "some": (
        "async for data in stream:\n    if data % 3 == 1:\n        continue\n    {body}\n"
        "    yield x"
    ),
    "first": (
        "async for data in stream:\n    {body}\n    yield x\n    if x % 4 == 3:\n        return"
    ),
    "last": (
        'x = 0\nasync for data in stream:\n    {body}\nnote("{label} ends", x)\nyield x\nyield -1'
    ),
    "catches": (
        "try:\n    async for data in stream:\n        {body}\n        yield x\n"
        'except Exception as error:\n    note("{label} caught", error)\n    yield -1\n'
        "    async for data in stream:\n        yield data"
    ),
    "ends": (
        "async for data in stream:\n    {body}\n    yield x\n"
        'note("{label} ends")\nraise OwnError(0, "at the end")'
    ),
    "cleans": (
        "try:\n    async for data in stream:\n        {body}\n        yield x\nfinally:\n"
        '    note("{label} cleans")\n    await pause()\n    note("{label} is clean")'
    ),
}


def body(stage: Stage, label: str, data: str, *, has_self: bool) -> list[str]:
    """Write the body of a function that takes an item or a list: `data`."""
    takes = "list" if stage.kind.lists else stage.takes
    into = INTO_X[takes].format(data)
    if stage.style == "generic":
        into = f"int(str({data})) if isinstance({data}, int) else len(str({data}))"
    place = Place(label, lambda: _leave(stage, data), has_self=has_self, waits=stage.kind.waits)
    lines = [f'note("{label}", {data})', f"x = {into}", *lines_of(stage.body, place)]
    return lines + _end(stage, data)


def _leave(stage: Stage, data: str) -> str:
    if _yields(stage):
        return "return"
    return next(reversed(_end(stage, data)), "return")


def _yields(stage: Stage) -> bool:
    return stage.op in LAZY or (stage.op == "async flat_map" and not gives_list(stage))


def gives_list(stage: Stage) -> bool:
    """Tell whether a function given to `flat_map` is a coroutine function, and no generator."""
    return stage.op == "async flat_map" and stage.step > 1


def _collection(stage: Stage) -> tuple[str, str]:
    return COLLECTIONS[stage.step % len(COLLECTIONS)]


def _end(stage: Stage, data: str) -> list[str]:
    if stage.op in FILTERS:
        return [f"return {OUT_OF_X['bool']}"]
    if stage.style == "generic":
        return [f"return {data}"]
    if _yields(stage):
        return [
            f"for turn in range(x % 3 + {stage.size - 1}):",
            '    note("of one", turn)',
            f"    yield {OUT_OF_X[stage.gives]}",
            "    x += 1",
            *(["    await pause()"] if stage.kind.family == "async" and stage.size > 2 else []),
        ]
    if stage.op in FLAT_MAPS:
        each = OUT_OF_X[stage.gives]
        made = f"[{each} for x in range(x, x + x % 3 + {stage.size - 1})]"
        return [f"return {_collection(stage)[1].format(made)}"]
    if stage.gives == "none" and stage.size % 2:
        return []  # it runs to its end, as functions do that are called for what they do
    return [f"return {OUT_OF_X[stage.gives]}"]


def stream(stage: Stage, label: str) -> list[str]:
    """Write the body of a `process_stream`."""
    place = Place(label, lambda: "return", has_self=True, waits=True)
    inner = [f'note("{label}", data)', "x = data", *lines_of(stage.body, place)]
    made = []
    for line in STREAM_BODIES[stage.stream].replace("{label}", label).split("\n"):
        if line.strip() == "{body}":
            made += textwrap.indent("\n".join(inner), line.replace("{body}", "")).split("\n")
        else:
            made.append(line)
    return made


def handler(stage: Stage, label: str) -> str:
    """Write the `handle_error` of a stage."""
    data = "T" if stage.style == "generic" else TYPES[stage.takes]
    if stage.kind.lists:
        data = f"list[{data}]"
    is_async = stage.kind.family == "async" and stage.size % 2 == 0
    word = "async def" if is_async else "def"
    gives = result(stage)
    if stage.op in FLAT_MAPS:
        gives, given = f"Iterable[{stage.out}]", f"[{_zero(stage)}]"
    else:
        same = stage.style == "generic" and stage.op not in FILTERS
        given = "data" if same else _zero(stage)
    lines = [f"{word} handle_error(self, error: Exception, data: {data}) -> {gives}:"]
    does = [f'note("{label} handles", (error, data))']
    if is_async:
        does.append("await pause()")
    if stage.settings.handler == "some":
        does += ["if isinstance(error, (ValueError, ArithmeticError)):", "    raise OwnError(7)"]
    if stage.settings.handler == "refuses":
        does.append('raise OwnError(8, "of the handler")')
    else:
        does.append(f"return {given}")
    return "\n".join([*lines, *indented(does)])


def _zero(stage: Stage) -> str:
    if stage.op in FILTERS:
        return "True"
    return OUT_OF_X[stage.gives].replace("x", "0") if stage.gives != "opt" else "None"


def result(stage: Stage) -> str:
    """Give the annotation of what the function gives."""
    if stage.op in FILTERS:
        return "bool"
    if stage.style == "generic":
        return "T"
    if stage.op == "async flat-map pipe":
        return f"AsyncIterator[{stage.out}]"
    if stage.op in FLAT_MAPS:
        gives = "Iterable[{0}]" if _yields(stage) else _collection(stage)[0]
        return gives.format(stage.out)
    return stage.out


def indented(lines: list[str]) -> list[str]:
    """Give the lines one level further in."""
    return [f"    {line}" if line else line for line in lines]
