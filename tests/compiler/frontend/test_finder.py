"""Which chains the finder finds: their names, their stages, and where they are joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from rivusio.compiler.frontend.finder import chains
from rivusio.compiler.frontend.source import Unreadable, parse, read
from rivusio.compiler.frontend.syntax import ChainSyntax, Span


def shown(text: str) -> list[str]:
    """Show each chain as `name: stage | stage`; a join that is written elsewhere is a comma."""
    return [_shown(chain) for chain in chains(parse("case.py", text))]


def _shown(chain: ChainSyntax) -> str:
    here = {join.middle for join in chain.joins}
    first, *others = [each.name for each in chain.operands]
    rest = (f"{' |' if index in here else ','} {name}" for index, name in enumerate(others, 1))
    return f"{chain.name}: {first}{''.join(rest)}"


FORMS = {
    "a = Parse() >> Clean()": ["a: Parse | Clean"],
    "a: Chain = Parse() >> Clean()": ["a: Parse | Clean"],
    "a = Parse() >> Clean() >> Show()": ["a: Parse | Clean | Show"],
    "a = Parse() >> (Clean() >> Show())": ["a: Parse | Clean | Show"],
    "a = ((Parse() >> (Clean())) >> Show())": ["a: Parse | Clean | Show"],
    "a = Parse().then(Clean()).then(Show())": ["a: Parse | Clean | Show"],
    "a = Parse().then(Clean() >> Show())": ["a: Parse | Clean | Show"],
    "a = SyncPipeline([Parse(), Clean()])": ["a: Parse | Clean"],
    "a = rivusio.AsyncPipeline[int, str]([Parse(), Clean() >> Show()], 'name')": [
        "a: Parse | Clean | Show"
    ],
    "a = SyncPipeline([Parse()])": ["a: Parse"],
    "a = SyncPipeline((Parse(), Clean()))": ["a: Parse | Clean"],
    "a = SyncPipeline(pipes=[Parse(), Clean()])": ["a: Parse | Clean"],
    "a = SyncPipeline(pipes)": [],
    "a = SyncPipeline([*pipes])": [],
    "a = (Parse() >> Clean()).with_config(c) >> Show()": ["a: Parse | Clean | Show"],
    "a = (Parse() >> Clean()).with_config(c)": ["a: Parse | Clean"],
    "a = SyncPipeline([Parse(), Clean()]).with_config(c)": ["a: Parse | Clean"],
    "a = SyncPipeline([Parse()]).with_config(c)": ["line 1: Parse"],
    "a = Parse().with_config(c)": [],
    "a = Parse().concurrent(2) >> Clean()": ["a: Parse | Clean"],
    "a = (b := Parse() >> Clean()) >> b": ["a: Parse | Clean | b"],
    "Parse() >> Clean()": ["line 1: Parse | Clean"],
    "f(x, key=Parse() >> Clean())": ["line 1: Parse | Clean"],
    "a = Parse() >> map(lambda x: Clean() >> Show())": [
        "a: Parse | <lambda>",
        "line 1: Clean | Show",
    ],
    "a, b = Parse() >> Clean(), Show() >> Parse()": [
        "line 1: Parse | Clean",
        "line 1: Show | Parse",
    ],
    "a = [Parse() >> Clean() for _ in range(2)]": ["line 1: Parse | Clean"],
    "self.a = Parse() >> Clean()": ["self.a: Parse | Clean"],
    "a = b = Parse() >> Clean()": ["line 1: Parse | Clean"],
    "a = Parse()": [],
    "x = 1 << 2": [],
    "": [],
}


@pytest.mark.parametrize(("text", "found"), FORMS.items())
def test_form(text: str, found: list[str]) -> None:
    assert shown(text) == found


NAMES = {
    "Parse()": "Parse",
    "pipes.Parse(2)": "Parse",
    "Parse[int]()": "Parse",
    "Parse(name='p')": "p",
    "map(int)": "int",
    "map(str.upper)": "upper",
    "pipe(int, name='number')": "number",
    "filter(int)": "filter",
    "lambda x: x": "<lambda>",
    "parse": "parse",
    "self.parse": "parse",
    "Parse().with_config(c)": "Parse",
    "1": "1",
    "'text'": "'text'",
    '"text"': "'text'",
    "a if b else c": "a if b else c",
    "pipes[0]": "pipes",
    "[" + "1, " * 20 + "]": "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1,…",
}


@pytest.mark.parametrize(("operand", "name"), NAMES.items())
def test_name_of_a_stage(operand: str, name: str) -> None:
    [chain] = chains(parse("case.py", f"chain = x >> ({operand})"))
    assert chain.operands[1].name == name


REFERENCES = {
    "an earlier chain": (
        "a = f >> g\nb = a >> h",
        ["a: f | g", "b: f, g | h"],
    ),
    "on the right": (
        "a = f >> g\nb = h >> a",
        ["a: f | g", "b: h | f, g"],
    ),
    "another name for it": (
        "a = f >> g\nb = a\nc = b >> h",
        ["a: f | g", "c: f, g | h"],
    ),
    "a lone pipe has the name of what it is": (
        "a = Parse()\nb = a >> a",
        ["b: Parse | Parse"],
    ),
    "what it was when it was used": (
        "a = f >> g\nb = a >> h\na = x >> y\nc = a >> h",
        ["a: f | g", "b: f, g | h", "a: x | y", "c: x, y | h"],
    ),
    "a chain that grows": (
        "a = f >> g\na >>= h\nb = a >> i",
        ["a: f | g", "a: f, g | h", "b: f, g, h | i"],
    ),
    "several at once": (
        "a, b = f >> g, h\nc = a >> b",
        ["line 1: f | g", "c: f, g | b"],
    ),
    "not behind a branch": (
        "a = f >> g\nif x:\n    a = g >> f\n    b = a >> h\nc = a >> h",
        ["a: f | g", "a: g | f", "b: g, f | h", "c: a | h"],
    ),
    "not in a loop that changes it": (
        "a = f >> g\nfor _ in x:\n    a = a >> h",
        ["a: f | g", "a: a | h"],
    ),
    "not where the loop variable has its name": (
        "a = f >> g\nfor a in x:\n    a >> h",
        ["a: f | g", "line 3: a | h"],
    ),
    "not behind try": (
        "try:\n    a = f >> g\nexcept E:\n    pass\nb = a >> h",
        ["a: f | g", "b: a | h"],
    ),
    "not when it is deleted or imported": (
        "a = f >> g\nfrom m import a\nb = a >> h",
        ["a: f | g", "b: a | h"],
    ),
    "in with": (
        "a = f >> g\nwith x as y:\n    b = a >> h",
        ["a: f | g", "b: f, g | h"],
    ),
    "in a function": (
        "def make():\n    a = f >> g\n    return a >> h",
        ["make.<locals>.a: f | g", "make: f, g | h"],
    ),
    "of the module in a function": (
        "def make():\n    return a >> h\na = f >> g",
        ["make: f, g | h", "a: f | g"],
    ),
    "not of the module if it changes": (
        "a = f >> g\na >>= h\ndef make():\n    return a >> h",
        ["a: f | g", "a: f, g | h", "make: a | h"],
    ),
    "not of the module if a function says global": (
        "a = f >> g\ndef change():\n    global a\n    a = g >> f\ndef make():\n    return a >> h",
        ["a: f | g", "change.<locals>.a: g | f", "make: a | h"],
    ),
    "not of the module under a parameter": (
        "a = f >> g\ndef make(a):\n    return a >> h",
        ["a: f | g", "make: a | h"],
    ),
    "not under the parameter of a lambda": (
        "a = f >> g\nb = x(lambda a: a >> h)",
        ["a: f | g", "line 2: a | h"],
    ),
    "in a class": (
        "class Flow:\n    a = f >> g\n    b = a >> h\n    def run(self):\n        return a >> h",
        ["Flow.a: f | g", "Flow.b: f, g | h", "Flow.run: a | h"],
    ),
    "of an enclosing function": (
        "def make():\n    a = f >> g\n    def inner():\n        return a >> h\n    return inner",
        ["make.<locals>.a: f | g", "make.<locals>.inner: f, g | h"],
    ),
    "in a decorator, a default and a base": (
        "@x(f >> g)\ndef make(a=g >> f): ...\nclass A(x(f >> f)): ...",
        ["line 1: f | g", "line 2: g | f", "line 3: f | f"],
    ),
    "in match": (
        "a = f >> g\nmatch x:\n    case [a]:\n        a >> h\n    case _:\n        a >> i",
        ["a: f | g", "line 4: a | h", "line 6: a | i"],
    ),
}


@pytest.mark.parametrize("title", REFERENCES)
def test_reference(title: str) -> None:
    text, found = REFERENCES[title]
    assert shown(text) == found


def test_spans_are_those_of_ast() -> None:
    text = "ä = (\n    Parse()\n    >> Clean(1)\n)\n"
    [chain] = chains(parse("case.py", text))
    assert chain.span == Span(2, 4, 3, 15)
    assert [operand.span for operand in chain.operands] == [Span(2, 4, 2, 11), Span(3, 7, 3, 15)]
    assert [operand.source for operand in chain.operands] == ["Parse()", "Clean(1)"]


def test_a_joint_says_what_it_joins() -> None:
    [chain] = chains(parse("case.py", "chain = a >> (b >> c) >> d"))
    joins = [(join.first, join.middle, join.end) for join in chain.joins]
    assert joins == [(1, 2, 3), (0, 1, 3), (0, 3, 4)]


def test_a_sync_pipeline_asks_for_sync_stages() -> None:
    text = "a = SyncPipeline([f])\nb = AsyncPipeline([f])\nc = SyncPipeline([f]) >> g"
    assert [chain.must_be for chain in chains(parse("case.py", text))] == ["sync", None, None]


def test_a_very_long_chain_is_found() -> None:
    [chain] = chains(parse("case.py", "chain = a" + " >> a" * 900))
    assert len(chain.operands) == 901


def test_a_file_is_read_as_python_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "case.py"
    path.write_bytes("# coding: latin-1\r\nchain = 'ä' >> b\r\n".encode("latin-1"))
    source = read(str(path))
    [chain] = chains(source)
    assert chain.operands[0].source == "'ä'"
    assert source.column(2, chain.operands[1].span.column) == 16


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(Unreadable) as caught:
        read("missing.py")
    assert caught.value.diagnostic.path == "missing.py"
    assert caught.value.diagnostic.message == "cannot read it: No such file or directory"


def test_a_stage_knows_the_settings_of_the_chains_around_it() -> None:
    text = "a = ((x >> y).with_config(c) >> z).concurrent(d)"
    [chain] = chains(parse("case.py", text))
    whole, inner = Span(1, 4, 1, 48), Span(1, 5, 1, 28)
    assert [each.settings for each in chain.operands] == [(inner, whole), (inner, whole), (whole,)]
    assert chain.span == whole
