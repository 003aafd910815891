"""Bodies written into a loop: how they read, that they do the same, and why some are refused."""

from __future__ import annotations

import ast
import copy
import os
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, GeneratorType, ModuleType
from typing import Any

import pytest

from rivusio.compiler.inlining.inline import Function, Inlined, Refused, Site, inline, waits

GOLDEN = Path(__file__).with_name("bodies.test")

# What the module of every case has.
MODULE = '''
import contextlib
import enum
from dataclasses import dataclass

RATES = {"a": 2, "b": 3}
LIMIT = 3

class Color(enum.Enum):
    RED = 1
    BLUE = 2

@dataclass
class Point:
    x: int
    y: int

calls = []

def note(*values):
    """Keep what it is called with, so that the order of calls can be compared."""
    calls.append(repr(values))
    return values[-1]

@contextlib.contextmanager
def quiet(*kinds):
    note("enter")
    try:
        yield note("entered")
    except kinds as error:
        note("swallowed", type(error))
    finally:
        note("leave")

class Pipe:
    factor = 2
    def __init__(self):
        self.seen = 0
        self.last = None
        self._Pipe__secret = 5
    def scaled(self, value):
        return note(value) * self.factor
'''


def module() -> ModuleType:
    made = ModuleType("case")
    sys.modules["case"] = made  # dataclasses look there
    try:
        exec(MODULE, vars(made))  # noqa: S102
    finally:
        del sys.modules["case"]
    return made


NAMES = frozenset(vars(module()))


def function_of(text: str) -> Function:
    """Give the function of a case: a `def`, or an expression that is a lambda."""
    statement = ast.parse(textwrap.dedent(text)).body[0]
    function = statement.value if isinstance(statement, ast.Expr) else statement
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    return function


def fresh_names() -> Callable[[str], str]:
    used: Counter[str] = Counter()

    def fresh(name: str) -> str:
        used[name] += 1
        return f"{name}_{used[name]}"

    return fresh


def inlined(text: str, **changes: Any) -> Inlined | Refused:
    function = function_of(text)
    is_method = "(self" in text or "lambda self" in text or "(this" in text
    options: dict[str, Any] = {
        "item": "item",
        "receiver": "pipe" if is_method else None,
        "module": "m",
        "module_names": NAMES,
        "fresh": fresh_names(),
        "class_name": "Pipe" if is_method else None,
    }
    return inline(function, Site(**(options | changes)))


def shown(body: Inlined | Refused) -> str:
    if isinstance(body, Refused):
        return f"refused, line {body.line}: {body.reason}"
    statements = "\n".join(ast.unparse(each) for each in body.statements)
    return f"{statements}\n-> {ast.unparse(body.result)}".lstrip("\n")


# How it reads


def golden() -> dict[str, tuple[str, str]]:
    found = re.findall(
        r"^\[case (\w+)\]\n(.*?)^\[inlined\]\n(.*?)(?=^\[case|\Z)",
        GOLDEN.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return {name: (text.strip("\n"), output.strip("\n")) for name, text, output in found}


@pytest.fixture(scope="module", autouse=True)
def update() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        head, _, _ = GOLDEN.read_text("utf-8").partition("[case ")
        written = [
            f"[case {name}]\n{text}\n[inlined]\n{shown(inlined(text))}\n"
            for name, (text, _) in golden().items()
        ]
        GOLDEN.write_text(head + "\n".join(written), "utf-8")


@pytest.mark.parametrize("name", golden())
def test_golden(name: str) -> None:
    text, expected = golden()[name]
    assert shown(inlined(text)) == expected


def test_each_golden_case_has_its_own_name() -> None:
    names = re.findall(r"^\[case (\w+)\]", GOLDEN.read_text("utf-8"), re.MULTILINE)
    assert len(names) == len(set(names)) == len(golden())


# That it does the same

INPUTS = [0, 1, 5, -3, 4, "abc", "", "12", None, [1, 2, 3], [], [4], {"a": 1, "b": 9}, ("a", 7)]

SAME = [
    # expressions
    "lambda data: data * 2",
    "lambda data, /: note(data) + note(1)",
    "lambda self, data: self.scaled(data)",
    "lambda data: (data := note(data)) and data",
    "lambda data: (note(first := data), first)",
    "def f(data): return note(data) if note(data) else note(0)",
    "def f(data): return note(1) < note(data) < note(4)",
    "def f(data): return {note('k'): note(data), **RATES, note('l'): 2}",
    "def f(data): return f'{data!r:>{LIMIT}} {data=} {note(data)}'",
    "def f(data): return [*data, *data][::2], data[1:], (*data,)",
    "def f(data): return sorted(data, key=lambda each: -each)",
    "def f(data): return lambda each, *rest, k=data: (each, k, rest, LIMIT)",
    "def f(data): return isinstance(data, type(1)), vars(Point(1, 2)), type(data)",
    "def f(data): return data and (half := data // 2) and half",
    "def f(data): return (whole := note(data)) or whole",
    "def f(data): return print if data else len(data)",
    "def f(data): return dict(x=data, data=1), Point(x=data, y=2).x",
    # scopes within
    "def f(data): return [each * LIMIT for each in data if each > len(data) - 2]",
    "def f(data): return [data for data in data]",
    "def f(data): return {item: pipe for item, pipe in data.items()}",
    "def f(data): return [(a, b) for a in data for b in data if a != b]",
    "def f(data): return {each for each in data} | {len(data)}",
    "def f(data): return [(lambda n=each: n)() for each in data]",
    "def f(data): return [[inner * len(data) for inner in [each]] for each in data]",
    "def f(data): return sum(note(each) * len(data) for each in data)",
    "def f(data): return sum((each for each in data if each != data), LIMIT)",
    "def f(data): return any(note(each) == data[0] for each in data)",
    "def f(data): return next((each for each in data if each in data), None)",
    "def f(data): return max((each + len(data) for each in data), default=data)",
    "def f(data): return ', '.join(str(each) + str(data) for each in data)",
    "def f(data): return (each for each in data)",
    "def f(data): return (LIMIT * each for each in data)",
    # locals
    """
    def f(data):
        data = data.strip()
        data += "!"
        return data
    """,
    """
    def f(data):
        first, *rest = data
        (first, rest), note.x = (rest, first), 1
        return first, rest
    """,
    """
    def f(data):
        total: int = 0
        each: "int"
        for each in data:
            total += each
        else:
            note(total)
        return total
    """,
    """
    def f(data):
        list = [data]
        len = list * 2
        return len
    """,
    """
    def f(data):
        x = y = note(data)
        x = [x for x in [y, x]]
        return x, y
    """,
    # where it returns
    "def f(data): 'only a docstring'",
    "def f(data): pass",
    "def f(data): note(data)",
    "def f(data): return",
    "def f(data): raise ValueError(data)",
    """
    def f(data):
        if data == 1:
            return note("one")
        if data == 5:
            return note("five")
        return note("other")
    """,
    """
    def f(data):
        if data == 1:
            note("one")
        elif data == 5:
            return "five"
        else:
            raise KeyError(data)
        note("behind")
        return "end"
    """,
    """
    def f(data):
        if data:
            if data == 1:
                return "one"
            note("not one")
        else:
            note("nothing")
        return note("end")
    """,
    """
    def f(data):
        if not data: return
        size = len(data)
        if size > 2: return size
        note(size)
    """,
    """
    def f(data):
        return data
        note("never")
    """,
    # loops
    """
    def f(data):
        for each in data:
            if note(each) == 2:
                return each
        return "none"
    """,
    """
    def f(data):
        for each in data:
            if each == 1:
                continue
            return each
        else:
            note("all")
        note("behind")
    """,
    """
    def f(data):
        n = 0
        while n < LIMIT:
            n += 1
            if n == data:
                return note(n)
        return n
    """,
    """
    def f(data):
        n = 0
        while True:
            n = n + note(1)
            if n == data or n > 4:
                return n
    """,
    """
    def f(data):
        for each in data:
            if each == 2:
                break
        else:
            return "no two"
        return note("two")
    """,
    """
    def f(data):
        for each in data:
            with quiet(TypeError):
                return note(each + 1)
        return "none"
    """,
    """
    def f(data):
        for each in data:
            try:
                return note(1 // (each - 1))
            except ZeroDivisionError:
                continue
            finally:
                note("finally")
        return "none"
    """,
    """
    def f(data):
        for each in data:
            try:
                if each == 1: return note("lost")
            finally:
                continue
        return "end"
    """,
    """
    def f(data):
        found = []
        while True:
            try:
                found.append(note(data[len(found)]))
            except (IndexError, KeyError) as error:
                found.append(type(error))
                break
        return found
    """,
    """
    def f(data):
        if data:
            for a in data:
                for b in data:
                    if a != b: break
                else:
                    return "same"
            return "other"
        return None
    """,
    # handlers and what is left by them
    """
    def f(data):
        try:
            return int(data)
        except ValueError:
            return note(0)
    """,
    """
    def f(data):
        try:
            value = int(data)
        except ValueError:
            return "no number"
        except TypeError as error:
            raise RuntimeError("no text") from error
        if value == 12: raise ValueError("twelve")
        return 10 // value
    """,
    """
    def f(data):
        try:
            return int(data)
        except ValueError as error:
            note(type(error))
        except TypeError as error:
            note(str(error))
        return note("behind")
    """,
    """
    def f(data):
        try:
            value = note(10 // data)
        except ZeroDivisionError:
            value = None
        else:
            note("else")
        finally:
            note("finally")
        return value
    """,
    """
    def f(data):
        try:
            if data == 1: return note("one")
            note(data + 1)
        finally:
            note("finally")
        return note("behind")
    """,
    """
    def f(data):
        try:
            if data == 1: return note("one")
            note(data + 1)
        except TypeError:
            return note("no number")
        else:
            note("else")
        finally:
            note("finally")
    """,
    """
    def f(data):
        try:
            note(data + 1)
        except TypeError:
            pass
        else:
            return note("else")
        finally:
            pass
    """,
    """
    def f(data):
        try:
            assert data, note("no data")
            raise LookupError(data)
        except LookupError as error:
            try:
                int(data)
            except TypeError as other:
                raise ValueError(1) from other
            raise
    """,
    """
    def f(data):
        try:
            pass
        finally:
            pass
        return data
    """,
    # with
    """
    def f(data):
        with quiet(TypeError) as entered:
            return note(entered, data + 1)
    """,
    """
    def f(data):
        with quiet(TypeError), quiet(ZeroDivisionError) as inner:
            note(inner, 10 // data)
        return "end"
    """,
    """
    def f(data):
        size = 0
        with quiet(TypeError):
            size = len(data)
            if size > 2: return note("long")
        return size
    """,
    # match
    """
    def f(data):
        match data:
            case 0 | 1 as small:
                return note("small", small)
            case [first, *rest] if first in rest or note(first):
                return first, rest
            case {"a": value, **others}:
                return value, others
            case Color.RED | int():
                note("int")
            case str(text):
                return text
    """,
    """
    def f(data):
        match data:
            case int(n) if n > 1: return n
            case Point(x=n): return n
            case None: raise ValueError("none")
        note("behind")
        return data
    """,
    """
    def f(data):
        match data:
            case 1: found = "one"
            case 5: return "five"
            case _: found = "other"
        return note(found)
    """,
    """
    def f(data):
        match data, LIMIT:
            case (int(a), b): return a + b
            case other: return other
    """,
    # methods
    """
    def process(self, data):
        self.seen += 1
        self.last = data
        if self.seen > LIMIT:
            self.seen = 0
            return self.scaled(data)
        return self.__secret, self._Pipe__secret
    """,
    """
    def process(this, data):
        __private, _Pipe__other = data, 1
        this.__secret += 1
        return __private, __other, this.__secret
    """,
    """
    def process(self, data):
        del self.last
        self.last: int = data
        return [self.scaled(each) for each in data]
    """,
    """
    async def process(self, data):
        if not data: return None
        return self.scaled(data)
    """,
    "def process(self, data): return sum(self.factor * each for each in data)",
    "def process(self, data): return self.__class__.__name__, type(self).factor",
    # definite assignment
    """
    def f(data):
        if data and (size := len(data)) > 1:
            return size
        if not (data and (kind := type(data))):
            return "nothing"
        return kind
    """,
    """
    def f(data):
        while True:
            if data == 1:
                x = note("one")
                break
            if data != 1:
                x = note("other")
                break
        return x
    """,
    """
    def f(data):
        try:
            x = 10 // data
        except TypeError:
            raise
        except ZeroDivisionError:
            x = 0
        finally:
            y = note("y")
        return x, y
    """,
    """
    def f(data):
        return (x := len(data)) + x if data else (x := LIMIT) - x
    """,
]


def outcome(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:  # noqa: BLE001
        return type(error), error.args, type(error.__context__), type(error.__cause__)


def settled(result: object) -> object:
    """Give what can be compared: what is lazy is run here, when the loop has gone on."""
    if isinstance(result, GeneratorType):
        return outcome(lambda: list(result))
    if isinstance(result, FunctionType) and result.__name__ == "<lambda>":
        return outcome(lambda: result(7))
    return result


def run(text: str, body: Inlined | None) -> tuple[list[str], list[str], object, object]:
    """Run a case over all inputs, as a function or in a loop: what came out, and the calls."""
    where, inputs = module(), copy.deepcopy(INPUTS)
    pipe = where.Pipe()
    results: list[object] = []
    if body is None:
        function: Any = called(text, where)
        results = [outcome(lambda item=item: function(pipe, item)) for item in inputs]  # type: ignore[misc]
    else:
        loop: dict[str, Any] = {}
        exec(looped(body), loop)  # noqa: S102
        loop["run"](where, pipe, inputs, results.append)
    shown = [repr(settled(each)).replace(hex(id(where)), "") for each in results]
    return [re.sub(r" at 0x\w+", "", each) for each in shown], where.calls, inputs, vars(pipe)


def called(text: str, where: ModuleType) -> Callable[[object, object], object]:
    function = function_of(text)
    takes_receiver = len(function.args.args) + len(function.args.posonlyargs) == 2
    source = textwrap.dedent(text).strip()
    if isinstance(function, ast.Lambda):
        source = f"process = {source}"
    own: dict[str, Any] = {}
    exec(f"class Pipe:\n{textwrap.indent(source, '    ')}", vars(where), own)  # noqa: S102
    name = "process" if isinstance(function, ast.Lambda) else function.name
    made = vars(own["Pipe"])[name]

    def call(pipe: object, item: object) -> object:
        given = made(pipe, item) if takes_receiver else made(item)
        if not isinstance(function, ast.AsyncFunctionDef):
            return given
        with pytest.raises(StopIteration) as stopped:
            given.send(None)
        return stopped.value.value

    return call


def looped(body: Inlined) -> str:
    """Give the text of a loop with the body in it, as the compiler would write it."""
    lines = [ast.unparse(each) for each in body.statements]
    inner = textwrap.indent("\n".join([*lines, f"value_ = {ast.unparse(body.result)}"]), " " * 12)
    return f"""
def run(m, pipe, inputs, keep):
    for item in inputs:
        try:
{inner}
        except Exception as error:
            keep((type(error), error.args, type(error.__context__), type(error.__cause__)))
        else:
            keep(value_)
"""


@pytest.mark.parametrize("text", SAME)
def test_a_body_does_the_same_in_a_loop(text: str) -> None:
    body = inlined(text)
    assert isinstance(body, Inlined), body
    assert run(text, body) == run(text, None), shown(body)


@pytest.mark.parametrize("text", SAME)
def test_every_node_has_a_place_in_the_users_code(text: str) -> None:
    function = function_of(text)
    places = {_place(each) for each in ast.walk(function) if hasattr(each, "lineno")}
    body = inlined(text)
    assert isinstance(body, Inlined)
    for part in (*body.statements, body.result):
        for node in ast.walk(part):
            if "lineno" in node._attributes:
                assert _place(node) in places


def _place(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


@pytest.mark.parametrize("text", SAME)
def test_the_users_tree_is_left_as_it_is(text: str) -> None:
    function = function_of(text)
    before = ast.dump(function, include_attributes=True)
    receiver = "pipe" if len(function.args.args) == 2 else None
    inline(function, Site("item", receiver, "m", NAMES, fresh_names()))
    assert ast.dump(function, include_attributes=True) == before


@pytest.mark.parametrize("text", SAME)
def test_a_name_is_asked_for_once(text: str) -> None:
    asked: list[str] = []

    def fresh(name: str) -> str:
        asked.append(name)
        return f"{name}_{len(asked)}"

    bodies = [inlined(text, fresh=fresh), inlined(text, fresh=fresh)]
    half = len(asked) // 2
    assert asked[:half] == asked[half:]
    assert all(isinstance(each, Inlined) for each in bodies)


def test_what_a_body_reads_is_told() -> None:
    body = inlined("def f(self, data): return len(data) + LIMIT + self.seen + RATES['a']")
    assert isinstance(body, Inlined)
    assert body.globals == {"LIMIT", "RATES"}
    assert body.builtins == {"len"}
    assert body.reads_receiver


def test_a_body_that_reads_nothing() -> None:
    body = inlined("def f(self, data): return data")
    assert isinstance(body, Inlined)
    assert not body.globals | body.builtins
    assert not body.reads_receiver


def test_a_builtin_that_the_module_has_is_the_modules() -> None:
    body = inlined("def f(data): return len(data)", module_names={"len"})
    assert isinstance(body, Inlined)
    assert shown(body) == "-> m.len(item)"
    assert body.globals == {"len"}
    assert not body.builtins


# Why it is refused

LONG = "def f(data):\n" + "    note(data)\n" * 31
REFUSED = {
    # signatures
    "@note\ndef f(data): return data": "2: it has a decorator",
    "def f(data=1): return data": "1: it has a default",
    "def f(self, data=1): return data": "1: it has a default",
    "def f(data, *, key=1): return data": "1: it has a default",
    "def f(*data): return data": "1: it takes any number of arguments",
    "def f(data, **more): return data": "1: it takes any number of arguments",
    "def f(*, data): return data": "1: it has a keyword-only parameter",
    "def f(data, other): return data": "1: it has 2 parameters where 1 fit",
    "def f(self): return self": "1: it has 1 parameter where 2 fit",
    "lambda: 1": "1: it has 0 parameters where 1 fit",
    # what ends, or belongs to, a function
    "def f(data):\n    yield data": "2: it yields",
    "def f(data):\n    yield from data": "2: it yields",
    "async def f(data):\n    return await data": "2: it waits",
    "async def f(data):\n    async for x in data: pass": "2: it waits",
    "async def f(data):\n    async with data: pass": "2: it waits",
    "async def f(data):\n    return [\n        x async for x in data]": "3: it waits",
    "async def f(data):\n    return [await x for x in data]": "2: it waits",
    "def f(data):\n    global LIMIT\n    LIMIT = data": '2: it declares "LIMIT" global',
    "def f(data):\n    nonlocal LIMIT": '2: it declares "LIMIT" nonlocal',
    "def f(data):\n    import os": "2: it imports",
    "def f(data):\n    from os import path": "2: it imports",
    "def f(data):\n    def g(): pass": '2: it defines "g" within',
    "def f(data):\n    async def g(): pass": '2: it defines "g" within',
    "def f(data):\n    class g: pass": '2: it defines "g" within',
    "def f(data):\n    return f(data - 1)": "2: it calls itself",
    "def f(data):\n    del data": '2: it deletes "data"',
    "def f(data):\n    try: pass\n    except* OSError: pass": "2: it uses except*",
    "def f(data):\n    try: pass\n    finally: return 1": "2: it returns from a finally",
    "def f(data):\n    data.x: int": "2: it annotates what is no variable",
    LONG: "1: it is long: 31 statements",
    # frames
    "def f(self, data): return super().f(data)": "1: it uses super()",
    "def f(self, data): return __class__": "1: it uses __class__",
    **{
        f"def f(data): return {call}": f'1: it looks at frames by "{name}"'
        for call, name in {
            "locals()": "locals",
            "globals()['x']": "globals",
            "eval('data')": "eval",
            "exec('data')": "exec",
            "breakpoint()": "breakpoint",
            "vars()": "vars",
            "dir()": "dir",
            "vars(*data)": "vars",
            "map(vars, data)": "vars",
            "data.sys._getframe()": "_getframe",
            "data.currentframe()": "currentframe",
            "data.exc_info()": "exc_info",
            "data.tb_frame": "tb_frame",
            "[locals() for x in data]": "locals",
        }.items()
    },
    "def f(data): return inspect.stack()": '1: it looks at frames by "stack"',
    "def f(data): return type('A', (), {})": '1: it makes a class by "type"',
    "def f(data): return type(*data)": '1: it makes a class by "type"',
    "def f(data): return data.namedtuple('A', 'b')": '1: it makes a class by "namedtuple"',
    **{
        f"def f(data): {call}": f'1: it calls "{name}", which may tell where it was called'
        for call, name in {
            "warnings.warn('x')": "warn",
            "warn('x')": "warn",
            "warnings.warn_explicit('x')": "warn_explicit",
            "data.audit.info('x')": "info",
            "data.getLogger('x').error('x')": "error",
            "log.exception('x')": "exception",
        }.items()
    },
    # names
    "def f(data):\n    return data + missing": (
        '2: it reads "missing", which is neither in its module nor a builtin'
    ),
    "def f(self, data):\n    self = data": '2: it assigns to "self"',
    "def f(self, data):\n    if data:\n        self: int": '2: it assigns to "self"',
    "def f(data):\n    return lambda: data": '2: a lambda or generator in it uses "data"',
    "def f(data):\n    x = 1\n    return lambda: x": '3: a lambda or generator in it uses "x"',
    "def f(self, data):\n    return lambda: self": '2: a lambda or generator in it uses "self"',
    "def f(data): return [lambda: data for x in data]": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return (x + data for x in data)": '1: a lambda or generator in it uses "data"',
    "def f(data): return map(print, (x + data for x in data))": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return min((x + data for x in data), 1)": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return min(*(x for x in data), (x + data for x in data))": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return sum((x + data for x in data), *data)": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return sum((x + data for x in data), (data := 1))": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return data.join(x + data for x in data)": (
        '1: a lambda or generator in it uses "data"'
    ),
    "def f(data): return [y := x for x in data]": "1: it assigns in a comprehension",
    "def f(data): return any((y := x) for x in data)": "1: it assigns in a comprehension",
    "def f(data): return lambda x: (y := x)": "1: it assigns in a lambda",
    "def f(data): return lambda m: m + LIMIT": (
        '1: its lambda has a parameter "m", which generated code needs'
    ),
    "def f(data): return [(lambda x_1: x) for x in data]": (
        '1: its lambda has a parameter "x_1", which generated code needs'
    ),
    # locals that may have no value
    "def f(data):\n    if data: x = 1\n    return x": '3: "x" may have no value yet',
    "def f(data):\n    x: int\n    return x": '3: "x" may have no value yet',
    "def f(data):\n    x += 1": '2: "x" may have no value yet',
    "def f(data):\n    for x in data: pass\n    return x": '3: "x" may have no value yet',
    "def f(data):\n    while data: x = 1\n    return x": '3: "x" may have no value yet',
    "def f(data):\n    for x in data:\n        if x: y = 1\n        else: print(y)": (
        '4: "y" may have no value yet'
    ),
    "def f(data):\n    try: x = data.x\n    except KeyError: pass\n    return x": (
        '4: "x" may have no value yet'
    ),
    "def f(data):\n    try: x = data.x\n    finally: note(x)": '3: "x" may have no value yet',
    "def f(data):\n    while True:\n        if data: break\n        x = 1\n    return x": (
        '5: "x" may have no value yet'
    ),
    "def f(data):\n    while True:\n        try: x = 1\n        finally: break\n    return x": (
        '5: "x" may have no value yet'
    ),
    "def f(data):\n    match data:\n        case [x]: pass\n    return x": (
        '4: "x" may have no value yet'
    ),
    "def f(data):\n    if data or (x := 1): return x": '2: "x" may have no value yet',
    "def f(data):\n    assert (x := data)\n    return x": '3: "x" may have no value yet',
    "def f(data):\n    return [x for y in data]\n    x = 1": '2: "x" may have no value yet',
    "def f(data):\n    return x\n    x = 1": '2: "x" may have no value yet',
    "def f(data):\n    with data: x = 1\n    return x": (
        '3: "x" may have no value if a with swallows an exception'
    ),
    "def f(data):\n    try: pass\n    except KeyError as e: pass\n    return e": (
        '4: "e" may have no value yet'
    ),
    "def f(data):\n    e = 1\n    try: pass\n    except KeyError as e: pass": (
        '4: it uses "e" for an exception and more'
    ),
    "def f(data):\n    try: pass\n    except KeyError as data: pass": (
        '3: it uses "data" for an exception and more'
    ),
    "def f(data):\n    try: pass\n    except KeyError as e:\n"
    "        try: pass\n        except OSError as e: pass": (
        '3: it uses "e" for an exception and more'
    ),
    # where it returns
    "def f(data):\n    for x in data:\n        for y in x:\n            return y": (
        "4: it returns from inside a loop"
    ),
    "def f(data):\n    for x in data:\n        if x: break\n        return x\n    return 1": (
        "4: it returns from inside a loop"
    ),
    "def f(data):\n    if data:\n        for x in data:\n            return x\n    return 1": (
        "4: it returns from inside a loop"
    ),
    "def f(data):\n"
    + "".join(f"    if data == {n}: return {n}\n    note({n})\n" for n in range(5)): (
        "10: its returns are nested too deep to be written flat"
    ),
}
if sys.version_info >= (3, 12):
    REFUSED |= {
        "def f[T](data: T): return data": "1: it has type parameters",
        "def f(data):\n    type A = int": (
            '2: it has a statement that is not known here: "TypeAlias"'
        ),
    }


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_a_body_is_refused(text: str, reason: str) -> None:
    line, _, words = reason.partition(": ")
    assert inlined(text) == Refused(words, int(line))


def test_a_builtin_that_the_module_has_may_keep_a_generator() -> None:
    text = "def f(data): return sum(x + data for x in data)"
    assert inlined(text, module_names={"sum"}) == Refused(
        'a lambda or generator in it uses "data"', 1
    )


def test_a_local_may_have_the_name_of_what_looks_at_frames() -> None:
    assert shown(inlined("def f(vars): return vars, [dir for dir in vars]")) == (
        "-> (item, [dir_1 for dir_1 in item])"
    )


@pytest.mark.parametrize("name", [None, "__"])
def test_private_names_outside_a_class_are_left(name: str | None) -> None:
    assert shown(inlined("lambda data: data.__x", class_name=name)) == "-> item.__x"


@pytest.mark.parametrize("name", ["Pipe", "_Pipe", "__Pipe"])
def test_a_class_gives_its_name_without_underscores(name: str) -> None:
    assert shown(inlined("lambda data: data.__x", class_name=name)) == "-> item._Pipe__x"


def test_dunder_names_are_not_private() -> None:
    assert shown(inlined("lambda data: data.__x__", class_name="Pipe")) == "-> item.__x__"


# Whether a coroutine function waits


@pytest.mark.parametrize(
    "text",
    [
        "async def f(data): return await data",
        "async def f(data): return [await x for x in data]",
        "async def f(data): return [x async for x in data]",
        "async def f(data):\n    async for x in data: pass",
        "async def f(data):\n    async with data: pass",
        "async def f(data): yield data",
        "async def f(data): return lambda x=await data: x",
    ],
)
def test_it_waits(text: str) -> None:
    assert waits(function_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "async def f(data): return data",
        "async def f(data):\n    async def g(): await data\n    return g",
        "async def f(data):\n    def g(): yield data\n    return g",
        "async def f(data): return lambda: (yield data)",
        "lambda data: data",
    ],
)
def test_it_does_not_wait(text: str) -> None:
    assert not waits(function_of(text))
