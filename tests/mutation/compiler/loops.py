"""What a generated loop does with an item: calls, what is counted, and what is pulled when."""

from __future__ import annotations

from tests.mutation.compiler.making import FILES, ONE, TAKES, broken

TAKE_WHILE = "templates/python/stage/take_while.py.jinja"
SKIP = "templates/python/stage/skip.py.jinja"
ENTER = "templates/python/stage/call.py.jinja"
ENTERING = "compiler/backends/python/calls.py"
FEED = "rivusio/compiled/source.py"
FILTER = "templates/python/stage/filter.py.jinja"
FLAT_MAP = "templates/python/stage/flat_map.py.jinja"
FUNCTION = "compiler/backends/python/frame.py"
GIVE = "templates/python/sink/emit.py.jinja"
LINE = "rivusio/compiled/assembly.py"
MAP = "templates/python/stage/map.py.jinja"
ONE_ITEM = "templates/python/single/stage.py.jinja"
OVER_ASYNC = "templates/python/source/async_iterable.py.jinja"
OVER_NODE = "templates/python/source/upstream.py.jinja"
OVER_PLAIN = "templates/python/source/iterable.py.jinja"
OP_CODE = "compiler/backends/python/op_code.py"

CALLS = (
    broken(
        "2.4",
        TAKE_WHILE,
        "    {{ this.left }} = False\n",
        "",
        "a take_while goes on after the item that it refuses",
    ),
    broken(
        "3.6",
        TAKE_WHILE,
        "    part.halt_upstream()\n",
        "",
        "a take_while lets what is before it go on",
    ),
    broken(
        "2.4",
        TAKE_WHILE,
        "    {{ this.counters }}.filtered += 1\n",
        "",
        "the item that a take_while refuses is not counted",
    ),
    broken(
        "2.4",
        SKIP,
        "    {{ this.left }} -= 1\n",
        "",
        "skip leaves everything out",
    ),
    broken(
        "2.5",
        ENTERING,
        "part.name({index})",
        "str({index})",
        "what a stage may not give is told by its number",
        "tests/compiler/commands/test_compiled_files.py",
    ),
    broken(
        "2.5",
        ENTER,
        "if type({{ call.output }}) not in PLAIN and is_awaitable({{ call.output }}):",
        "if False:",
        "a sync callable may give an awaitable",
    ),
    broken(
        "2.7",
        OP_CODE,
        "kept, op.body)\n    outcome = decide_outcome(own, op, here, item)",
        "kept, op.body)\n    outcome = decide_outcome(own, op, here, kept)",
        "skip_none of a filter looks at its verdict instead of the item",
    ),
    broken(
        "6.6",
        ENTER,
        "    recovered = {{ call.recovery }}\n",
        "    recovered = {{ call.recovery }}\n    recovered = {{ call.recovery }}\n",
        "a handler is called twice",
    ),
    broken(
        "6.6",
        ENTERING,
        'result = f"bool({result})"',
        "pass",
        "a filter's verdict that has no truth is not handled",
        *FILES,
    ),
    broken(
        "6.7",
        ENTERING,
        "is_judged=is_judged,",
        "is_judged=False,",
        "a filter's verdict that is looked at and has no truth is not handled",
    ),
    broken(
        "6.7",
        ENTERING,
        "{item}, {here.item_index}{started}",
        "{item}, None{started}",
        "a dead letter does not know which item it was",
    ),
    broken(
        "6.8",
        "rivusio/compiled/bound_stages.py",
        "return timeout\n",
        "return 2 * timeout\n",
        "a first try may take twice its timeout",
    ),
    broken(
        "6.10",
        "rivusio/compiled/frames.py",
        "if isinstance(error, Exception):",
        "if error is not None:",
        "a KeyboardInterrupt leaves as an error of its stage",
    ),
    broken(
        "1.2",
        "rivusio/compiled/bound_stages.py",
        "return operation.call\n",
        'return getattr(self._stages[stage].pipe, "process", operation.call)\n',
        "a method is looked up at the first item",
    ),
)

ONE_BY_ONE = (
    broken(
        "2.10",
        ONE_ITEM,
        "{{ this.call.output }} = {{ this.retry }}",
        "raise",
        "a single item is not tried again",
        *ONE,
    ),
    broken(
        "2.10",
        ONE_ITEM,
        "part.seen({{ this.call.index }}, {{ this.call.output }})",
        "",
        "nobody is told what a stage has given for a single item",
    ),
    broken(
        "6.10",
        "rivusio/compiled/single_item.py",
        " or not isinstance(error, Exception)",
        "",
        "a KeyboardInterrupt over a single item leaves as an error of its stage",
    ),
    broken(
        "6.1",
        "rivusio/compiled/single_item.py",
        "item=item) from error",
        "item=item)",
        "the error of a single item has lost its cause",
        *ONE,
        "tests/semantics/test_errors.py",
    ),
    broken(
        "6.1",
        "rivusio/compiled/single_item.py",
        "import PipelineError\n",
        "import StreamError as PipelineError\n",
        "a single item fails as a stream",
        *ONE,
        "tests/semantics/test_errors.py",
    ),
    broken(
        "6.10",
        "rivusio/compiled/single_item.py",
        "            error = escaped(error, place)\n",
        "            pass\n",
        "a StopIteration leaves a single item as it is",
    ),
)

PULLS = (
    broken(
        "3.3",
        FLAT_MAP,
        "{{ this.outputs }} = {{ this.opened }}\n",
        "{{ this.outputs }} = {% if this.is_async %}{{ this.opened }}"
        "{% else %}iter(list({{ this.opened }})){% endif %}\n\n",
        "the outputs of a flat-map are collected",
    ),
    broken(
        "3.3",
        FLAT_MAP,
        "    if {{ this.exits }}:\n        break\n",
        "    pass\n",
        "a take goes on asking a flat-map before it",
        *TAKES,
    ),
    broken(
        "3.3",
        OVER_PLAIN,
        "        if {{ this.exits }}:\n            break\n",
        "",
        "a take goes on asking a plain source",
        *TAKES,
    ),
    broken(
        "3.3",
        OVER_ASYNC,
        "        if {{ this.exits }}:\n            break\n",
        "        if feed.is_over:\n            break\n",
        "a take goes on asking an async source",
        *TAKES,
    ),
    broken(
        "3.6",
        OP_CODE,
        "halts = own.variant.source in OF",
        "halts = False",
        "a take behind a window lets it be flushed",
        *TAKES,
    ),
    broken(
        "3.6",
        FUNCTION,
        "if not self.exits:",
        "if self is not None:",
        "a stopped run asks once more after an item that was dropped",
    ),
    broken(
        "3.6",
        ENTER,
        "    if recovered is NOTHING and {{ call.ends }}:\n",
        "    if recovered is NOTHING and False:\n",
        "a stopped run asks once more after an item that was skipped",
    ),
    broken(
        "3.6",
        FEED,
        "self._numbers.clear()",
        "pass",
        "a stopped run asks a plain source on to the end of the chunk",
    ),
    broken(
        "3.6",
        FEED,
        "if self.is_over or item_index != self._last:",
        "if item_index != self._last:",
        "a run that is stopped before its first item asks for some",
    ),
    broken(
        "3.6",
        OVER_ASYNC,
        "    if not feed.ended_by_stop():\n        raise\n",
        "    feed.ended_by_stop()\n    raise\n",
        "a run that is stopped while its source is idle flushes nothing",
    ),
    broken(
        "3.6",
        OVER_ASYNC,
        "    feed.ended_by_stop()  # the source may have swallowed it",
        "    pass",
        "the cancellation of a stop stays with a task whose source has swallowed it",
    ),
    broken(
        "3.6",
        FEED,
        "task.cancelling() - is_being_cancelled(task)",
        "task.cancelling()",
        "a cancellation right before a stop is lost",
    ),
    broken(
        "3.6",
        LINE,
        "for node in (self.last, *upstream_of(self.last)):",
        "for node in (self.last,):",
        "a stop is not told to what stands before the last loop",
    ),
    broken("3.5", FEED, "await asyncio.sleep(0)", "pass", "the event loop is given no turn"),
    broken(
        "3.5",
        FEED,
        "min(CHUNK, self._turn_every - count % self._turn_every)",
        "CHUNK",
        "yield_every is ignored",
    ),
    broken(
        "3.7",
        FEED,
        "weakref.ref(loop)",
        "lambda: loop",
        "a run that was abandoned is never collected",
    ),
)

NUMBERS = (
    broken(
        "6.1",
        OVER_ASYNC,
        "item_index += 1\n",
        "item_index += 1 if item_index >= 0 else 2\n",
        "item_index is one too high",
    ),
    broken(
        "6.1",
        GIVE,
        "part.item_index = {{ this.item_index }}",
        "pass",
        "a loop does not tell the next one which item it gives",
    ),
    broken(
        "6.1",
        OVER_NODE,
        "item_index = upstream.item_index",
        "pass",
        "a loop does not ask the one before it which item that was",
    ),
    broken(
        "6.1",
        ENTERING,
        'mark = f"#@ call {index} ',
        'mark = f"#@ call {max(index - 1, 0)} ',
        "an error names the stage before",
    ),
    broken(
        "6.1",
        FLAT_MAP,
        "{{ this.outputs_mark }}\n",
        "\n",
        "an error of a flat-map's generator is nobody's",
    ),
)

COUNTS = (
    broken(
        "7.1",
        ENTER,
        "now() if {{ call.counters }}.calls % {{ call.sample }} == 0 else None",
        "now()",
        "each call is timed",
    ),
    broken(
        "7.1",
        LINE,
        'kind = name if self._run.counters is None else f"{name}_monitored"',
        "kind = name",
        "a run that is observed counts nothing",
    ),
    broken("7.2", FEED, "self._run.counters.item_arrived()", "pass", "items of the source"),
    broken(
        "7.2",
        "rivusio/compiled/frames.py",
        "self._stop_timing(place)",
        "pass",
        "a call that fails is not timed",
    ),
    broken("7.3", GIVE, "run_counters.items_out += 1", "pass", "delivered items are not counted"),
    broken("7.3", ENTER, "{{ outcome.counters }}.items_out += 1", "pass", "outputs of a stage"),
    broken("7.3", MAP, "{{ this.counters_in }}.items_in += 1", "pass", "inputs of a map"),
    broken("7.3", FILTER, "{{ this.counters }}.items_in += 1", "pass", "inputs of a filter"),
    broken("7.3", FLAT_MAP, "{{ this.counters }}.items_in += 1", "pass", "inputs of a flat-map"),
    broken(
        "7.3",
        ENTERING,
        'return f"counters_{index}.filtered += 1\\n{here.drop}"',
        "return here.drop",
        "filtered items are not counted",
    ),
    broken(
        "7.3",
        ENTER,
        "{{ outcome.drop | indent(4, first=True) }}",
        '{{ outcome.drop | replace("filtered += ", "filtered += 0 * ") | indent(4, first=True) }}',
        "results that are None are dropped silently",
    ),
    broken(
        "7.3",
        "rivusio/compiled/frames.py",
        "self._run.counters.stages[place.stage].errors += 1",
        "pass",
        "errors that leave the run are not counted",
    ),
)

MUTANTS = (*CALLS, *ONE_BY_ONE, *PULLS, *NUMBERS, *COUNTS)
