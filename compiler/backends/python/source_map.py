r"""The source map of a generated module: marks in its text, until that is finished.

    #@ call 2 flight origin=2:73:73:8:30
    price = flight.miles * m_flights.RATE

Formatting moves lines; statements keep their order. So a mark is read as belonging to the
statement below it, the marks are taken out, the text is formatted, and the same statement found
again tells the lines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rivusio.artifacts.program import Does, Place, Statement

MARK = re.compile(r"^\s*#@ ")
DOES: dict[str, Does] = {
    "source": "source",
    "pull": "pull",
    "call": "call",
    "settle": "settle",
    "outputs": "outputs",
}


@dataclass(frozen=True, slots=True)
class Marked:
    """What one mark says."""

    place: Place
    origin: Statement | None


def mark_statements(statement: ast.stmt, mark: str) -> str:
    """Give the text of a user's statement, with a mark at each statement in it."""
    text = ast.unparse(statement)
    lines = text.split("\n")
    originals = list(statements_of([statement]))
    written = list(statements_of(ast.parse(text).body))
    above: dict[int, str] = {}
    for original, copy in zip(originals, written, strict=True):
        end_line, end_column = _header_end(original)
        position = f"{original.lineno}:{end_line}:{original.col_offset}:{end_column}"
        indent = lines[copy.lineno - 1][: copy.col_offset]
        above.setdefault(copy.lineno, f"{indent}{mark}:{position}")
    return "\n".join(
        f"{above[number]}\n{line}" if number in above else line
        for number, line in enumerate(lines, 1)
    )


def _header_end(statement: ast.stmt) -> tuple[int, int]:
    """Say where a statement ends; of one with a body, where its first line's expression ends."""
    if getattr(statement, "body", None):
        parts = [
            part
            for part in ast.iter_child_nodes(statement)
            if isinstance(part, ast.expr) and part.end_lineno is not None
        ]
        ends = [(part.end_lineno or 0, part.end_col_offset or 0) for part in parts]
        return max(ends, default=(statement.lineno, statement.col_offset + 1))
    return statement.end_lineno or statement.lineno, statement.end_col_offset or 0


def statements_of(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give every statement in a body, in the order in which they stand."""
    for statement in body:
        yield statement
        for block in _blocks(statement):
            yield from statements_of(block)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    yield getattr(statement, "body", None) or []
    for handler in getattr(statement, "handlers", []):
        yield handler.body
    for case in getattr(statement, "cases", []):
        yield case.body
    yield getattr(statement, "orelse", None) or []
    yield getattr(statement, "finalbody", None) or []


def read_marks(text: str) -> tuple[str, dict[int, Marked]]:
    """Take the marks out of a text; give what each said, by the number of its statement."""
    by_line: dict[int, str] = {}
    kept: list[str] = []
    waiting: str | None = None
    for line in text.split("\n"):
        if MARK.match(line):
            waiting = line.strip()
            continue
        kept.append(line)
        if waiting is not None and line.strip() and not line.strip().startswith("#"):
            by_line[len(kept)] = waiting
            waiting = None
    plain = "\n".join(kept)
    found = {
        number: _read_mark(by_line[statement.lineno])
        for number, statement in enumerate(statements_of(ast.parse(plain).body))
        if statement.lineno in by_line
    }
    return plain, found


def map_lines(text: str, marks: dict[int, Marked]) -> dict[int, Marked]:
    """Say for each line of the finished text what was marked there."""
    lines: dict[int, Marked] = {}
    for number, statement in enumerate(statements_of(ast.parse(text).body)):
        if number not in marks:
            continue
        body: list[ast.stmt] = getattr(statement, "body", None) or []
        last = body[0].lineno - 1 if body else (statement.end_lineno or statement.lineno)
        for line in range(statement.lineno, max(last, statement.lineno) + 1):
            lines[line] = marks[number]
    return lines


def _read_mark(mark: str) -> Marked:
    _, does, *rest = mark.split()
    origin = next((each for each in rest if each.startswith("origin=")), None)
    flags = {each for each in rest if each in ("flush", "coroutine")}
    stage = int(rest[0]) if rest and rest[0].isdigit() else None
    place = Place(
        DOES[does],
        stage,
        rest[1] if stage is not None else None,
        in_flush="flush" in flags,
        in_coroutine="coroutine" in flags,
    )
    return Marked(place, None if origin is None else _read_origin(origin.removeprefix("origin=")))


def _read_origin(text: str) -> Statement | None:
    stage, *position = map(int, text.split(":"))
    if len(position) != 4 or not position[0]:
        return None
    line, end_line, column, end_column = position
    return Statement(stage, line, end_line, column, end_column)
