"""How types are written for a generated module, and that mypy takes them there for the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from mypy import types
from mypy.nodes import Block, ClassDef, SymbolTable, TypeInfo

from rivusio.compiler.analysis import handler
from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import parse
from rivusio.compiler.typecheck.annotations import Annotation, alias_of, annotation
from rivusio.compiler.typecheck.request import AskedFile, Request
from rivusio.compiler.typecheck.typed import Stage
from rivusio.compiler.validate import request
from rivusio.compiler.validate.request import Generated
from tests.places import ROOT

GIVEN = """
from __future__ import annotations
import asyncio, collections, collections.abc, contextlib, datetime, decimal, enum, io, pathlib, re
from collections.abc import *
from dataclasses import dataclass
from typing import *
from typing_extensions import TypeIs
from pydantic import BaseModel
from rivusio import StreamConfig, SyncBasePipe, SyncPipeline, AsyncBasePipe, FilterPipe, map, pipe
import nothing_of_this_name as absent  # type: ignore[import-not-found]

T = TypeVar("T")
Bound = TypeVar("Bound", bound="Row")
Few = TypeVar("Few", int, str)
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

class Outer:
    class Inner:
        class Deep: ...
class _Private: ...
class Comparable(Protocol[T]):
    def less(self, other: T) -> bool: ...
class Closeable(Protocol):
    def close(self) -> None: ...
class Box(Generic[T]):
    def get(self) -> T: ...
class Row(NamedTuple):
    number: int
    text: str
class Pair(NamedTuple, Generic[T]):
    left: T
    right: T
class Movie(TypedDict, total=False):
    name: Required[str]
    year: int
class Of(TypedDict, Generic[T]):
    value: T
class Tree(TypedDict):
    children: list[Tree]
class Node(NamedTuple):
    next: Node | None
class Point(tuple[int, int]): ...
UserId = NewType("UserId", int)
@dataclass
class Delays:
    minutes: int = 0
class Model(BaseModel):
    name: str
class Color(enum.Enum):
    RED = 1
    GREEN = 2
class Flag(enum.IntFlag):
    A = 1
class Runs(Generic[P]):
    def run(self, *args: P.args, **kwargs: P.kwargs) -> None: ...
class Array(Generic[*Ts]):
    def get(self) -> tuple[*Ts]: ...
class Awaited:
    def __await__(self) -> Generator[Any, Any, int]: ...
class SubAwaited(Awaited): ...
class Loose(absent.Base): ...  # type: ignore[misc]
class HasNew:
    def __new__(cls) -> int: ...  # type: ignore[misc]
Json = dict[str, "Json"] | list["Json"] | str | None
Nested = list["Nested[T] | T"]
Number = int | float
Table = dict[str, list[T]]
"""

# What a stage takes and gives: as the user writes it, as it is written, and why it holds `Any`.
KINDS: dict[str, str | tuple[str, str] | tuple[str, str, str]] = {
    "integer": "int",
    "text": "str",
    "octets": "bytes",
    "real": "float",
    "truth": "bool",
    "nothing": "None",
    "anything": ("Any", "m_typing.Any"),
    "whatever": "object",
    "never": ("Never", "m_typing.Never"),
    "noreturn": ("NoReturn", "m_typing.Never"),
    "literal_text": ("LiteralString", "str"),
    "rows": "dict[str, list[int]]",
    "sets": "set[frozenset[bytes]]",
    "optional": ("Optional[int]", "int | None"),
    "union": "int | str | list[int | None]",
    "old_union": ("Union[int, str]", "int | str"),
    "pair": "tuple[int, str]",
    "many": "tuple[int, ...]",
    "empty_tuple": "tuple[()]",
    "bare_list": ("list", "list[m_typing.Any]"),
    "unpacked": "tuple[int, *tuple[str, ...]]",
    "literal": ("Literal[1, -2, 'a', True, None]", "m_typing.Literal[1, -2, 'a', True] | None"),
    "literal_octets": (
        r"""Literal[b"a\x00\n'", b"b"]""",
        r"""m_typing.Literal[b"a\x00\n'", b'b']""",
    ),
    "quotes": (r"""Literal[b"'\"", "'\"\n"]""", r"""m_typing.Literal[b'\'"', '\'"\n']"""),
    "literal_enum": (
        "Literal[Color.RED] | int | Literal[2]",
        "m_typing.Literal[m_kinds.Color.RED, 2] | int",
    ),
    "color": ("Color", "m_kinds.Color"),
    "flag": ("Flag", "m_kinds.Flag"),
    "nested": ("Outer.Inner.Deep", "m_kinds.Outer.Inner.Deep"),
    "private": ("_Private", "m_kinds._Private"),
    "named_tuple": ("Row", "m_kinds.Row"),
    "generic_named_tuple": ("Pair[int]", "m_kinds.Pair[int]"),
    "recursive_named_tuple": ("Node", "m_kinds.Node"),
    "sub_tuple": ("Point", "m_kinds.Point"),
    "typed_dict": ("Movie", "m_kinds.Movie"),
    "generic_typed_dict": ("Of[str]", "m_kinds.Of[str]"),
    "recursive_typed_dict": ("Tree", "m_kinds.Tree"),
    "new_type": ("UserId", "m_kinds.UserId"),
    "data": ("dict[str, Delays]", "dict[str, m_kinds.Delays]"),
    "model": ("Model", "m_kinds.Model"),
    "protocol": ("Closeable", "m_kinds.Closeable"),
    "generic_protocol": ("Comparable[int]", "m_kinds.Comparable[int]"),
    "generic": ("Box[Box[str]]", "m_kinds.Box[m_kinds.Box[str]]"),
    "function": ("Callable[[int, str], bool]", "m_collections_abc.Callable[[int, str], bool]"),
    "thunk": ("Callable[[], None]", "m_collections_abc.Callable[[], None]"),
    "any_function": ("Callable[..., int]", "m_collections_abc.Callable[..., int]"),
    "bare_function": ("Callable", "m_collections_abc.Callable[..., m_typing.Any]"),
    "guard": (
        "Callable[[object], TypeGuard[int]]",
        "m_collections_abc.Callable[[object], m_typing.TypeGuard[int]]",
    ),
    "narrows": (
        "Callable[[object], TypeIs[int]]",
        "m_collections_abc.Callable[[object], m_typing__extensions.TypeIs[int]]",
    ),
    "class_": ("type[Row]", "type[m_kinds.Row]"),
    "classes": ("type[int | Row]", "type[int] | type[m_kinds.Row]"),
    "any_class": ("type", "type"),
    "class_of_anything": ("type[Any]", "type[m_typing.Any]"),
    "mapping": ("Mapping[str, int]", "m_collections_abc.Mapping[str, int]"),
    "old_mapping": ("collections.abc.Mapping[str, int]", "m_collections_abc.Mapping[str, int]"),
    "abstract_set": ("AbstractSet[int]", "m_collections_abc.Set[int]"),
    "generator": (
        "Generator[int, None, None]",
        "m_collections_abc.Generator[int, None, None]",
    ),
    "supports": ("SupportsInt", "m_typing.SupportsInt"),
    "counter": ("Counter[str]", "m_collections.Counter[str]"),
    "old_dict": ("DefaultDict[str, int]", "m_collections.defaultdict[str, int]"),
    "moment": ("datetime.datetime", "m_datetime.datetime"),
    "path": ("pathlib.Path", "m_pathlib.Path"),
    "pattern": ("re.Pattern[str]", "m_re.Pattern[str]"),
    "file": ("io.BytesIO", "m0__0io.BytesIO"),
    "text_file": ("IO[str]", "m_typing.IO[str]"),
    "manager": (
        "contextlib.AbstractContextManager[int]",
        "m_contextlib.AbstractContextManager[int, bool | None]",
    ),
    "exception": "ValueError",
    "alias": ("Number", "int | float"),
    "generic_alias": ("Table[int]", "dict[str, list[int]]"),
    "recursive_alias": ("Json", "m_kinds.Json"),
    "generic_recursive_alias": ("Nested[int]", "m_kinds.Nested[int]"),
    "parameters": ("Runs[[int, str]]", "m_kinds.Runs[[int, str]]"),
    "any_parameters": ("Runs[...]", "m_kinds.Runs[...]"),
    "variadic": ("Array[int, str]", "m_kinds.Array[int, str]"),
    "variadic_rest": (
        "Array[int, *tuple[str, ...]]",
        "m_kinds.Array[int, *tuple[str, ...]]",
    ),
    "variadic_none": ("Array[()]", "m_kinds.Array[()]"),
    "awaitable": ("Awaited", "m_kinds.Awaited"),
    "sub_awaitable": ("int | SubAwaited", "int | m_kinds.SubAwaited"),
    "loose": ("Loose", "m_kinds.Loose"),
    "future": ("asyncio.Future[int]", "m0__0asyncio.Future[int]"),
    "unimported": (
        "list[absent.Frame]",
        "list[m_typing.Any]",
        'mypy knows no types for "kinds.absent"',
    ),
    "variable": ("list[T]", "list[m_typing.Any]", 'type variable "T" is not known here'),
    "bound": ("Bound", "m_kinds.Row"),
    "few": ("list[Few]", "list[m_typing.Any]", 'type variable "Few" is not known here'),
}

# What no signature can say: the expression that a stage gives.
VALUES: dict[str, tuple[str, str] | tuple[str, str, str]] = {
    "by_keyword": ("m.keyword", "m_collections_abc.Callable[..., int]"),
    "with_default": ("m.default", "m_collections_abc.Callable[..., int]"),
    "plain_function": ("m.plain", "m_collections_abc.Callable[[int], list[int]]"),
    "overloaded": (
        "m.overloaded",
        "m_collections_abc.Callable[..., m_typing.Any]",
        "an overloaded function has no type that can be written",
    ),
    "generic_function": (
        "m.generic",
        "m_collections_abc.Callable[[m_typing.Any], list[m_typing.Any]]",
        'type variable "T" is not known here',
    ),
    "with_parameters": (
        "m.passing(m.generic)",
        "m_collections_abc.Callable[[m_typing.Any], list[m_typing.Any]]",
        'type variable "T" is not known here',
    ),
    "anonymous_typed_dict": (
        "m.joined",
        "m_typing.Any",
        "a TypedDict without a name cannot be written",
    ),
    "intersection": (
        "m.crossed",
        "m_typing.Any",
        "only mypy knows such a class: it has no name",
    ),
    "based": ("m.Based(1)", "m_kinds.Based"),
    "module": ("m.re", "m_types.ModuleType"),
    "enum_member": ("m.Color.RED", "m_kinds.Color"),
    "number": ("1", "int"),
    "own_class": ("m.Delays", "type[m_kinds.Delays]"),
    "tuple_class": ("m.Row", "type[m_kinds.Row]"),
    "generic_class": (
        "m.Box",
        "type[m_kinds.Box[m_typing.Any]]",
        'type variable "T" is not known here',
    ),
    "odd_class": ("m.HasNew", "type[m_kinds.HasNew]"),
    "overloaded_class": ("str", "type[str]"),
}

LOCAL = """
def local() -> None:
    class Hidden: ...
    class Deal(NamedTuple):
        price: int
    class Bad(enum.Enum):
        A = 1
    def hidden(item: list[Hidden]) -> dict[str, Hidden | Deal]: ...
    def literal(item: Literal[Bad.A]) -> Hidden: ...
    hidden_chain = SyncPipeline([map(hidden)])
    literal_chain = SyncPipeline([map(literal)])
class Method:
    async def wait(self, item: int) -> int: ...
    def chain(self) -> None:
        method_chain = SyncPipeline([map(self.wait)])
"""

PIPES = """
class Parse(SyncBasePipe[str, Row]):
    def process(self, data: str) -> Row: ...
class Send(AsyncBasePipe[Row, Awaited]):
    async def process(self, data: Row) -> Awaited: ...
class Nest:
    class Keep(FilterPipe[Awaited]):
        def keep(self, item: Awaited) -> bool: ...
pipes = Parse() >> Send() >> Nest.Keep() >> str >> (lambda text: [text]) >> map(len)
settings = Parse().with_config(StreamConfig()) >> (Send()).concurrent(2).with_config(StreamConfig())
of_class = SyncPipeline([Parse])
"""

FUNCTIONS = """
def keyword(*, item: int) -> int: ...
def default(item: int = 0) -> int: ...
def plain(item: int) -> list[int]: ...
def generic(item: T) -> list[T]: ...
class Film(TypedDict):
    name: str
    length: int
movie: Movie
film: Film
joined = [movie, film][0]
delays = Delays()
assert isinstance(delays, Outer)
crossed = delays
class Based(NamedTuple("Base", [("number", int)])): ...
def passing(function: Callable[P, T]) -> Callable[P, T]: ...
@overload
def overloaded(item: int) -> str: ...
@overload
def overloaded(item: str) -> int: ...
def overloaded(item: int | str) -> int | str: ...
"""


def _expected(kind: str | tuple[str, ...]) -> tuple[str, str | None]:
    if isinstance(kind, str):
        return kind, None
    _, text, *reason = kind
    return text, reason[0] if reason else None


def _program() -> str:
    parts = [GIVEN, FUNCTIONS, PIPES, LOCAL]
    for name, kind in KINDS.items():
        written = kind if isinstance(kind, str) else kind[0]
        parts.append(f"def of_{name}(item: {written}) -> {written}: ...  # type: ignore\n")
        parts.append(f"{name} = SyncPipeline([map(of_{name})])\n")
    for name, (expression, *_) in VALUES.items():
        value = re.sub(r"\bm\.", "", expression)
        parts.append(f"{name} = SyncPipeline([map(lambda _: {value})])\n")
    return "".join(parts)


PROGRAM = _program()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder without settings, and with the cache that all tests share."""
    folder = tmp_path_factory.mktemp("kinds")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        yield folder


@pytest.fixture(scope="module")
def stages(folder: Path) -> dict[str, tuple[Stage, ...]]:
    """The stages of all chains, as the oracle types them."""
    found = finder.chains(parse("kinds.py", PROGRAM))
    answer = handler.answer(Request((AskedFile("kinds.py", PROGRAM, found),)))
    [file] = answer.files
    assert file.module == "kinds"
    return {typed.chain.name: typed.chain.stages for typed in file.chains}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_type(stages: dict[str, tuple[Stage, ...]], name: str) -> None:
    [stage] = stages[name]
    assert (stage.takes_as.text, stage.takes_as.any_reason) == _expected(KINDS[name])
    assert stage.gives_as == stage.takes_as


@pytest.mark.parametrize("name", VALUES)
def test_a_kind_of_type_that_only_an_expression_has(
    stages: dict[str, tuple[Stage, ...]], name: str
) -> None:
    [stage] = stages[name]
    assert (stage.gives_as.text, stage.gives_as.any_reason) == _expected(VALUES[name])


def test_an_annotation_names_its_modules_sorted(stages: dict[str, tuple[Stage, ...]]) -> None:
    assert stages["data"][0].gives_as.modules == ("kinds",)
    assert stages["guard"][0].gives_as.modules == ("collections.abc", "typing")
    assert stages["rows"][0].gives_as.modules == ()


def test_a_local_class_is_any_with_the_reason(stages: dict[str, tuple[Stage, ...]]) -> None:
    hidden, literal = (
        stages["local.<locals>.hidden_chain"][0],
        stages["local.<locals>.literal_chain"][0],
    )
    reason = 'class "Hidden" is local to a function'
    assert hidden.takes_as == Annotation("list[m_typing.Any]", ("typing",), reason)
    assert hidden.gives_as == Annotation("dict[str, m_typing.Any]", ("typing",), reason)
    reason = 'class "Bad" is local to a function'
    assert literal.takes_as == Annotation("m_typing.Any", ("typing",), reason)


def test_a_type_that_only_mypy_has_is_any_with_a_reason() -> None:
    reason = "mypy could not make out the type"
    for of in (types.UnboundType("Row"), types.ErasedType(), types.DeletedType()):
        assert annotation(of) == Annotation("m_typing.Any", ("typing",), reason)


def test_a_type_without_end_is_cut_off() -> None:
    info = TypeInfo(SymbolTable(), ClassDef("Box", Block([])), "boxes")
    info._fullname = "boxes.Box"
    of = types.Instance(info, [])
    for _ in range(2000):
        of = types.Instance(info, [of])
    written = annotation(of)
    assert written.text.startswith("m_boxes.Box[m_boxes.Box[")
    assert written.text.endswith("m_typing.Any]]]" + "]" * 26 + "]")
    assert written.any_reason == "the type is nested too deep"


def test_mypy_takes_them_all_in_another_module(
    folder: Path, stages: dict[str, tuple[Stage, ...]]
) -> None:
    names: set[str] = set()
    body = []
    for name in KINDS:
        [stage] = stages[name]
        names.update(stage.takes_as.modules)
        gives = stage.gives_as.text
        body.append(f"def {name}(item: {stage.takes_as.text}) -> {gives}:")
        if gives == "m_typing.Never":
            body.append(f"    m_kinds.of_{name}(item)")
        else:
            call = f"m_kinds.of_{name}(item)"
            body.append(f"    {call}" if gives == "None" else f"    result: {gives} = {call}")
            body.append(f"    return {'None' if gives == 'None' else 'result'}")
    for name, (expression, *_) in VALUES.items():
        [stage] = stages[name]
        names.update(stage.gives_as.modules)
        value = re.sub(r"\bm\.", "m_kinds.", expression)
        body.append(f"def {name}() -> {stage.gives_as.text}:\n    return {value}")
    head = ["from __future__ import annotations"]
    head += [f"import {module} as {alias_of(module)}" for module in sorted(names)]
    text = "\n".join([*head, *body, ""])
    generated = Generated("generated", "__rivusio__/generated.py", text)
    lines = text.splitlines()
    complaints = request.strict([generated], [("kinds.py", PROGRAM)])
    assert [f"{each.message}: {lines[each.line - 1]}" for each in complaints] == []


# Classes and awaitables


def test_a_stage_names_the_class_of_its_pipe(stages: dict[str, tuple[Stage, ...]]) -> None:
    assert [stage.class_name for stage in stages["pipes"]] == [
        "kinds.Parse",
        "kinds.Send",
        "kinds.Nest.Keep",
        None,
        None,
        "rivusio.pipes.base.SyncFamily",
    ]
    assert stages["of_class"][0].class_name is None


def test_settings_do_not_hide_the_class(stages: dict[str, tuple[Stage, ...]]) -> None:
    assert [stage.class_name for stage in stages["settings"]] == ["kinds.Parse", "kinds.Send"]


MAYBE = {
    "anything",
    "whatever",
    "protocol",
    "generic_protocol",
    "function",
    "thunk",
    "any_function",
    "bare_function",
    "guard",
    "narrows",
    "class_",
    "classes",
    "class_of_anything",
    "supports",
    "manager",
    "generator",
    "awaitable",
    "sub_awaitable",
    "loose",
    "future",
    "bound",
}


def test_what_mypy_proves_to_be_no_awaitable(stages: dict[str, tuple[Stage, ...]]) -> None:
    maybe = {name for name in KINDS if stages[name][0].awaitable == "maybe"}
    assert maybe == MAYBE
    of_pipes = [stage.awaitable for stage in stages["pipes"]]
    assert of_pipes == ["never", "maybe", "maybe", "never", "maybe", "never"]


def test_what_a_coroutine_function_gives_counts_and_not_the_coroutine(
    stages: dict[str, tuple[Stage, ...]],
) -> None:
    [stage] = stages["Method.chain.<locals>.method_chain"]
    assert (stage.gives_as.text, stage.awaitable) == ("int", "never")


# Aliases

MODULES = [
    "flights",
    "examples.flights",
    "examples_flights",
    "examples__flights",
    "examples._flights",
    "examples_.flights",
    "_examples.flights",
    "a.b_c",
    "a_b.c",
    "a_0b",
    "a._0b",
    "a_.b",
    "a._b",
    "a___b",
    "a._1b",
    "1a",
    "_1a",
    "0_.a",
    "a-b",
    "a_12d_b",
    "__main__",
    "main",
    "ﬁ",
    "fi",
    "é",
    "e\u0301",
    "class",
]


def test_no_two_modules_have_one_alias() -> None:
    aliases = {alias_of(module) for module in MODULES}
    assert len(aliases) == len(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_an_alias_is_an_identifier_that_python_reads_as_it_is(module: str) -> None:
    alias = alias_of(module)
    assert alias.isidentifier()
    assert unicodedata.normalize("NFKC", alias) == alias
