"""Breaks real sources: a token, a line or some bytes at a time."""

from __future__ import annotations

import random
import re
from pathlib import Path

from tests.places import ROOT

SOURCES = (
    ROOT / "examples" / "flights.py",
    ROOT / "tests" / "compiler" / "kinds.py",
    ROOT / "tests" / "semantics" / "support.py",
)
TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
PLANTED = (
    *(b">>", b">>=", b"(", b")", b"[", b"]", b":", b",", b"\n", b"\n    ", b"\t", b"\r", b"'"),
    *(b'"""', b"#", b"\\", b"*", b"async ", b"await ", b"lambda: ", b"def f(): ", b"class A: "),
    *(b"\0", b"\xff", b"\xc3\xa9", b"\x0c", b"None", b"self", b"1 / 0", b"yield ", b"return "),
)


def broken_source(source: Path, chosen: random.Random) -> bytes:
    """Give the text of a file with some damage done to it."""
    content = source.read_bytes()
    for _ in range(chosen.randint(1, 4)):
        content = chosen.choice((_token, _line, _bytes, _planted))(content, chosen)
    return content


def _token(content: bytes, chosen: random.Random) -> bytes:
    """Leave a token out, double it, or put another of the same file in its place."""
    tokens = TOKEN.findall(content)
    if not tokens:
        return content
    at = chosen.randrange(len(tokens))
    tokens[at] = chosen.choice((b"", tokens[at] * 2, chosen.choice(tokens)))
    return b"".join(tokens)


def _line(content: bytes, chosen: random.Random) -> bytes:
    """Leave a line out, move it, or indent it otherwise."""
    lines = content.split(b"\n")
    line = lines.pop(chosen.randrange(len(lines)))
    if chosen.random() < 0.7:
        moved = chosen.choice((line, b" " + line, line.lstrip()))
        lines.insert(chosen.randrange(len(lines) + 1), moved)
    return b"\n".join(lines)


def _bytes(content: bytes, chosen: random.Random) -> bytes:
    """Cut a stretch out, or put other bytes in its place."""
    start = chosen.randrange(len(content) + 1)
    end = min(len(content), start + chosen.randint(0, 30))
    other = chosen.choice((b"", chosen.randbytes(chosen.randint(1, 4)), content[:20]))
    return content[:start] + other + content[end:]


def _planted(content: bytes, chosen: random.Random) -> bytes:
    at = chosen.randrange(len(content) + 1)
    return content[:at] + chosen.choice(PLANTED) + content[at:]
