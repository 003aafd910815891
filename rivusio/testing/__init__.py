"""For tests of pipelines: time that the test turns, sources fed by hand, runs told as events.

clock = VirtualClock()
source = ScriptedSource(clock).emit(1, 2).idle(10).emit(3).end()
recorder = Recorder(clock)
await recorder.consume(pipe.stream(source, clock=clock))
assert recorder.outputs == [...]

`record` carries out a whole run by itself and tells everything that can be seen of it, so that
two runs can be compared: an interpreted one and a compiled one, say.

clock, virtual_loop      time that stands still until a test, or an event loop, turns it on
sources, mocks           sources fed by hand, and pipes that only record their calls
events                   events, and what a test writes them down with
scripts                  what is recorded: a pipe, and what the two ends of its run do
recording                `record`, and its helpers
notes                    what the code under test tells of itself while a run is recorded
differences              where two recordings part
as_text                  values and errors as text that is the same in every process
"""

from rivusio.items import Item
from rivusio.testing.clock import TURNS, VirtualClock, settle
from rivusio.testing.differences import difference
from rivusio.testing.events import Event, Recorder
from rivusio.testing.mocks import MockAsyncPipe, MockSyncPipe
from rivusio.testing.notes import note, pause, wait
from rivusio.testing.recording.record_run import record
from rivusio.testing.scripts import ConsumerScript, SourceScript
from rivusio.testing.sources import MockAsyncSource, MockSyncSource, ScriptedSource
from rivusio.testing.virtual_loop import VirtualLoop

__all__ = [
    "TURNS",
    "ConsumerScript",
    "Event",
    "Item",
    "MockAsyncPipe",
    "MockAsyncSource",
    "MockSyncPipe",
    "MockSyncSource",
    "Recorder",
    "ScriptedSource",
    "SourceScript",
    "VirtualClock",
    "VirtualLoop",
    "difference",
    "note",
    "pause",
    "record",
    "settle",
    "wait",
]
