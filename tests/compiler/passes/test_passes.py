"""What each pass makes of a plan; and that a plan is sound after every pass.

`UPDATE_GOLDEN=1 pytest tests/compiler/passes/test_passes.py` writes anew what the cases show.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import rivusio
from rivusio.compiler.ir.dump import dump
from rivusio.compiler.ir.explain import explain
from rivusio.compiler.ir.ops import (
    Await,
    Buffer,
    Call,
    Concurrent,
    Elided,
    Filter,
    Inline,
    Pass,
    Take,
)
from rivusio.compiler.ir.plan import Plan, make_plan
from rivusio.compiler.ir.verify import PlanError, verify_plan
from rivusio.compiler.passes import PASSES, run_passes
from rivusio.compiler.passes.inline import match_module
from rivusio.compiler.resolve import live_stages
from rivusio.pipes.base import BasePipe
from tests.compiler import kinds

GOLDEN = Path(__file__).with_name("passes.test")
GIVEN = {name: getattr(rivusio, name) for name in rivusio.__all__}
GIVEN["timedelta"] = timedelta


def plan_in(text: str) -> Plan:
    """Give the plan of the chain that a case's last line makes."""
    module = ModuleType("case")
    vars(module).update(GIVEN)
    linecache.cache["case.py"] = len(text), None, text.splitlines(keepends=True), "case.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "case", module)
        lines = text.rstrip().split("\n")
        made = "\n".join([*lines[:-1], f"chain = {lines[-1]}"])
        exec(compile(made, "case.py", "exec", dont_inherit=True), vars(module))  # noqa: S102
        chain = vars(module)["chain"]
        # The chain's own line has `chain = ` before it: lambdas in it are found all the same.
        linecache.cache["case.py"] = len(made), None, made.splitlines(keepends=True), "case.py"
        return make_plan("case", live_stages.stages_of(chain._rivusio_stages()))


def shown(text: str) -> str:
    plan = plan_in(text)
    before = dump(plan)
    parts = [f"[plan]\n{before}"]
    for each in PASSES:
        plan = each(plan)
        now = dump(plan)
        parts.append(f"[after {each.__name__}]\n{'as before' if now == before else now}")
        before = now
    return "\n".join(parts)


def golden() -> dict[str, tuple[str, str]]:
    found = re.findall(
        r"^\[case (\w+)\]\n(.*?)^(\[plan\]\n.*?)(?=^\[case|\Z)",
        GOLDEN.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return {name: (text, output.strip("\n")) for name, text, output in found}


@pytest.fixture(scope="module", autouse=True)
def update() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        head, _, _ = GOLDEN.read_text("utf-8").partition("[case ")
        written = [f"[case {name}]\n{text}{shown(text)}\n" for name, (text, _) in golden().items()]
        GOLDEN.write_text(head + "\n".join(written), "utf-8")


@pytest.mark.parametrize("name", golden())
def test_golden(name: str) -> None:
    text, expected = golden()[name]
    assert shown(text) == expected


def test_each_golden_case_has_its_own_name() -> None:
    names = re.findall(r"^\[case (\w+)\]", GOLDEN.read_text("utf-8"), re.MULTILINE)
    assert len(names) == len(set(names)) == len(golden())


# Plans are sound


def plans() -> Iterator[tuple[str, Plan]]:
    for name, each in vars(kinds).items():
        if isinstance(each, BasePipe):
            stages = live_stages.stages_of(each._rivusio_stages())
            yield name, make_plan(name, stages)
            yield f"{name}, read ahead", make_plan(name, stages, read_ahead=True)
    for name, (text, _) in golden().items():
        yield name, plan_in(text)


def test_every_plan_is_sound_after_every_pass() -> None:
    for _, made in plans():
        plan = made
        verify_plan(plan)
        for each in PASSES:
            plan = each(plan)
            verify_plan(plan)
        verify_plan(plan, is_final=True)


def test_a_pass_leaves_the_plan_it_was_given() -> None:
    for _, plan in plans():
        before = dump(plan)
        run_passes(plan)
        assert dump(plan) == before


def plan_of_kind(name: str) -> Plan:
    return make_plan(name, live_stages.stages_of(vars(kinds)[name]._rivusio_stages()))


def wrong(name: str, position: int, **changes: Any) -> Plan:
    """Give the plan of a chain with one op changed."""
    plan = plan_of_kind(name)
    ops = list(plan.ops)
    ops[position] = replace(ops[position], **changes)
    return replace(plan, ops=tuple(ops))


def turned(name: str) -> Plan:
    plan = plan_of_kind(name)
    return replace(plan, ops=plan.ops[::-1])


def with_op(name: str, position: int, op: Any) -> Plan:
    plan = plan_of_kind(name)
    return replace(plan, ops=(*plan.ops[:position], op, *plan.ops[position + 1 :]))


DOUBLE = plan_of_kind("maps").ops[0].of
WRONG = {
    "stages are not in order": (turned("maps"), "its stages are [1, 0], and not one after another"),
    "an await of what is called": (
        wrong("maps", 0, body=Await()),
        'stage 1 "Double": Await where its shape says "call"',
    ),
    "nothing is called": (
        wrong("filters", 1, body=Pass()),
        'stage 2 "Positive": Pass where its shape says "call"',
    ),
    "a coroutine is called": (
        wrong("awaits", 0, body=Call()),
        'stage 1 "Fetch": Call where its shape says "await"',
    ),
    "a coroutine's body is no coroutine's": (
        wrong("awaits", 1, body=Inline()),
        'stage 2 "Ready": Inline where its shape says "await"',
    ),
    "a timeout is elided": (
        wrong("timeouts", 1, body=Elided()),
        'stage 2 "Fetch": Elided where its shape says "await"',
    ),
    "no function stands in the loop": (
        wrong("functions", 2, body=Inline()),
        'stage 3 "str": Inline without a function',
    ),
    "a flat-map's body stands in the loop": (
        wrong("flat_maps", 1, body=Inline()),
        'stage 2 "Digits": the body of a FlatMap cannot stand in a loop',
    ),
    "an op of another shape": (
        with_op("maps", 0, Filter(DOUBLE, Call())),
        'stage 1 "Double": Filter of a "map"',
    ),
    "no concurrent shape": (
        with_op("awaits", 0, Concurrent(plan_of_kind("awaits").ops[0].of, Await())),
        'stage 1 "Fetch": its shape is not concurrent',
    ),
    "lingers": (
        wrong("batches", 1, linger=True),
        'stage 2 "Total": it lingers where its shape does not, or the other way',
    ),
    "a buffer that is nobody's": (
        with_op("buffers", 1, Buffer(DOUBLE)),
        'stage 1 "Double": its buffer does not stand before it',
    ),
    "a take of a map": (with_op("maps", 0, Take(DOUBLE, none=False)), 'Take of a "map"'),
    "sync with a buffer": (
        replace(plan_of_kind("buffers"), is_sync=True),
        "it is sync, with a stage that needs an event loop",
    ),
}


@pytest.mark.parametrize(("plan", "message"), WRONG.values(), ids=WRONG)
def test_a_plan_that_is_not_sound_is_refused(plan: Plan, message: str) -> None:
    with pytest.raises(PlanError) as error:
        verify_plan(plan)
    assert message in str(error.value)


def test_no_elided_await_is_left_by_the_passes() -> None:
    plan = wrong("awaits", 1, body=Elided())
    verify_plan(plan)
    with pytest.raises(PlanError, match='stage 2 "Ready": an elided await was left'):
        verify_plan(plan, is_final=True)


def more(item: int) -> int:
    return item + 1


def test_a_body_that_found_no_place_in_the_module_is_told_as_a_call() -> None:
    stages = live_stages.stages_of((rivusio.map(more) >> rivusio.map(more))._rivusio_stages())
    plan = match_module(run_passes(make_plan("twice", stages)), {0})
    assert [(each.how, each.why) for each in explain(plan)] == [
        ("inlined", ""),
        ("called", "a name that its body needs is taken in the loop"),
    ]
