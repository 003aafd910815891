"""Files that are broken, odd or deep: what each holds."""

from __future__ import annotations

import codecs

from tests.robustness.support import CHAIN

HEAD = "from rivusio import map\n"


def _with(text: str) -> bytes:
    return (CHAIN + text).encode()


# Python does not read them: an error with a place, and never an artifact.
BROKEN: dict[str, bytes] = {
    "latin_without_cookie": CHAIN.encode() + b"# caf\xe9\n",
    "utf_16": CHAIN.encode("utf-16"),
    "utf_16_without_mark": CHAIN.encode("utf-16-le"),
    "utf_32": CHAIN.encode("utf-32"),
    "no_text_codec": b"# coding: rot13\n" + CHAIN.encode(),
    "no_codec": b"# coding: klingon\n" + CHAIN.encode(),
    "undefined_codec": b"# coding: undefined\n" + CHAIN.encode(),
    "two_encodings": codecs.BOM_UTF8 + b"# coding: latin-1\n" + CHAIN.encode(),
    "surrogates": CHAIN.encode() + b"x = '\xed\xa0\x80'\n",
    "nul": _with("x = '\0'\n"),
    "nul_in_a_comment": _with("# \0\n"),
    "control_z": _with("\x1a"),
    "backslash_at_the_end": _with("x = 1 \\"),
    "huge_number": _with("x = " + "9" * 5000 + "\n"),
    "chain_too_long": (HEAD + "chain = (map(int)" + "\n >> map(int)" * 10_000 + ")\n").encode(),
    "then_too_long": (HEAD + "chain = map(int)" + ".then(map(int))" * 10_000 + "\n").encode(),
    "parentheses": _with("x = " + "(" * 5000 + "1" + ")" * 5000 + "\n"),
    "indented_too_deep": _with("".join(" " * deep + "if 1:\n" for deep in range(101))),
    "signs": _with("x = " + "-" * 50_000 + "1\n"),
    "attributes": _with("x = a" + ".b" * 20_000 + "\n"),
    "additions": _with("x = 1" + "+1" * 20_000 + "\n"),
    "lambdas": _with("x = " + "lambda: " * 3000 + "1\n"),
    "branches": _with("if 1: pass\n" + "elif 1: pass\n" * 5000),
    "newer_python": _with("x = t'{1}'\n" + "type X[**P = int] = (lambda: (yield))\n"),
    "older_python": _with("print 'hello'\n"),
    "tabs": _with("if 1:\n        x = 1\n\ty = 2\n"),
    "dedent": _with("if 1:\n    x = 1\n  y = 2\n"),
    "bad_name": _with("x = '\\N{NO SUCH NAME}'\n"),
    "bad_future": _with("from __future__ import braces\n"),
    "late_future": _with("from __future__ import annotations\n"),
    "return_outside": _with("return 1\n"),
    "await_outside": _with("await x\n"),
    "yield_outside": _with("yield 1\n"),
    "break_outside": _with("break\n"),
    "nonlocal_outside": _with("nonlocal x\n"),
    "parameter_twice": _with("def f(a, a): pass\n"),
    "global_too_late": _with("def f():\n    x = 1\n    global x\n"),
    "starred": _with("*a\n"),
}

# Odd, but right: checked and compiled like any other.
ODD: dict[str, bytes] = {
    "byte_order_mark": codecs.BOM_UTF8 + CHAIN.encode(),
    "latin_with_cookie": b"# coding: latin-1\n" + CHAIN.encode() + b"x = 'caf\xe9'\n",
    "utf_7": b"# coding: utf-7\n" + CHAIN.encode(),
    "carriage_returns": CHAIN.replace("\n", "\r").encode(),
    "dos_lines": CHAIN.replace("\n", "\r\n").encode(),
    "form_feeds": (HEAD + "\fchain = map(int) >> \f map(float)\n").encode(),
    "separators": (HEAD + "x = '\v\x1c\x85\u2028'\nchain = map(int) >> map(float)\n").encode(),
    "no_newline": CHAIN.rstrip("\n").encode(),
    "lone_surrogate": _with("x = '\\ud800'\n"),
    "huge_comment": (HEAD + "#" * 200_000 + "\nchain = map(int) >> map(float)\n").encode(),
    "huge_text": (HEAD + f"x = '{'x' * 200_000}'\nchain = map(int) >> map(float)\n").encode(),
    "long_chain": (HEAD + "chain = (map(int)" + "\n >> map(int)" * 40 + ")\n").encode(),
    "nested_chain": (HEAD + "chain = " + "(" * 60 + "map(int)" + " >> map(int))" * 60).encode(),
    "star_import": b"from rivusio import *\nchain = map(int) >> map(float)\n",
    "missing_import": b"from nowhere import *\n" + CHAIN.encode(),
    "imports_itself": b"import imports_itself\n" + CHAIN.encode(),
    "odd_escape": _with("x = '\\d'\n"),
    "long_name": (HEAD + "x" * 400 + " = map(int) >> map(float)\n").encode(),
}

# Nothing in them to compile.
EMPTY: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n\t\n\f\n",
    "only_a_mark": codecs.BOM_UTF8,
    "only_brackets": ("x = " + "[" * 90 + "]" * 90 + "\n").encode(),
}
