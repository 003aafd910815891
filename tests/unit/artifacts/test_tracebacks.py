"""Tracebacks of generated modules show the user's lines, and an error survives whatever it is.

What a traceback should look like is written here in full, or is what Python itself prints when it
runs the user's own file.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import linecache
import logging
import os
import subprocess
import sys
import traceback
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from rich.console import Console
from rich.traceback import Traceback

from rivusio.artifacts.tracebacks import LineMap, Origin, retraced
from tests.places import ROOT

GENERATED = "<rivusio flights>"

FLIGHTS = """\
class Clean:
    def process(self, data):
        late = data.delay or 0
        return late


class Route:
    def process(self, data):
        raise self.failure
"""

# What a compiler makes of Clean, which it inlines in line 3, and Route, which it calls in line 4.
RUN = """\
def run(items, route):
    for item in items:
        late = item.delay or 0
        yield route.process(late)
"""

CLEAN_FAILED = """\
Traceback (most recent call last):
  File "{file}", line 3, in process
    late = data.delay or 0
           ^^^^^^^^^^
AttributeError: 'int' object has no attribute 'delay'
"""


class Flight:
    """An item that Clean accepts."""

    delay = 5


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """The user's file."""
    return written(tmp_path / "flights.py", FLIGHTS)


@pytest.fixture
def maps(flights: Path) -> dict[str, LineMap]:
    """What the lines of RUN stand for."""
    return mapped({3: origin(flights, "Clean.process", "data.delay")})


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def origin(path: Path, function: str, segment: str) -> Origin:
    """Find the first expression or statement of a file that reads like the segment."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.expr | ast.stmt) and ast.get_source_segment(text, node) == segment:
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            place = node.lineno, node.end_lineno, node.col_offset, node.end_col_offset
            return Origin(str(path), function, *place)
    pytest.fail(f"there is no {segment!r} in {path}")


def mapped(origins: dict[int, Origin], file: str = GENERATED) -> dict[str, LineMap]:
    return {file: LineMap(file, origins)}


def loaded(text: str, file: str | Path = GENERATED) -> dict[str, Any]:
    """Run a module and give its names."""
    names: dict[str, Any] = {}
    exec(compile(text, str(file), "exec"), names)  # noqa: S102  as the loader does
    return names


def failure_of(call: Callable[..., object], *args: object) -> Exception:
    """Give the error of a call, without the entry of this function in its traceback."""
    try:
        call(*args)
    except Exception as error:  # noqa: BLE001  a test looks at whatever comes
        return without_first_entry(error)
    pytest.fail("the call has not failed")


def without_first_entry(error: Exception) -> Exception:
    assert error.__traceback__
    return error.with_traceback(error.__traceback__.tb_next)


def failure_of_run(items: list[object], route: object = None) -> Exception:
    return failure_of(next, loaded(RUN)["run"](items, route))


def failure_of_route(flights: Path, failure: Exception) -> Exception:
    """Give the error that Route raises when the generated module calls it."""
    route = loaded(FLIGHTS, flights)["Route"]()
    route.failure = failure
    return failure_of_run([Flight()], route)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def names_in(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def run_python(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run this very copy of the project in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    for setting in ("PYTEST_ADDOPTS", "PYTHONNODEBUGRANGES", "FORCE_COLOR"):
        env.pop(setting, None)
    command = [sys.executable, *args]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False
    )


# --- what is shown ------------------------------------------------------------------------------


def test_a_line_without_a_map_shows_the_generated_file() -> None:
    error = failure_of_run([5])
    assert f'File "{GENERATED}", line 3, in run' in shown(error)


def test_an_inlined_line_shows_the_users(flights: Path, maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    assert shown(error) == CLEAN_FAILED.format(file=flights)


def test_a_called_stage_shows_only_the_users_own_frames(
    flights: Path, maps: dict[str, LineMap]
) -> None:
    error = failure_of_route(flights, LookupError("no route"))
    retraced(error, maps)
    assert shown(error) == (
        "Traceback (most recent call last):\n"
        f'  File "{flights}", line 9, in process\n'
        "    raise self.failure\n"
        "LookupError: no route\n"
    )


def test_a_generated_line_without_origin_is_kept_where_nothing_is_deeper(
    maps: dict[str, LineMap],
) -> None:
    error = failure_of_run([Flight()], route=None)
    before = error.__traceback__
    retraced(error, maps)
    assert error.__traceback__ is before
    assert shown(error) == (
        "Traceback (most recent call last):\n"
        f'  File "{GENERATED}", line 4, in run\n'
        "AttributeError: 'NoneType' object has no attribute 'process'\n"
    )


def test_the_callers_of_a_pipeline_are_shown_as_they_were(maps: dict[str, LineMap]) -> None:
    def main() -> object:
        return next(loaded(RUN)["run"]([5], None))

    error = failure_of(main)
    before = traceback.extract_tb(error.__traceback__)
    retraced(error, maps)
    after = traceback.extract_tb(error.__traceback__)
    assert after[:-1] == before[:-1]
    assert [frame.name for frame in after] == ["main", "process"]


CASES = {
    "a part of a line": ("def process(data):\n    late = {}\n", "data.delay / 0"),
    "a whole line": ("def process(data):\n    {}\n", "data.delay / 0"),
    "a subscript": ("def process(data):\n    return 1 + {}\n", 'data.delay["é"]'),
    "a call": ("def process(data):\n    return 1 + {}\n", 'int("x" * data.delay)'),
    "non-ASCII text before it": (
        "def process(data):\n    名 = 'éèê'; return {}, 名\n",
        'data.delay["é"]',
    ),
    "a tab before it": ("def process(data):\n\treturn 1 + {}\n", "data.delay / 0"),
    "several lines": (
        "def process(data):\n    late = ({})\n    return late\n",
        "data.delay\n        * 2\n        / 0",
    ),
    "the last line of a file without a newline": (
        "def process(data):\n    return 1 + {}",
        "data.delay / 0",
    ),
    "a lambda": ("process = lambda data: 1 + {}\n", "data.delay / 0"),
    "a function in a function": (
        "def outer():\n    return lambda data: 1 + {}\n\n\nprocess = outer()\n",
        "data.delay / 0",
    ),
}


@pytest.mark.parametrize(("template", "segment"), CASES.values(), ids=CASES)
def test_a_users_line_is_shown_as_python_itself_shows_it(
    tmp_path: Path, template: str, segment: str
) -> None:
    path = written(tmp_path / "user.py", template.format(segment))
    process = loaded(path.read_text(encoding="utf-8"), path)["process"]
    interpreted = failure_of(process, Flight())
    compiled = failure_of(loaded(f"def run(data):\n    return ({segment})\n")["run"], Flight())
    inlined_in = range(2, 3 + segment.count("\n"))
    place = origin(path, process.__qualname__, segment)
    retraced(compiled, mapped(dict.fromkeys(inlined_in, place)))
    assert shown(compiled) == shown(interpreted)
    assert qualified_names_in(compiled) == qualified_names_in(interpreted)


def place_of(error: BaseException) -> tuple[int, int, int, int]:
    """Give the part of the source that Python says has failed."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    assert frame.lineno is not None
    assert frame.end_lineno is not None
    assert frame.colno is not None
    assert frame.end_colno is not None
    return frame.lineno, frame.end_lineno, frame.colno, frame.end_colno


def qualified_names_in(error: BaseException) -> list[str]:
    return [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__)]


@pytest.mark.parametrize("failing_line", [2, 3, 4])
def test_a_statement_that_fills_several_generated_lines(flights: Path, failing_line: int) -> None:
    values = ["1", "1", "1"]
    values[failing_line - 2] = "data.delay"
    text = "def run(data):\n    return [{},\n        {},\n        {}]\n".format(*values)
    error = failure_of(loaded(text)["run"], 5)
    retraced(error, mapped(dict.fromkeys((2, 3, 4), origin(flights, "process", "data.delay"))))
    assert shown(error) == CLEAN_FAILED.format(file=flights)


def test_an_origin_of_several_lines_is_shown_from_its_first(tmp_path: Path) -> None:
    segment = "max(\n        data,\n        data.delay,\n    )"
    path = written(tmp_path / "user.py", f"def process(data):\n    return 1 + {segment}\n")
    error = failure_of(loaded("def run(data):\n    return max(data, data.delay)\n")["run"], 5)
    retraced(error, mapped({2: origin(path, "process", segment)}))
    assert place_of(error) == (2, 5, 15, 5)
    assert error.__traceback__
    assert error.__traceback__.tb_lineno == 2  # what pytest and debuggers go by
    assert f'  File "{path}", line 2, in process\n    return 1 + max(\n' in shown(error)


# --- several generated entries ------------------------------------------------------------------


def test_nested_generated_frames_are_each_replaced_or_dropped(flights: Path) -> None:
    text = (
        "def clean(item):\n    return item.delay\n\n\n"
        "def loop(items):\n    return [clean(item) for item in items]\n\n\n"
        "def run(items):\n    return loop(items)\n"
    )
    inlined = origin(flights, "Clean.process", "data.delay")
    whole = origin(flights, "Clean.process", "late = data.delay or 0")
    error = failure_of(loaded(text)["run"], [5])
    retraced(error, mapped({2: inlined, 10: whole}))
    assert names_in(error) == ["process", "process"]
    assert place_of(error) == (3, 3, inlined.column, inlined.end_column)
    assert GENERATED not in shown(error)


def test_a_pipeline_within_a_pipeline(flights: Path) -> None:
    place = origin(flights, "Clean.process", "data.delay")
    inner = loaded("def run(data):\n    return data.delay\n", "<rivusio inner>")["run"]
    outer = loaded("def run(inner, data):\n    return inner(data)\n", "<rivusio outer>")["run"]
    error = failure_of(outer, inner, 5)
    retraced(error, mapped({2: place}, "<rivusio inner>") | mapped({}, "<rivusio outer>"))
    assert shown(error) == CLEAN_FAILED.format(file=flights)


def test_a_generated_line_between_users_lines_is_dropped(
    flights: Path, maps: dict[str, LineMap]
) -> None:
    """A called stage asks another generated line for its input."""
    stage = loaded("def stage(items):\n    for item in items:\n        yield item\n", flights)
    run = loaded(RUN + "\n\ndef outer(stage):\n    yield from stage(run([5], None))\n")
    error = failure_of(next, run["outer"](stage["stage"]))
    retraced(error, maps)
    assert names_in(error) == ["stage", "process"]


def test_entries_of_equal_lines_in_other_files_stay(maps: dict[str, LineMap]) -> None:
    error = failure_of(next, loaded(RUN, "<another>")["run"]([5], None))
    before = error.__traceback__
    retraced(error, maps)
    assert error.__traceback__ is before


async def test_an_async_generator(flights: Path) -> None:
    text = (
        "async def source(items):\n    async for item in items:\n        yield item.delay\n\n\n"
        "async def run(items):\n    async for item in source(items):\n        yield item\n"
    )

    async def fives() -> AsyncIterator[int]:
        yield 5

    with pytest.raises(AttributeError) as caught:
        await anext(loaded(text)["run"](fives()))
    error = without_first_entry(caught.value)
    retraced(error, mapped({3: origin(flights, "Clean.process", "data.delay")}))
    assert shown(error) == CLEAN_FAILED.format(file=flights)


def test_a_generator_that_an_error_is_thrown_into(flights: Path) -> None:
    run = loaded("def run(data):\n    yield data\n")["run"](5)
    next(run)
    error = failure_of(run.throw, ValueError("thrown"))
    retraced(error, mapped({2: origin(flights, "Clean.process", "data.delay")}))
    assert names_in(error) == ["process"]


def test_an_error_that_is_raised_on_keeps_the_users_line(
    flights: Path, maps: dict[str, LineMap]
) -> None:
    def run() -> object:
        try:
            return next(loaded(RUN)["run"]([5], None))
        except AttributeError as error:
            retraced(error, maps)
            raise

    error = failure_of(run)
    assert names_in(error) == ["run", "process"]
    assert shown(without_first_entry(error)) == CLEAN_FAILED.format(file=flights)


# --- all that an error came of ------------------------------------------------------------------


def test_a_cause(flights: Path, maps: dict[str, LineMap]) -> None:
    error = RuntimeError("the run failed")
    error.__cause__ = failure_of_run([5])
    retraced(error, maps)
    assert shown(error) == (
        CLEAN_FAILED.format(file=flights)
        + "\nThe above exception was the direct cause of the following exception:\n\n"
        "RuntimeError: the run failed\n"
    )


def test_a_context(flights: Path, maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    error.__context__ = failure_of_run([7])
    retraced(error, maps)
    assert shown(error) == (
        CLEAN_FAILED.format(file=flights)
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + CLEAN_FAILED.format(file=flights)
    )


def test_the_members_of_a_group(flights: Path, maps: dict[str, LineMap]) -> None:
    inner = ExceptionGroup("inner", [failure_of_run([5])])
    outer = BaseExceptionGroup("outer", [inner, KeyboardInterrupt()])
    retraced(outer, maps)
    member = CLEAN_FAILED.format(file=flights).removeprefix("Traceback")
    indented = "".join(f"    | {line}\n" for line in f"Traceback{member}".splitlines())
    assert shown(outer) == (
        "  | BaseExceptionGroup: outer (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ExceptionGroup: inner (1 sub-exception)\n"
        "    +-+---------------- 1 ----------------\n"
        + "".join(f"  {line}\n" for line in indented.splitlines())
        + "      +------------------------------------\n"
        "    +---------------- 2 ----------------\n"
        "    | KeyboardInterrupt\n"
        "    +------------------------------------\n"
    )


def test_one_error_that_is_met_again_and_in_circles(maps: dict[str, LineMap]) -> None:
    first, second = failure_of_run([5]), failure_of_run([7])
    group = ExceptionGroup("both", [first, second, first])
    first.__context__, second.__context__, first.__cause__ = second, group, first
    retraced(group, maps)
    assert names_in(first) == names_in(second) == ["process"]


def test_a_long_chain(maps: dict[str, LineMap]) -> None:
    error = last = failure_of_run([5])
    for _ in range(5 * sys.getrecursionlimit()):
        above = ValueError()
        above.__context__, error = error, above
    retraced(error, maps)
    assert names_in(last) == ["process"]


def test_a_second_time_changes_nothing(flights: Path, maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    before = error.__traceback__
    retraced(error, maps)
    assert error.__traceback__ is before
    assert shown(error) == CLEAN_FAILED.format(file=flights)


def test_another_error_with_the_same_entries_stays_as_it_was(maps: dict[str, LineMap]) -> None:
    def main() -> object:
        return next(loaded(RUN)["run"]([5], None))

    error = failure_of(main)
    other = ValueError().with_traceback(error.__traceback__)
    retraced(error, maps)
    assert names_in(error) == ["main", "process"]
    assert names_in(other) == ["main", "run"]


# --- whatever goes wrong ------------------------------------------------------------------------


class Slotted(Exception):
    __slots__ = ()


class Stubborn(Exception):
    def with_traceback(self, tb: object) -> NoReturn:
        raise RuntimeError("not here")


class Secretive(Exception):
    @property
    def __traceback__(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError("not here")


class Inventive(Exception):
    @property
    def __context__(self) -> BaseException:  # type: ignore[override]
        return Inventive()

    __cause__ = __context__


class Incomparable(Exception):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> NoReturn:
        raise RuntimeError("not here")


class Unreadable(Exception):
    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError("not here")


ODD = [Slotted, Stubborn, Secretive, Inventive, Incomparable, Unreadable]
TRACEBACK = vars(BaseException)["__traceback__"]


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_exception(flights: Path, maps: dict[str, LineMap], kind: type[Exception]) -> None:
    raised = kind()
    route = loaded(FLIGHTS, flights)["Route"]()
    route.failure = raised
    with contextlib.suppress(kind):
        next(loaded(RUN)["run"]([Flight()], route))
    retraced(raised, maps)
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(TRACEBACK.__get__(raised))]
    assert names == [test_an_odd_exception.__name__, "process"]


def test_different_errors_that_call_themselves_equal(maps: dict[str, LineMap]) -> None:
    class Equal(Exception):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 0

    error, context = Equal(), Equal()
    error.__context__ = context.with_traceback(failure_of_run([5]).__traceback__)
    retraced(error, maps)
    assert names_in(context) == ["process"]


def test_an_exception_without_a_traceback(maps: dict[str, LineMap]) -> None:
    error = ValueError()
    retraced(error, maps)
    assert error.__traceback__ is None


WRONG_ORIGINS = {
    "it ends before it begins": Origin("flights.py", "process", 9, 3, 0, 0),
    "its columns are negative": Origin("flights.py", "process", 3, 3, -5, -2),
    "its file cannot be a name": Origin("a\0b", "process", 3, 3, 0, 5),
}


@pytest.mark.parametrize("wrong", WRONG_ORIGINS.values(), ids=WRONG_ORIGINS)
def test_a_wrong_origin_leaves_the_error_as_it_was(wrong: Origin) -> None:
    error = failure_of_run([5])
    before = error.__traceback__
    retraced(error, mapped({3: wrong}))
    assert error.__traceback__ is before


def test_a_wrong_origin_of_one_error_does_not_hinder_another(flights: Path) -> None:
    error = failure_of(loaded(RUN, "<wrong>")["run"]([5], None).__next__)
    error.__context__ = failure_of_run([5])
    wrong = mapped({3: WRONG_ORIGINS["it ends before it begins"]}, "<wrong>")
    retraced(error, wrong | mapped({3: origin(flights, "Clean.process", "data.delay")}))
    assert names_in(error) == ["run"]
    assert names_in(error.__context__) == ["process"]


def test_a_missing_source_file_shows_the_place_alone(
    flights: Path, maps: dict[str, LineMap]
) -> None:
    error = failure_of_run([5])
    flights.unlink()
    retraced(error, maps)
    assert shown(error) == (
        "Traceback (most recent call last):\n"
        f'  File "{flights}", line 3, in process\n'
        "AttributeError: 'int' object has no attribute 'delay'\n"
    )


@pytest.fixture
def cell() -> Iterator[str]:
    """A file that only linecache knows, as a notebook registers its cells."""
    name = "<cell 7>"
    linecache.cache[name] = (len(FLIGHTS), None, FLIGHTS.splitlines(keepends=True), name)
    yield name
    del linecache.cache[name]


def test_source_that_only_linecache_knows(flights: Path, cell: str) -> None:
    place = origin(flights, "Clean.process", "data.delay")
    columns = (place.column, place.end_column)
    error = failure_of_run([5])
    retraced(error, mapped({3: Origin(cell, "Clean.process", 3, 3, *columns)}))
    assert shown(error) == CLEAN_FAILED.format(file=cell)


def test_nothing_is_read_before_somebody_prints(flights: Path, maps: dict[str, LineMap]) -> None:
    linecache.checkcache()
    before = dict(linecache.cache)
    error = failure_of_run([5])
    retraced(error, maps)
    assert linecache.cache == before
    assert str(flights) not in linecache.cache


def test_an_error_is_freed_as_soon_as_nobody_holds_it(maps: dict[str, LineMap]) -> None:
    class Failed(Exception):
        pass

    def run() -> weakref.ref[BaseException]:
        try:
            try:
                next(loaded(RUN)["run"]([5], None))
            except AttributeError as cause:
                raise Failed from cause
        except Failed as error:
            retraced(error, maps)
            return weakref.ref(error)
        pytest.fail("the run has not failed")

    gc.collect()
    gc.disable()
    try:
        assert run()() is None
    finally:
        gc.enable()


def test_a_frame_of_a_users_line_holds_nothing(maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    assert error.__traceback__
    frame = error.__traceback__.tb_frame
    assert frame.f_back is None
    assert not frame.f_locals
    assert frame.f_lineno == frame.f_code.co_firstlineno == error.__traceback__.tb_lineno == 3
    assert set(frame.f_globals) <= {"__name__", "__builtins__"}
    traceback.clear_frames(error.__traceback__)


# --- whoever prints it --------------------------------------------------------------------------


def test_print_exc_and_locals(flights: Path, maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "".join(told.format()) == CLEAN_FAILED.format(file=flights)
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        try:
            raise error
        except AttributeError:
            traceback.print_exc()
    assert "".join(CLEAN_FAILED.format(file=flights).splitlines(keepends=True)[1:]) in (
        printed.getvalue()
    )


def test_logging(flights: Path, maps: dict[str, LineMap], caplog: pytest.LogCaptureFixture) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    logging.getLogger("flights").error("failed", exc_info=error)
    assert CLEAN_FAILED.format(file=flights) in caplog.text + "\n"
    assert GENERATED not in caplog.text


def test_rich(flights: Path, maps: dict[str, LineMap]) -> None:
    error = failure_of_run([5])
    retraced(error, maps)
    console = Console(file=io.StringIO(), width=300)
    trace = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, width=300
    )
    console.print(trace)
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO
    assert f"{flights}:3 in process" in printed
    assert "❱  3 │   │   late = data.delay or 0" in printed
    assert GENERATED not in printed


COMPILED = """\
from rivusio.artifacts.tracebacks import LineMap, Origin, retraced

maps = {{{file!r}: LineMap({file!r}, {{3: {origin!r}}})}}
exec(compile({text!r}, {file!r}, "exec"))


def first(items):
    try:
        return next(run(items, None))
    except AttributeError as error:
        retraced(error, maps)
        raise
"""


@pytest.fixture
def folder(flights: Path) -> Path:
    """Where the user's file and a program with the compiled pipeline stand."""
    place = origin(flights, "Clean.process", "data.delay")
    program = COMPILED.format(file=GENERATED, origin=place, text=RUN)
    written(flights.with_name("compiled.py"), program)
    return flights.parent


def test_an_error_that_ends_the_program(folder: Path) -> None:
    done = run_python(folder, "-c", "import compiled; compiled.first([5])")
    ending = CLEAN_FAILED.format(file=folder / "flights.py").split("\n", 1)[1]
    assert done.returncode == 1
    assert done.stderr.endswith(ending)
    assert GENERATED not in done.stderr


def test_an_interpreter_without_columns_shows_the_line(folder: Path) -> None:
    done = run_python(folder, "-X", "no_debug_ranges", "-c", "import compiled; compiled.first([5])")
    assert f'  File "{folder / "flights.py"}", line 3, in process\n' in done.stderr
    assert "    late = data.delay or 0\nAttributeError" in done.stderr
    assert GENERATED not in done.stderr


@pytest.mark.parametrize("style", ["long", "short", "line", "native"])
def test_pytest_shows_the_users_line(folder: Path, style: str) -> None:
    written(
        folder / "test_flights.py",
        "import compiled\n\n\ndef test_flights():\n    compiled.first([5])\n",
    )
    options = ["-p", "no:cacheprovider", f"--rootdir={folder}", "-l", f"--tb={style}"]
    done = run_python(folder, "-m", "pytest", *options, "test_flights.py")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert all(line in done.stdout for line in PYTEST_SHOWS[style]), done.stdout
    assert GENERATED not in done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr


PYTEST_SHOWS = {
    "long": [
        ">   late = data.delay or 0\n           ^^^^^^^^^^\nE   AttributeError: 'int' object",
        "flights.py:3: AttributeError",
    ],
    "short": ["flights.py:3: in process\n    late = data.delay or 0\n"],
    "line": ["flights.py:3: AttributeError: 'int' object has no attribute 'delay'"],
    "native": ['flights.py", line 3, in process\n    late = data.delay or 0\n'],
}
