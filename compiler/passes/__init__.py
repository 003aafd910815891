"""The passes, in the order in which they are made: each takes a plan and gives a better one."""

from collections.abc import Callable

from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.passes.elide_await import elide_await
from rivusio.compiler.passes.inline import inline

PASSES: tuple[Callable[[Plan], Plan], ...] = (elide_await, inline)


def run_passes(plan: Plan) -> Plan:
    """Make all passes."""
    for each in PASSES:
        plan = each(plan)
    return plan
