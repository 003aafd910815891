"""Batches, windows and buffers in compiled code."""

from __future__ import annotations

from tests.mutation.compiler.making import TAKES, broken

WINDOW_SINK = "rivusio/compiled/window_sink.py"
BUFFER_SINK = "rivusio/compiled/buffer_sink.py"
BATCH = "templates/python/stage/batch.py.jinja"
INTO_WINDOW = "templates/python/sink/window.py.jinja"
LINE = "rivusio/compiled/assembly.py"
LOOPS = "compiler/ir/fusion.py"
OVER_BUFFER = "templates/python/source/buffer.py.jinja"
PARTS = "rivusio/compiled/frames.py"
SLIDING = "templates/python/stage/sliding.py.jinja"
OP_CODE = "compiler/backends/python/op_code.py"
WRITE = "compiler/backends/python/loop.py"

LISTS = (
    broken(
        "4",
        BATCH,
        "< {{ this.size }}",
        "<= {{ this.size }}",
        "a batch is closed by the item behind it",
    ),
    broken(
        "4",
        WRITE,
        "is_open, taken = [held, *later]",
        'is_open, taken = [f"len({held}) > 1", *later]',
        "a batch of one item is lost at the flush",
    ),
    broken(
        "3.6",
        WRITE,
        '"\\n".join(_write_flushes(own))',
        '"\\n".join(reversed(list(_write_flushes(own))))',
        "batches are flushed from the right",
    ),
    broken(
        "4.4",
        "compiler/backends/python/calls.py",
        'given = f"{item}.copy()"',
        'given = f"{item}"',
        "the list of an error is the one that the user has changed",
    ),
    broken(
        "4.4",
        SLIDING,
        "list({{ this.held }})",
        "{{ this.held }}",
        "a sliding window goes on changing",
    ),
    broken(
        "4.1",
        SLIDING,
        "if {{ this.missing }} <= {{ this.size }}:",
        "if {{ this.missing }} < {{ this.size }}:",
        "a sliding window loses its first item",
    ),
    broken(
        "4",
        SLIDING,
        "{{ this.period }} = {{ this.step_size }}",
        "{{ this.period }} = {{ this.size }}",
        "the step of a sliding window is its size",
    ),
    broken(
        "7.3",
        SLIDING,
        "{{ this.counters }}.filtered += 1",
        "pass",
        "items that a sliding window skips are not counted",
    ),
    broken("7.3", BATCH, "{{ this.counters }}.items_in += 1", "pass", "inputs of a batch"),
    broken(
        "7.3",
        OP_CODE,
        'return f"counters_{index}.filtered += len({full})\\n{here.drop}"',
        'return f"counters_{index}.filtered += 1\\n{here.drop}"',
        "a batch whose result is dropped counts as one item",
    ),
    broken(
        "7.3",
        PARTS,
        "return list(data) if traits_of(self._stages[stage].operation).takes_list else [data]",
        "return [data]",
        "a batch that was in hand counts as one item",
    ),
    broken(
        "6.3",
        PARTS,
        "fresh = max(0, min(period, size) - missing)",
        "fresh = len(held)",
        "items that a sliding window has shown are pending again",
    ),
    broken(
        "6.3",
        PARTS,
        "closing.hold(holding.stage, _held(holding, state))",
        "closing.hold(0, _held(holding, state))",
        "pending items are in the wrong order",
    ),
)

TIMED = (
    broken(
        "4.1",
        INTO_WINDOW,
        "{% else %}\nif time < window.deadline:",
        "{% else %}\nif time <= window.deadline:",
        "an item at a boundary belongs to the earlier window",
    ),
    broken(
        "4",
        INTO_WINDOW,
        "    window.items.append({{ this.item }})\n",
        "    window.items.append({{ this.item }})\n"
        "{% if this.is_batch %}\n"
        "    window._open.deadline = window.deadline = time + window._open._linger\n"
        "    window._arm()\n"
        "{% endif %}\n",
        "the linger counts from the last item",
    ),
    broken(
        "3.3",
        INTO_WINDOW,
        "if window.pauses and await window.pause():",
        "if False and await window.pause():",
        "a window is read ahead of its consumer",
    ),
    broken(
        "3.6",
        WINDOW_SINK,
        "            await self._part.filled_by(self._fill)\n        if not self._closing:\n",
        "            await self._part.filled_by(self._fill)\n"
        "        await self._until_hungry()\n"
        "        if not self._closing:\n",
        "a window closes a satisfied source only when its consumer asks",
        *TAKES,
    ),
    broken(
        "7.3", INTO_WINDOW, "{{ this.counters }}.items_in += 1", "pass", "inputs of a time window"
    ),
    broken(
        "4",
        WINDOW_SINK,
        "if self._open.deadline != self._due:",
        "if self._open is None:",
        "no timer closes a window",
    ),
    broken(
        "4",
        LINE,
        "operation.size - 1 if",
        "operation.size if",
        "a lingering batch is closed by the item behind it",
    ),
    broken(
        "4",
        LOOPS,
        "case TumblingWindow(of=stage) if in_loop:",
        "case TumblingWindow(of=stage) if False:",
        "a window stays open while the source is idle",
    ),
    broken(
        "4",
        LOOPS,
        "case Batch(of=stage, linger=True) if in_loop:",
        "case Batch(of=stage, linger=True) if False:",
        "a lingering batch stays open while the source is idle",
    ),
    broken(
        "4.3",
        "templates/python/stage/window.py.jinja",
        "now())",
        "0.0)",
        "a window of a sync run is not closed by time",
    ),
    broken(
        "3.6",
        "templates/python/loop.py.jinja",
        "        if part.is_halted:\n",
        "        if False:\n",
        "a take lets the batches before it be flushed",
        *TAKES,
    ),
    broken(
        "3.6",
        "templates/python/stage/flat_map.py.jinja",
        "if part.is_halted:",
        "if False:",
        "a take lets a flat-map on its way go on",
        *TAKES,
    ),
)

BUFFERS = (
    broken(
        "5.4",
        BUFFER_SINK,
        "self._taken = list(self.items)",
        "self._taken = list(reversed(self.items))",
        "a buffer turns the order",
    ),
    broken(
        "5.4",
        LINE,
        "tuple(each.statistics() for each in self._buffers)",
        "tuple(each.statistics() for each in reversed(self._buffers))",
        "buffers are told of from the right",
    ),
    broken(
        "5.4",
        BUFFER_SINK,
        "peak=max(seen.peak, self._peak)",
        "peak=seen.peak",
        "the peak of a buffer forgets what came below the threshold",
    ),
    broken(
        "5.4",
        BUFFER_SINK,
        "current = seen.current + len(self._rest())",
        "current = seen.current",
        "what was taken and not yet used does not count as buffered",
    ),
    broken(
        "5.4",
        BUFFER_SINK,
        "self.items.extendleft(reversed(rest))",
        "self.items.extendleft(rest)",
        "what was taken and not yet used is put back in the wrong order",
    ),
    broken(
        "5.2",
        BUFFER_SINK,
        "min(self._buffer.throttle_level, config.max_buffer_size)",
        "config.max_buffer_size",
        "a buffer is filled freely above its threshold",
    ),
    broken(
        "5.3",
        BUFFER_SINK,
        "        self._put(item_index, item)\n",
        "        if self._buffer.is_full:\n"
        "            self.items.pop()\n"
        "        self._put(item_index, item)\n",
        "a full buffer drops the wrong end",
    ),
    broken(
        "5.1",
        BUFFER_SINK,
        "if self._burst > BURST or len(",
        "if False or len(",
        "the reader of a source that never waits gives no turn",
    ),
    broken(
        "5.3",
        BUFFER_SINK,
        "self._overflowed = self._is_overflow(error)",
        "self._overflowed = False",
        "an overflow comes after what was buffered",
    ),
    broken(
        "6.1",
        OVER_BUFFER,
        "for item_index, {{ this.item }} in taken:",
        "for _, {{ this.item }} in taken:",
        "a loop behind a buffer does not know which item it has",
    ),
)

MUTANTS = (*LISTS, *TIMED, *BUFFERS)
