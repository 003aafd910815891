"""One thin path through everything."""

from __future__ import annotations

from rivusio import batch, map
from rivusio.testing import Recorder


async def test_a_chain_runs_as_written() -> None:
    recorder = Recorder()
    await recorder.consume((map(int) >> batch(2)).stream("123"))
    assert recorder.story == [("output", [1, 2]), ("output", [3]), ("end", None)]
