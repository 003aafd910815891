"""Where a file is that is no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivusio.compiler.frontend.source import Unreadable, read

LONG = b"# a line\n" * 5000  # more than is decoded at once


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a = 1\n\n\nb = '\xff'\n", (4, 6)),
        (b"a = 1\r\n\r\nb = '\xff'\r\n", (3, 6)),
        ("a = 1\nb = 'äö".encode() + b"\xff'\n", (2, 8)),
        (b"\xef\xbb\xbfa = 1\nb = '\xff'\n", (2, 6)),
        (b"# coding: cp1252\na = 1\nb = '\x81'\n", (3, 6)),
        (LONG + b"b = '\xff'\n", (5001, 6)),
    ],
)
def test_a_byte_that_is_no_text_has_its_place(
    tmp_path: Path, content: bytes, place: tuple[int, int]
) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="it is no .* text: .*; save it as UTF-8") as refused:
        read(str(path))
    assert (refused.value.diagnostic.line, refused.value.diagnostic.column) == place
