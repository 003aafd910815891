"""The registry of sources and sinks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from rivusio import (
    AsyncBasePipe,
    PluginRegistry,
    SyncBasePipe,
    register_async_sink,
    register_async_source,
    register_sync_sink,
    register_sync_source,
)


class AsyncPlugin(AsyncBasePipe[str, str]):
    async def process(self, data: str) -> str:
        return data


class SyncPlugin(SyncBasePipe[str, str]):
    def process(self, data: str) -> str:
        return data


class AsyncItems:
    async def __aiter__(self) -> AsyncIterator[int]:
        yield 1


class Items:
    def __iter__(self) -> Iterator[int]:
        return iter([1])


class AsyncWriter:
    async def write(self, item: object) -> None: ...


class Writer:
    def write(self, item: object) -> None: ...


Register = Callable[[str], Callable[[type], type]]
KINDS = ("async_source", "async_sink", "sync_source", "sync_sink")
PLUGIN = {
    "async_source": AsyncPlugin,
    "async_sink": AsyncPlugin,
    "sync_source": SyncPlugin,
    "sync_sink": SyncPlugin,
}


@pytest.fixture
def registry() -> Iterator[PluginRegistry]:
    """The one registry, as empty afterwards as before."""
    registry = PluginRegistry()
    registry.clear()
    yield registry
    registry.clear()


def registering(registry: PluginRegistry, kind: str) -> Register:
    register: Register = getattr(registry, f"register_{kind}")
    return register


def getting(registry: PluginRegistry, kind: str) -> Callable[[str], type]:
    get: Callable[[str], type] = getattr(registry, f"get_{kind}")
    return get


def listing(registry: PluginRegistry, kind: str) -> Callable[[], dict[str, type]]:
    every: Callable[[], dict[str, type]] = getattr(registry, f"list_{kind}s")
    return every


def test_there_is_one_registry() -> None:
    assert PluginRegistry() is PluginRegistry()


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_is_found_by_its_name(registry: PluginRegistry, kind: str) -> None:
    registering(registry, kind)("mine")(PLUGIN[kind])
    assert getting(registry, kind)("mine") is PLUGIN[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugins_of_a_kind_are_listed_by_name(registry: PluginRegistry, kind: str) -> None:
    registering(registry, kind)("b")(PLUGIN[kind])
    registering(registry, kind)("a")(PLUGIN[kind])
    assert list(listing(registry, kind)().items()) == [("b", PLUGIN[kind]), ("a", PLUGIN[kind])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_the_callers_own(registry: PluginRegistry, kind: str) -> None:
    listing(registry, kind)()["intruder"] = int
    assert listing(registry, kind)() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_taken_name_is_refused(registry: PluginRegistry, kind: str) -> None:
    registering(registry, kind)("mine")(PLUGIN[kind])
    with pytest.raises(ValueError, match=r"'mine' is already registered as an? "):
        registering(registry, kind)("mine")(PLUGIN[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_refused_with_the_known_ones(
    registry: PluginRegistry, kind: str
) -> None:
    registering(registry, kind)("mine")(PLUGIN[kind])
    with pytest.raises(KeyError, match="'yours'; known: 'mine'"):
        getting(registry, kind)("yours")


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_of_the_wrong_kind_is_refused(registry: PluginRegistry, kind: str) -> None:
    other = SyncPlugin if kind.startswith("async") else AsyncPlugin
    with pytest.raises(TypeError, match=r"'mine' cannot be an? .* is not a class of"):
        registering(registry, kind)("mine")(other)


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_is_refused(registry: PluginRegistry, kind: str) -> None:
    with pytest.raises(TypeError, match="cannot be"):
        registering(registry, kind)("mine")(object())  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("kind", KINDS)
def test_a_decorator_without_a_name_is_refused(registry: PluginRegistry, kind: str) -> None:
    with pytest.raises(TypeError, match=f"did you mean @register_{kind}"):
        registering(registry, kind)(PLUGIN[kind])  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(
    ("kind", "plugin"),
    [
        ("async_source", AsyncItems),
        ("async_sink", AsyncWriter),
        ("sync_source", Items),
        ("sync_sink", Writer),
    ],
)
def test_a_plugin_need_not_be_a_pipe(registry: PluginRegistry, kind: str, plugin: type) -> None:
    assert registering(registry, kind)("mine")(plugin) is plugin


def test_all_plugins_are_given_by_kind_and_name(registry: PluginRegistry) -> None:
    registry.register_async_source("mine")(AsyncPlugin)
    assert registry.get_registered_plugins() == {
        "async_sources": {"mine": AsyncPlugin},
        "async_sinks": {},
        "sync_sources": {},
        "sync_sinks": {},
    }


@pytest.mark.parametrize(
    ("register", "kind"),
    [
        (register_async_source, "async_source"),
        (register_async_sink, "async_sink"),
        (register_sync_source, "sync_source"),
        (register_sync_sink, "sync_sink"),
    ],
)
def test_the_functions_use_the_one_registry(
    registry: PluginRegistry, register: Register, kind: str
) -> None:
    register("mine")(PLUGIN[kind])
    assert getting(registry, kind)("mine") is PLUGIN[kind]


def test_a_decorated_class_stays_what_it_is(registry: PluginRegistry) -> None:
    @register_sync_source("mine")
    class Mine(SyncPlugin):
        pass

    assert Mine().process("as it was") == "as it was"
