"""What leaves a compiled run, and what is cleaned up."""

from __future__ import annotations

from tests.mutation.compiler.making import FILES, GROUPS, broken

LOOPS = "rivusio/compiled/loops.py"
ENTERING = "compiler/backends/python/calls.py"
OUTPUTS = "rivusio/compiled/outputs.py"
PARTS = "rivusio/compiled/frames.py"
OP_CODE = "compiler/backends/python/op_code.py"
WRITE = "compiler/backends/python/loop.py"

ERRORS = (
    broken(
        "6.1",
        WRITE,
        "here = Here(in_flush=True, exits",
        "here = Here(in_flush=False, exits",
        "a handler at the flush is told of the last item",
    ),
    broken(
        "6.1",
        ENTERING,
        'flush = " flush" if here.in_flush else ""',
        'flush = ""',
        "an error at the flush has the number of the last item",
    ),
    broken(
        "6.2",
        PARTS,
        "count = (-1 if index is None else index) + 1",
        "count = -1 if index is None else index",
        "an error of the source has the number of the item before",
    ),
    broken(
        "6.3",
        OP_CODE,
        "own.holdings.append(holding)",
        "pass",
        "outputs of a flat-map that were not taken are lost",
    ),
    broken(
        "6.8",
        PARTS,
        'if place.does in ("pull", "settle") and self._run.raised(error):',
        'if place.does == "pull" and self._run.raised(error):',
        "an error that settings have let pass is wrapped twice",
    ),
    broken(
        "6.10",
        ENTERING,
        'coroutine = " coroutine" if isinstance(body, Inline) and body.in_coroutine else ""',
        'coroutine = ""',
        "an elided await lets a StopIteration out as a generator does",
        *FILES,
    ),
    broken(
        "6.10",
        PARTS,
        'return as_escaped(error, "coroutine" if place.in_coroutine else "generator")',
        'return error if place.in_coroutine else as_escaped(error, "generator")',
        "an elided await lets a StopIteration through",
        *FILES,
    ),
    broken(
        "6.10",
        PARTS,
        'return as_escaped(error, "coroutine" if place.in_coroutine else "generator")',
        'return as_escaped(error, "coroutine")',
        "a StopIteration of a plain function is told as a coroutine's",
    ),
    broken(
        "6.11",
        LOOPS,
        "retraced(leaving, self._line_maps)\n        try",
        "pass\n        try",
        "a traceback shows generated lines",
    ),
    broken(
        "6.11",
        "rivusio/compiled/single_item.py",
        "retraced(error, {self._program.file: self._program.line_map})",
        "pass",
        "the traceback of a single item shows generated lines",
    ),
    broken(
        "6.11",
        "compiler/backends/python/source_map.py",
        'position = f"{original.lineno}:',
        'position = f"{original.lineno + 1}:',
        "a traceback shows the line below",
    ),
    broken(
        "6.11",
        ENTERING,
        'f"{origin}:{position}"',
        "mark",
        "a traceback does not show the line that gives the result",
    ),
)

CLEANING = (
    broken("3.7", LOOPS, "await self._end(raised)", "pass", "an early end cleans nothing up"),
    broken("3.7", LOOPS, "await self._end(None)", "pass", "a run that has ended cleans nothing up"),
    broken(
        "3.7",
        PARTS,
        "for holding in reversed(self._holdings):",
        "for holding in self._holdings:",
        "user generators are closed from upstream on",
    ),
    broken(
        "3.7",
        PARTS,
        "await self.upstream.close(closing)",
        "pass",
        "what is before a loop is not closed, nor is the source",
    ),
    broken(
        "3.7",
        LOOPS,
        "await close_generator(self.generator)",
        "pass",
        "a loop before another part is not ended",
    ),
    broken(
        "3.7",
        LOOPS,
        "self.generator.close()",
        "pass",
        "a loop before another part is not ended, without an event loop",
        *GROUPS,
    ),
    broken(
        "3.7",
        "rivusio/runs/run.py",
        "if self.run.in_loop and isinstance(leaving, GeneratorExit):",
        "if False:",
        "a run and the event loop close the same generator",
    ),
    broken(
        "3.7",
        PARTS,
        "await close_outputs(outputs)",
        "pass",
        "the generator of a flat-map stays open",
    ),
    broken(
        "3.7",
        OUTPUTS,
        "await close_generator(outputs)",
        "pass",
        "the async generator of a flat-map stays open",
    ),
    broken(
        "7.3",
        PARTS,
        'self._in_flight = place.stage, state[place.item or ""]',
        "pass",
        "the item in hand is lost at a cancellation",
    ),
    broken(
        "3.7",
        PARTS,
        "closing.hold_outputs(stage, rest_of(outputs))",
        "pass",
        "outputs that were not taken are not counted as discarded",
        "tests/semantics",
        "-k",
        "not interpreted and (discard or pending or outputs)",
    ),
    broken(
        "3.7",
        PARTS,
        "closing.failed(self._run.failure(name, stage, state[data], error, None))",
        "pass",
        "an error of a user generator that is closed is lost",
    ),
)

MUTANTS = (*ERRORS, *CLEANING)
