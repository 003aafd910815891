"""Tracebacks of compiled pipelines that show the user's lines, not the generated ones.

A compiled pipeline fails in the module that was generated for it. Before the error leaves,

    File "<rivusio flights>", line 7, in run

becomes what the user wrote and knows:

    File "flights.py", line 12, in process
        hours = data.delay / 60
                ^^^^^^^^^^

An entry of a traceback needs a frame, so a stub is compiled whose one statement has the user's
position, for its frame. Only errors that leave a pipeline pay for it, some 0.05 ms an entry.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import CodeType, FunctionType, TracebackType


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line of generated code comes from.

    Attributes:
        file: the user's file as Python names it in code objects: an absolute path, or "<string>".
        function: the qualified name of the function, such as "Clean.process".
        line: the first line of the statement, from 1.
        end_line: its last line.
        column: where it begins, in bytes of UTF-8 from 0, as in `ast`.
        end_column: where it ends, in bytes of UTF-8 of its last line.
    """

    file: str
    function: str
    line: int
    end_line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class LineMap:
    """What the lines of one generated module stand for.

    Attributes:
        file: the generated module's file, as its code objects name it.
        origins: from generated line to the user's statement that was inlined there. One that
            fills several generated lines is given for each of them. A line that was not the
            user's, such as a loop or the call of a stage, has none.
    """

    file: str
    origins: Mapping[int, Origin]


def retraced(error: BaseException, maps: Mapping[str, LineMap]) -> None:
    """Make the tracebacks of an error, and of all that it came of, show the user's lines.

    They are changed in place. An entry of a generated line that has an origin becomes an entry of
    that origin. One that has none is dropped where a deeper entry says more. An error whose
    traceback cannot be changed keeps it: nothing is raised from here.

    Args:
        error: what is about to leave a compiled pipeline.
        maps: the line maps of the generated modules, by their file names.
    """
    for each in _family(error):
        with suppress(Exception):  # a worse traceback is no reason to lose the user's error
            before = _TRACEBACK.__get__(each)
            after = _rewritten(before, maps)
            if after is not before:
                BaseException.with_traceback(each, after)


CODE_UNIT = 2  # bytes of an instruction, by which tb_lasti counts

# Read past a subclass that overrides them: a property could raise, or invent an error at each look.
_TRACEBACK = vars(BaseException)["__traceback__"]
_CAUSE = vars(BaseException)["__cause__"]
_CONTEXT = vars(BaseException)["__context__"]
_MEMBERS = vars(BaseExceptionGroup)["exceptions"]


def _family(error: BaseException) -> list[BaseException]:
    """Give the error, its causes and contexts and the members of groups, each once."""
    found: dict[int, BaseException] = {}  # by identity: an error may define equality, or no hash
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in found:
            continue
        found[id(each)] = each
        waiting += [_CAUSE.__get__(each), _CONTEXT.__get__(each)]
        if issubclass(type(each), BaseExceptionGroup):  # isinstance would ask for its __class__
            waiting += _MEMBERS.__get__(each)
    return list(found.values())


def _rewritten(first: TracebackType | None, maps: Mapping[str, LineMap]) -> TracebackType | None:
    """Give the traceback with the user's lines; the same object, if there is nothing to change."""
    deeper: TracebackType | None = None
    for entry in reversed(_entries(first)):
        lines = maps.get(entry.tb_frame.f_code.co_filename)
        if lines is not None and (origin := lines.origins.get(entry.tb_lineno)):
            deeper = _entry_at(_within(origin, entry.tb_frame.f_code.co_name), deeper)
        elif lines is None or deeper is None:
            deeper = _above(deeper, entry)
    return deeper


def _within(origin: Origin, name: str) -> Origin:
    """Name a lambda's, a comprehension's or a generator expression's own frame as Python does."""
    if not name.startswith("<"):
        return origin
    return replace(origin, function=f"{origin.function}.<locals>.{name}")


def _entries(first: TracebackType | None) -> list[TracebackType]:
    entries = []
    while first is not None:
        entries.append(first)
        first = first.tb_next
    return entries


def _above(deeper: TracebackType | None, entry: TracebackType) -> TracebackType:
    # Another error may share the entry, so it is copied rather than led elsewhere.
    if entry.tb_next is deeper:
        return entry
    return TracebackType(deeper, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)


def _entry_at(origin: Origin, deeper: TracebackType | None) -> TracebackType:
    # A generator that never starts has a frame which nobody has called. The frame of a call would
    # keep its callers' frames alive, and with them the error that they hold, in a circle.
    code = _stub_at(origin)
    frame = FunctionType(code, {"__name__": "<rivusio>"})().gi_frame
    place = (origin.line, origin.end_line, origin.column, origin.end_column)
    places = list(code.co_positions())
    # Under `python -X no_debug_ranges` no instruction has a place, and a line is all one gets.
    instruction = places.index(place) if place in places else 0
    return TracebackType(deeper, frame, instruction * CODE_UNIT, origin.line)


def _stub_at(origin: Origin) -> CodeType:
    """Compile a generator whose body stands at the origin, by the name of the user's function."""
    tree = ast.parse("def stub(): yield")
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno, node.col_offset = origin.line, origin.column
            node.end_lineno, node.end_col_offset = origin.end_line, origin.end_column
    module = compile(tree, origin.file, "exec", dont_inherit=True)
    [code] = [const for const in module.co_consts if isinstance(const, CodeType)]
    name = origin.function.rpartition(".")[2]  # what Python itself names code by, and prints
    return code.replace(co_name=name, co_qualname=origin.function)
