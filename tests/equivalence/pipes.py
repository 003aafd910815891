"""Random stages, of every family and operator, and the classes and functions that make them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tests.equivalence import bodies
from tests.equivalence import settings as asked
from tests.equivalence.bodies import TYPES, Fragment
from tests.equivalence.settings import NOTHING, Settings

Style = Literal["plain", "inherited", "generic", "made", "forgetful"]
Callee = Literal["function", "defaults", "partial", "traced", "object", "method"]


@dataclass(frozen=True, slots=True)
class Op:
    """What can be said of all stages of one kind.

    Attributes:
        family: whether it is async by itself.
        form: what is written for it: a class, a function, or nothing but the call of an operator.
        one: whether it gives one result for one item.
        call: whether there is one call of user code for an input.
        waits: whether its body may wait.
        lists: whether it collects lists.
    """

    family: Literal["sync", "async"]
    form: Literal["class", "function", "operator"]
    one: bool = False
    call: bool = True
    waits: bool = False
    lists: bool = False


OPS = {
    "sync pipe": Op("sync", "class", one=True),
    "async pipe": Op("async", "class", one=True, waits=True),
    "stream pipe": Op("async", "class", one=True, waits=True),
    "plain stream pipe": Op("async", "class", one=True),
    "identity": Op("async", "operator", one=True, call=False),
    "map": Op("sync", "function", one=True),
    "async map": Op("async", "function", one=True, waits=True),
    "lambda": Op("sync", "operator", one=True),
    "bare function": Op("sync", "function", one=True),
    "@pipe": Op("sync", "function", one=True),
    "async @pipe": Op("async", "function", one=True, waits=True),
    "filter pipe": Op("sync", "class"),
    "async filter pipe": Op("async", "class", waits=True),
    "filter": Op("sync", "function"),
    "async filter": Op("async", "function", waits=True),
    "drop_none": Op("sync", "operator"),
    "lazy flat-map pipe": Op("sync", "class"),
    "list flat-map pipe": Op("sync", "class"),
    "async flat-map pipe": Op("async", "class", waits=True),
    "async list flat-map pipe": Op("async", "class", waits=True),
    "flat_map": Op("sync", "function"),
    "async flat_map": Op("async", "function", waits=True),
    "take": Op("sync", "operator", call=False),
    "take_while": Op("sync", "function"),
    "async take_while": Op("async", "function", waits=True),
    "skip": Op("sync", "operator", call=False),
    "batch": Op("sync", "operator", call=False, lists=True),
    "lingering batch": Op("async", "operator", call=False, lists=True),
    "batch pipe": Op("async", "class", waits=True, lists=True),
    "plain batch pipe": Op("async", "class", lists=True),
    "lingering batch pipe": Op("async", "class", waits=True, lists=True),
    "tumbling": Op("sync", "operator", call=False, lists=True),
    "window pipe": Op("async", "class", waits=True, lists=True),
    "sliding": Op("sync", "operator", call=False, lists=True),
    "sliding pipe": Op("async", "class", waits=True, lists=True),
    "user stream": Op("async", "class", call=False, waits=True),
}
FLAT_MAPS = {name for name in OPS if "flat" in name}
FILTERS = {
    *("filter pipe", "async filter pipe", "filter", "async filter"),
    *("take_while", "async take_while"),
}
LISTS = {"batch": "batch", "tumbling": "tumbling", "window": "tumbling", "sliding": "sliding"}
SAME_TYPE = {*FILTERS, "take", "skip", "identity", "drop_none"}
CALLING = {
    f"{kind}{each}"
    for kind in ("", "async ")
    for each in ("map", "filter", "flat_map", "take_while")
}
CALLEES: tuple[Callee, ...] = (
    *("function", "function", "function", "function", "function"),
    *("defaults", "partial", "traced", "object", "method"),
)
STREAMS = ("passes", "twice", "some", "first", "last", "catches", "ends", "cleans")
NAMES = (
    'it"s',
    "it's",
    "new\nline",
    "{{ name }}",
    "{% raw %}",
    "{# no #}",
    "back\\slash",
    "{x}",
    '"""',
    "\N{SNOWMAN}\N{PILE OF POO}",
    "%s %(x)s",
    "",
    " ",
    "class",
    "\u2028",
    "\t",
    "'''#",
    "#{}",
    "$x",
    "*/",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a chain, as plain data.

    Attributes:
        op: which of `OPS`.
        takes: the type of what comes, of `bodies.TYPES`.
        gives: the type of what goes out.
        body: what its function does.
        style: how its class is written.
        callee: what an operator is given to call.
        size: items or half seconds in a list; items that `take` takes; items of a flat-map.
        step: of a sliding window.
        stream: what a user stream does.
        settings: what is asked of it.
        limit: items at once; 0 for one after the other.
        ordered: whether they stay in order then.
        name: its name; `None` leaves it to the class.
        is_any: whether it says of what goes out only that it is `Any`.
    """

    op: str
    takes: str
    gives: str
    body: tuple[Fragment, ...] = ()
    style: Style = "plain"
    callee: Callee = "function"
    size: int = 2
    step: int = 1
    stream: str = "passes"
    settings: Settings = NOTHING
    limit: int = 0
    ordered: bool = True
    name: str | None = None
    is_any: bool = False

    @property
    def kind(self) -> Op:
        """What can be said of its kind."""
        return OPS[self.op]

    @property
    def out(self) -> str:
        """The annotation of what goes out."""
        return "Any" if self.is_any else TYPES[self.gives]

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""
        return self.kind.family == "async" or self.limit > 0 or self.settings.buffer is not None


def stage(chosen: random.Random, takes: str, *, sync: bool) -> Stage:
    """Choose a stage that takes such items; one that needs no event loop, if `sync`."""
    names = [
        name
        for name, op in OPS.items()
        if (not sync or op.family == "sync")
        and (name != "drop_none" or takes == "opt")
        and (not op.lists or takes == "int")
        and (name != "user stream" or takes == "int")
    ]
    kinds = sorted({kind_of(name) for name in names})
    kind = chosen.choice([*kinds, "map", "map"])  # of the ten the one that is met most
    op_name = chosen.choice([name for name in names if kind_of(name) == kind])
    op_name = "drop_none" if takes == "opt" and chosen.random() < 0.4 else op_name
    op = OPS[op_name]
    gives = chosen.choice((*["int"] * 5, *TYPES))
    if op_name in SAME_TYPE:
        gives = takes
    elif op_name == "user stream":
        gives = "int"
    # mypy takes a list that a lambda makes of an item it does not know for a list of any objects.
    if op_name == "drop_none" or (op_name == "lambda" and gives == "list"):
        gives = "int"
    if op.lists and op.form == "operator":
        gives = "list"
    given = asked.settings(
        chosen,
        is_async=op.family == "async",
        single_call=op.call,
        buffers=not sync,
        has_class=op.form == "class",
    )
    made = Stage(
        op_name,
        takes,
        gives,
        bodies.fragments(
            chosen,
            has_self=op.form == "class",
            waits=op.waits,
            failing=chosen.choice((0.0, 0.15, 0.3)),
        ),
        chosen.choice(("plain", "plain", "inherited", "generic", "made", "forgetful")),
        chosen.choice(CALLEES) if op_name in CALLING else "function",
        chosen.choice((1, 2, 2, 3, 4)),
        chosen.choice((1, 1, 2, 3, 5)),
        chosen.choice(STREAMS),
        given,
        name=chosen.choice(NAMES) if chosen.random() < 0.25 else None,
        is_any=chosen.random() < 0.1,
    )
    if op.one and not sync and op_name != "identity" and chosen.random() < 0.15:
        made = replace(made, limit=chosen.choice((1, 2, 3)), ordered=chosen.random() < 0.6)
    return possible(made)


def kind_of(op_name: str) -> str:
    """Give which of the kinds of operations a stage is of."""
    if "take_while" in op_name:
        return "take_while"
    if op_name in FILTERS or op_name == "drop_none":
        return "filter"
    if op_name in FLAT_MAPS:
        return "flat_map"
    if op_name in ("take", "skip", "user stream"):
        return op_name
    return next((LISTS[word] for word in op_name.split() if word in LISTS), "map")


def possible(made: Stage) -> Stage:
    """Leave out what a stage cannot have, or would not be the same twice."""
    op = made.kind
    if op.form == "operator":
        made = replace(made, body=(), settings=replace(made.settings, given="stage", handler=""))
    if op.form != "class":
        made = replace(made, settings=replace(made.settings, given="stage"), style="plain")
    if made.op in ("lambda", "drop_none", "identity"):
        made = replace(made, settings=replace(made.settings, timeout=0.0))
    if op.form != "class" and made.op not in ("@pipe", "async @pipe"):
        made = replace(made, name=None)
    if made.op == "async flat_map" and made.callee == "traced":
        made = replace(made, callee="function")
    if made.style == "forgetful":  # its constructor takes nothing, and passes nothing on
        made = replace(made, name=None, settings=replace(made.settings, given="stage"))
        if op.lists:
            made = replace(made, style="plain")
    if made.style == "generic" and (made.op in FLAT_MAPS or op.lists or made.op == "user stream"):
        made = replace(made, style="plain")
    if made.style == "generic":
        made = replace(made, gives=made.takes)
    if made.op == "user stream":
        made = replace(made, style="plain")
    if op.form == "operator" or made.op in (*FILTERS, "user stream") or made.style == "generic":
        made = replace(made, is_any=False)
    return made


def simpler(made: Stage) -> Iterator[Stage]:
    """Give stages with less in them, of the same types."""
    for body in bodies.simpler(made.body):
        yield replace(made, body=body)
    for less in asked.simpler(made.settings):
        yield possible(replace(made, settings=less))
    if made.name is not None:
        yield replace(made, name=None)
    if made.limit:
        yield replace(made, limit=0)
    if made.is_any:
        yield replace(made, is_any=False)
    if made.style != "plain":
        yield replace(made, style="plain")
    if made.callee != "function":
        yield replace(made, callee="function")
    if made.stream != "passes":
        yield replace(made, stream="passes")
    same = made.takes == made.gives and made.op not in FILTERS
    if same and made.op not in ("sync pipe", "identity"):
        yield possible(replace(made, op="sync pipe", limit=0))
