"""What generated modules import, and how a run is carried out by one.

program   what a generated module is made of
shape     what of a stage decides how its code looks
line      the parts of one run, put together
parts     the companions of generated loops: what happens when one is left
feed      the source, iterated by a generated loop
waiting   which task waits for the source
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
from rivusio.engine.items import END, NOTHING
from rivusio.engine.node import Node
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
