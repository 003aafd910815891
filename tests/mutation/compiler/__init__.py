"""Small deliberate breakages of the compiler, its templates and what runs compiled chains.

The list was written from the rules of docs/semantics.md and from the promises below, before
anybody looked at what the tests cover. `tests.mutation.mutants` makes them one at a time.

loops      what a generated loop does with an item
holding    batches, windows and buffers
leaving    errors, flushes, and what is cleaned up when
inlining   bodies of the user's functions in a loop
loading    guards, artifacts, and the command
running    the command `rivusio run`
typing     types of stages, where mypy does not know what comes to them
"""

from __future__ import annotations

from tests.mutation.compiler import holding, inlining, leaving, loading, loops, running, typing
from tests.mutation.compiler.making import PROMISES

__all__ = ["COMPILER_MUTANTS", "PROMISES"]

COMPILER_MUTANTS = (
    *loops.MUTANTS,
    *holding.MUTANTS,
    *leaving.MUTANTS,
    *inlining.MUTANTS,
    *loading.MUTANTS,
    *running.MUTANTS,
    *typing.MUTANTS,
)
