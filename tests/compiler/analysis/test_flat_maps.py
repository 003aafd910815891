"""What a coroutine function of a flat-map gives is awaited, whatever mypy knows of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import rivusio
from rivusio.cli import main

NAME = "flat_maps"
TEXT = """from __future__ import annotations
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any
from rivusio import AsyncFlatMapPipe, StreamConfig, flat_map, map

class Given(AsyncFlatMapPipe[int, Any]):
    def handle_error(self, error: Exception, item: int) -> list[Any]:
        return [str(error)]

def later(function: Callable[[Any, int], Awaitable[list[int]]]) -> Any:
    @wraps(function)
    async def inner(self: Any, item: int) -> list[int]:
        return await function(self, item)
    return inner

async def listed(item: int) -> list[int]:
    return [item, item + 1]
async def counted(by: int, item: int) -> list[int]:
    await asyncio.sleep(0)
    return [by, item]
async def made(item: int) -> AsyncIterator[int]:
    yield item
class Client:
    async def __call__(self, item: int) -> list[int]:
        return [item]
    async def ask(self, item: int) -> tuple[int, ...]:
        await asyncio.sleep(0)
        return (item, 0)
    @staticmethod
    async def at_once(item: int) -> set[int]:
        return {item}
    @classmethod
    async def of_class(cls, item: int) -> frozenset[int]:
        return frozenset({item})
client = Client()
"""
ANNOTATED = {
    "list[int]": "[item, item]",
    "tuple[int, ...]": "(item, item)",
    "tuple[int, int]": "(item, item)",
    "Sequence[int]": "[item]",
    "Iterable[int]": "iter([item])",
    "set[int]": "{item}",
    "dict[str, int]": '{"a": item}',
    "str": '"ab"',
    "bytes": 'b"ab"',
    "range": "range(item)",
    "list[int] | tuple[()]": "[item] if item > 1 else ()",
    "Any": "[item]",
    "Iterable[int] | None": "[item]",
    "AsyncIterator[int]": "made(item)",
}
CALLED = (
    *("listed", "made", "client", "client.ask", "Client.at_once", "client.of_class"),
    *("partial(counted, 3)", "partial(listed)"),
)


def text() -> str:
    lines = [TEXT]
    for index, (its, given) in enumerate(ANNOTATED.items()):
        for waits in ("pass", "await asyncio.sleep(0)"):
            name = f"C{index}{'w' if waits != 'pass' else ''}"
            lines += [
                f"class {name}(AsyncFlatMapPipe[int, Any]):",
                f"    async def expand(self, item: int) -> {its}:  # type: ignore[override]",
                f"        {waits}",
                f"        return {given}",
                f"pipe_{name} = {name}()",
                f"chain_{name}: Any = map(abs) >> {name}() >> map(str)",
            ]
    lines += [
        "class Later(AsyncFlatMapPipe[int, int]):",
        "    @later",
        "    async def expand(self, item: int) -> list[int]:",
        "        return [item]",
        "class Plain(AsyncFlatMapPipe[int, int]):",
        "    def expand(self, item: int) -> Awaitable[list[int]]:",
        "        return listed(item)",
        "class Fails(Given):",
        "    async def expand(self, item: int) -> list[Any]:",
        "        return [1 // (item - 1)]",
        "decorated: Any = map(abs) >> Later()",
        "plain: Any = map(abs) >> Plain()",
        "fails: Any = map(abs) >> Fails()",
    ]
    for index, called in enumerate(CALLED):
        lines.append(f"called_{index}: Any = map(abs) >> flat_map({called})")
        tried = "with_config(StreamConfig(retry_attempts=2))"
        lines.append(f"tried_{index}: Any = map(abs) >> flat_map({called}).{tried}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    path = tmp_path_factory.mktemp(NAME) / f"{NAME}.py"
    path.write_text(text(), encoding="utf-8")
    done = CliRunner().invoke(main, ["compile", str(path)])
    assert done.exit_code == 0, done.output
    spec = spec_from_file_location(NAME, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[NAME] = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop(NAME)


PREFIXES = ("pipe_", "chain_", "called_", "tried_", "decorated", "plain", "fails")


async def test_every_coroutine_is_awaited(flow: ModuleType) -> None:
    names = [name for name in vars(flow) if name.startswith(PREFIXES)]
    assert len(names) == 4 * len(ANNOTATED) + 2 * len(CALLED) + 3
    for name in names:
        chain: Any = getattr(flow, name)
        with rivusio.mode("interpreted"):
            expected = [each async for each in chain.stream([1, 2])]
        with rivusio.mode("compiled"):
            assert [each async for each in chain.stream([1, 2])] == expected, name
        assert expected, name


def test_a_true_coroutine_function_is_awaited_without_a_look(flow: ModuleType) -> None:
    done = CliRunner().invoke(main, ["explain", str(flow.__file__), "--output", "json"])
    assert done.output.count('"how": "awaited"') > len(ANNOTATED)
