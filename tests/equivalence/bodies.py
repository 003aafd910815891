"""Bodies of pipes: fragments of every kind of Python that a compiler has to take as it is.

A body turns what comes into a number `x`, runs its fragments on it, and turns `x` into what goes
out. Fragments nest, fail at chosen numbers, return early, and tell what they do with `note`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

# What a stage takes and gives. Every type has its number: that is what fragments work on.
TYPES = {
    "int": "int",
    "str": "str",
    "list": "list[int]",
    "opt": "int | None",
    "none": "None",
    "mixed": "int | str",
    "pair": "tuple[int, str]",
    "record": "Record",
}
INTO_X = {
    "int": "{0}",
    "str": "len({0}) + 1",
    "list": "sum({0}) + len({0})",
    "opt": "(0 if {0} is None else {0})",
    "none": "len(str({0}))",
    "mixed": "({0} if isinstance({0}, int) else len({0}))",
    "pair": "{0}[0] + len({0}[1])",
    "record": "{0}.at + {0}.size",
}
OUT_OF_X = {
    "int": "x",
    "str": 'f"{x}"',
    "list": "[x, x + 1]",
    "opt": "(None if x % 3 == 1 else x)",
    "mixed": '("y" if x % 3 == 1 else x)',
    "pair": '(x, "ab"[: x % 3])',
    "record": "Record(x)",
    "bool": "x % 3 != 1",
    "none": "None",
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """Some statements of a body.

    Attributes:
        kind: which.
        k: a small number in them.
        inner: the fragments within, of those that have a block.
    """

    kind: str
    k: int
    inner: tuple[Fragment, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body stands.

    Attributes:
        label: what it calls itself in its notes.
        leave: gives the statements that return early; none where that has no meaning.
        has_self: whether there is a `self`, with what the class of a pipe has.
        waits: whether it may await.
    """

    label: str
    leave: Callable[[], str]
    has_self: bool
    waits: bool


# Each line may have {k}, {label} and {leave}; a line of "..." stands for the inner fragments.
PLAIN = {
    "add": "x += {k}",
    "twice": "x = x * 2 - {k}",
    "early": "if x % 4 == {k} % 4:\n    {leave}",
    "early_deep": (
        "if x > {k}:\n    if x % 2:\n        {leave}\n    elif x % 5 == 0:\n        x -= 1\n"
        "    else:\n        x += 2\nelse:\n    x = -x"
    ),
    "ternary": "x = x + 1 if x % 2 else x - {k}",
    "chained": "x = {k} if 0 <= x < 3 or x == 7 else x",
    "comprehension": "x += sum([each * {k} for each in range(x % 4)])",
    "nested_comprehension": (
        "x += len({{a + b: a for a in range(x % 3) for b in range({k} % 3) if a != b}})"
    ),
    "set_comprehension": "x += len({{each % 3 for each in range(abs(x) % 7)}})",
    "generator_expression": "x += sum(each + {k} for each in range(x % 3))",
    "walrus": "if (half := x // 2) > {k}:\n    x = half",
    "walrus_in_comprehension": "x += len([y for each in range(x % 4) if (y := each * 2) != {k}])",
    "lambda": "x = (lambda value: value + {k})(x)",
    "capturing_lambda": "shift = {k}\nx = (lambda value: value + shift)(x)",
    "closure": "def inner(value: int) -> int:\n    return value + x % 3\n\nx = inner({k})",
    "match": (
        "match x % 4:\n    case 0:\n        x += 1\n    case 1 | 2 as found:\n        x += found\n"
        "    case _:\n        x -= {k}"
    ),
    "match_early": (
        "match [x % 2, x % 3]:\n    case [0, others] if others:\n        x += others\n"
        "    case [1, _]:\n        {leave}\n    case _:\n        pass"
    ),
    "global_read": "x += FACTOR",
    "global_table": 'STATE["seen"] = STATE.get("seen", 0) + x\nx += STATE["seen"] % 5',
    "global_written": "x += counted({k})",
    "helper": "x = helper(x, {k})",
    "fstring": 'x += len(f"{{x!r:>4}}{{{{}}}}\\"{{{{ {{x}} }}}}")',
    "unpack": "first, *rest = (x, {k}, 3)\nx = first + len(rest)",
    "annotated": "whole: int = x + {k}\nx = whole",
    "annotated_later": "z: int\nif x % 2:\n    z = 1\nelse:\n    z = {k}\nx += z",
    "del": "gone = x\ndel gone",
    "assert": "assert x != {k}, 'x is that'",
    "while": "turns = 0\nwhile turns < x % 3:\n    turns += 1\n    x += 1",
    "while_else": (
        "turns = {k}\nwhile turns > 0:\n    turns -= 1\n    if turns == x % 5:\n        break\n"
        "else:\n    x += 10"
    ),
    "for_else": (
        "for each in range(3):\n    if each == x % 5:\n        break\nelse:\n    x += {k}"
    ),
    "for_continue": (
        "for at, each in enumerate((1, 2, {k})):\n    if each == 2:\n        continue\n    x += at"
    ),
    "return_in_loop": "for each in range(5):\n    if each == x % 9:\n        {leave}\n    x += 0",
    "forever": "while True:\n    x += 1\n    if x % 3 == 0:\n        break",
    "names": (
        "item = x\noutput = item + 1\nstage_0 = output\npull = END = stage_0\n"
        "counters = pull\nx = counters - 1 + END - END"
    ),
    "try_value": "try:\n    x = 12 // (x % 3)\nexcept ZeroDivisionError:\n    x = {k}",
    "try_else": (
        'try:\n    y = int(str(x) if x % 3 else "x")\nexcept (ValueError, TypeError) as error:\n'
        '    note("{label} caught", error)\n    y = 0\nelse:\n    y += 1\n'
        'finally:\n    note("{label} finally", x)\nx = y'
    ),
    "try_return": (
        'try:\n    if x % 2:\n        {leave}\n    x += 1\nfinally:\n    note("{label} leaves", x)'
    ),
    "note": 'note("{label} is at", x)',
    "slice": "x += (1, 2, 3)[x % 3]",
    "dictionary": "x += {{0: 1, 1: 5}}.get(x % 3, {k})",
    "boolean": "x = x and x + 1 or {k}",
    "starred": "x = max(*[x, {k}], 0)",
    "sorted_key": "x = sorted([x, {k}], key=lambda each: -each)[0]",
    "recursion": "x = down(x % 5) + {k}",
    "print_like": 'x += len("%s {{}} %%" % x)',
    "global_statement": "global LAST\nLAST = x % 7\nx += LAST",
    "nonlocal": (
        "seen = 0\n\ndef look() -> int:\n    nonlocal seen\n    seen += 1\n    return seen\n\n"
        "x += look() + look()"
    ),
    "local_class": "class Local:\n    size = {k}\n\nx += Local().size",
    "many": "\n".join(["x += 1"] * 32),
}
FAILING = {
    "raise": 'if x % 5 == {k} % 5:\n    raise ValueError(f"bad {{x}}")',
    "raise_bare": "if x % 7 == {k} % 7:\n    raise KeyError",
    "raise_own": 'if x % 5 == {k} % 5:\n    raise OwnError(x, note="its own")',
    "raise_pipe_error": 'if x % 5 == {k} % 5:\n    raise PipeError("the user\'s own")',
    "raise_from": (
        "try:\n    x += 6 // (x % 4)\nexcept ZeroDivisionError as error:\n"
        "    raise OwnError(x) from error"
    ),
    "raise_from_none": (
        "try:\n    x += 6 // (x % 4)\nexcept ZeroDivisionError:\n    raise OwnError(x) from None"
    ),
    "raise_again": (
        'try:\n    x += (1, 2, 3)[x % 5]\nexcept IndexError as error:\n    error.add_note("far")\n'
        "    raise"
    ),
    "divide": "x += 10 // (x % 5 - {k} % 5)",
    "index": "x += [0, 1, 2, 3][x % 5]",
    "stop_iteration": "if x % 5 == {k} % 5:\n    raise StopIteration(x)",
    "next_of_nothing": "if x % 5 == {k} % 5:\n    x = next(iter(list[int]()))",
    "raise_in_helper": "x = fragile(x, {k})",
    "raise_in_comprehension": "x += sum([6 // (each - x % 5) for each in range(3)])",
    "raise_in_finally": (
        "try:\n    x += 1 // (x % 5)\nfinally:\n    if x % 3 == 0:\n        raise OwnError(x)"
    ),
    "base_exception": "if x % 11 == {k} % 11:\n    raise Abort(x)",
}
BLOCKS = {
    "if_block": "if x % 3 != {k} % 3:\n    ...",
    "if_else_block": "if x % 2:\n    ...\nelse:\n    x += {k}",
    "for_block": "for _ in range(2):\n    ...",
    "try_block": (
        "try:\n    ...\nexcept (ArithmeticError, LookupError, ValueError) as error:\n"
        '    note("{label} caught", error)\n    x = {k}'
    ),
    "finally_block": 'try:\n    ...\nfinally:\n    note("{label} finally", x)',
    "with_block": 'with marked("{label}"):\n    ...',
    "suppress_block": "with suppress(OwnError, KeyError):\n    ...",
    "match_block": "match x % 2:\n    case 0:\n        ...\n    case _:\n        x += {k}",
}
ON_SELF = {
    "state": "self.count += 1\nx += self.count",
    "list_on_self": "self.seen.append(x)\nx += len(self.seen)",
    "mangled": "self.__secret += {k}\nx += self.__secret",
    "mangled_method": "x = self.__shift(x)",
    "property": "x *= self.factor",
    "method": "x = self.helped(x)",
    "static": "x = self.plain(x)",
    "class_method": "x = self.of_class(x)",
    "class_attribute": "x += self.RATE",
}
WAITING = {
    "pause": "await pause()",
    "wait": "await wait(0.5)",
    "wait_some": "if x % 2:\n    await wait({k} / 4)",
    "wait_long": "await wait((abs(x) % 4) * 0.75)",
    "async_for": "async for each in slowly({k} % 3):\n    x += each",
    "async_with": 'async with held("{label}"):\n    x += 1',
    "async_comprehension": "x += sum([each async for each in slowly(x % 3)])",
    "await_value": "x = await later(x)",
    "await_in_try": (
        "try:\n    x = await later(x)\n    x += 1 // (x % 3)\nexcept ZeroDivisionError:\n"
        '    x = 0\nfinally:\n    note("{label} finally", x)'
    ),
    "await_in_finally": "try:\n    x += 1\nfinally:\n    await pause()",
}
ALL = {**PLAIN, **FAILING, **BLOCKS, **ON_SELF, **WAITING}
# A statement that says of the whole function what a name is may come only once, and first.
ONCE = {"global_statement", "nonlocal", "local_class", "closure", "annotated", "annotated_later"}


def fragments(
    chosen: random.Random, *, has_self: bool, waits: bool, failing: float, depth: int = 0
) -> tuple[Fragment, ...]:
    """Choose the fragments of a body.

    Args:
        chosen: makes the choices.
        has_self: whether the body has a `self`.
        waits: whether it may await.
        failing: how likely each fragment is one that fails, from 0 to 1.
        depth: how deep in other fragments they stand.
    """
    count = chosen.choice((0, 1, 1, 2, 3) if depth == 0 else (1, 1, 2))
    pools = [PLAIN, PLAIN, PLAIN]
    if depth < 2:
        pools.append(BLOCKS)
    if has_self:
        pools.append(ON_SELF)
    if waits:
        pools += [WAITING, WAITING]
    made: list[Fragment] = []
    for _ in range(count):
        pool = FAILING if chosen.random() < failing else chosen.choice(pools)
        kind = chosen.choice(sorted(pool))
        if kind in ONCE and (depth or any(each.kind in ONCE for each in made)):
            kind = "add"
        inner: tuple[Fragment, ...] = ()
        if pool is BLOCKS:
            inner = fragments(
                chosen, has_self=has_self, waits=waits, failing=failing, depth=depth + 1
            )
        made.append(Fragment(kind, chosen.randrange(6), inner))
    return tuple(made)


def lines_of(body: tuple[Fragment, ...], place: Place) -> Iterator[str]:
    """Write fragments."""
    for fragment in body:
        text = ALL[fragment.kind]
        for line in text.split("\n"):
            indent = line[: len(line) - len(line.lstrip())]
            if line.strip() == "...":
                inner = list(lines_of(fragment.inner, place)) or ["pass"]
                yield from (indent + each if each else each for each in inner)
            else:
                written = line.format(k=fragment.k, label=place.label, leave=place.leave())
                yield from (
                    indent + each if each else each for each in [written.removeprefix(indent)]
                )


def kinds_in(body: tuple[Fragment, ...]) -> Iterator[str]:
    """Give the kinds of the fragments, those within others too."""
    for fragment in body:
        yield fragment.kind
        yield from kinds_in(fragment.inner)


def simpler(body: tuple[Fragment, ...]) -> Iterator[tuple[Fragment, ...]]:
    """Give bodies that have less in them: each step of shrinking."""
    for index, fragment in enumerate(body):
        before, after = body[:index], body[index + 1 :]
        yield (*before, *after)
        if fragment.inner:
            yield (*before, *fragment.inner, *after)
            for inner in simpler(fragment.inner):
                yield (*before, replace(fragment, inner=inner), *after)
