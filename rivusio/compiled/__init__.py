"""What generated modules import, and how a run is carried out by one.

    assembly                    the parts of one run, put together by the generated module
    frames, loops               the companions of generated loops: what happens when one is left
    source                      the source, iterated by a generated loop
    window_sink, buffer_sink    windows and buffers that a generated loop fills
    single_item                 one item on its way through a generated function
    bound_stages                what a run fixes when it starts
    outputs, tasks              outputs of async flat-maps; which task waits in a generator

Generated modules import the names below, and nothing else of rivusio: they may not be renamed.
"""

from asyncio import CancelledError
from collections import deque

from rivusio.compiled.assembly import CompiledLine
from rivusio.compiled.buffer_sink import Reader
from rivusio.compiled.loops import Filling, Inner, PlainInner, Results
from rivusio.compiled.outputs import async_iterable
from rivusio.compiled.single_item import One
from rivusio.compiled.source import Feed
from rivusio.engine.calls import PLAIN, is_awaitable, iterable, refuse
from rivusio.engine.drive import drive
from rivusio.engine.node import Node
from rivusio.items import END, NOTHING
from rivusio.time.clock import Deadline

__all__ = [
    "END",
    "NOTHING",
    "PLAIN",
    "CancelledError",
    "CompiledLine",
    "Deadline",
    "Feed",
    "Filling",
    "Inner",
    "Node",
    "One",
    "PlainInner",
    "Reader",
    "Results",
    "async_iterable",
    "deque",
    "drive",
    "is_awaitable",
    "iterable",
    "refuse",
]
