"""Sources and sinks by name, so that a program can choose them at run time.

    @register_async_source("kafka")
    class KafkaSource(AsyncBasePipe[str, bytes]): ...

    Source = PluginRegistry().get_async_source("kafka")

A plugin is a class of pipes of the family that its kind names. A source may instead be a class
whose instances can be iterated, and a sink one with a method `write`.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, ClassVar, Literal, Self, TypeVar

from rivusio.pipes.base import AsyncFamily, SyncFamily
from rivusio.safe_repr import repr_of

Kind = Literal["async_source", "async_sink", "sync_source", "sync_sink"]
Plugin = TypeVar("Plugin", bound=type)


def _is_async_source(plugin: type) -> bool:
    return issubclass(plugin, (AsyncFamily, AsyncIterable))


def _is_sync_source(plugin: type) -> bool:
    return issubclass(plugin, (SyncFamily, Iterable))


def _is_async_sink(plugin: type) -> bool:
    return issubclass(plugin, AsyncFamily) or inspect.iscoroutinefunction(_write_of(plugin))


def _is_sync_sink(plugin: type) -> bool:
    write = _write_of(plugin)
    writes_at_once = callable(write) and not inspect.iscoroutinefunction(write)
    return issubclass(plugin, SyncFamily) or writes_at_once


def _write_of(plugin: type) -> object:
    return getattr(plugin, "write", None)


# What a class must be, in words and as a test.
_RULES: dict[Kind, tuple[str, Callable[[type], bool]]] = {
    "async_source": ("a class of async pipes or of async iterables", _is_async_source),
    "async_sink": ("a class of async pipes or one with `async def write`", _is_async_sink),
    "sync_source": ("a class of sync pipes or of iterables", _is_sync_source),
    "sync_sink": ("a class of sync pipes or one with a plain `def write`", _is_sync_sink),
}


# Large: three methods for each of four kinds, which are public names since 0.2.
class PluginRegistry:
    """The one registry of the process: every call gives the same object."""

    _instance: ClassVar[PluginRegistry | None] = None
    _plugins: dict[Kind, dict[str, type[Any]]]

    def __new__(cls) -> Self:
        """Give the one registry."""
        if cls._instance is None:
            registry = super().__new__(cls)
            registry._plugins = {kind: {} for kind in _RULES}
            cls._instance = registry
        return cls._instance  # type: ignore[return-value]  # made by this very class

    def register_async_source(self, name: str) -> Callable[[Plugin], Plugin]:
        """Register an async source: the decorator of a class.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        return self._decorator("async_source", name)

    def get_async_source(self, name: str) -> type[Any]:
        """Give the async source of that name. Raises `KeyError`."""
        return self._get("async_source", name)

    def list_async_sources(self) -> dict[str, type[Any]]:
        """Give the async sources by name, in the order of registration."""
        return dict(self._plugins["async_source"])

    def register_async_sink(self, name: str) -> Callable[[Plugin], Plugin]:
        """Register an async sink: the decorator of a class.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        return self._decorator("async_sink", name)

    def get_async_sink(self, name: str) -> type[Any]:
        """Give the async sink of that name. Raises `KeyError`."""
        return self._get("async_sink", name)

    def list_async_sinks(self) -> dict[str, type[Any]]:
        """Give the async sinks by name, in the order of registration."""
        return dict(self._plugins["async_sink"])

    def register_sync_source(self, name: str) -> Callable[[Plugin], Plugin]:
        """Register a sync source: the decorator of a class.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        return self._decorator("sync_source", name)

    def get_sync_source(self, name: str) -> type[Any]:
        """Give the sync source of that name. Raises `KeyError`."""
        return self._get("sync_source", name)

    def list_sync_sources(self) -> dict[str, type[Any]]:
        """Give the sync sources by name, in the order of registration."""
        return dict(self._plugins["sync_source"])

    def register_sync_sink(self, name: str) -> Callable[[Plugin], Plugin]:
        """Register a sync sink: the decorator of a class.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        return self._decorator("sync_sink", name)

    def get_sync_sink(self, name: str) -> type[Any]:
        """Give the sync sink of that name. Raises `KeyError`."""
        return self._get("sync_sink", name)

    def list_sync_sinks(self) -> dict[str, type[Any]]:
        """Give the sync sinks by name, in the order of registration."""
        return dict(self._plugins["sync_sink"])

    def get_registered_plugins(self) -> dict[str, dict[str, type[Any]]]:
        """Give all that is registered: by kind (`"async_sources"`, …), then by name."""
        return {f"{kind}s": dict(plugins) for kind, plugins in self._plugins.items()}

    def clear(self) -> None:
        """Forget everything: for tests."""
        for plugins in self._plugins.values():
            plugins.clear()

    def _decorator(self, kind: Kind, name: str) -> Callable[[Plugin], Plugin]:
        given: object = name
        if not isinstance(given, str):
            message = (
                f"{_a(kind)} is registered under a name, a string, but got {repr_of(given)}; "
                f'did you mean @register_{kind}("...")?'
            )
            raise TypeError(message)

        def register(plugin: Plugin) -> Plugin:
            self._register(kind, name, plugin)
            return plugin

        return register

    def _register(self, kind: Kind, name: str, plugin: object) -> None:
        wanted, fits = _RULES[kind]
        if not isinstance(plugin, type) or not fits(plugin):
            message = f"{name!r} cannot be {_a(kind)}: {repr_of(plugin)} is not {wanted}"
            raise TypeError(message)
        if name in self._plugins[kind]:
            taken = self._plugins[kind][name]
            message = f"{name!r} is already registered as {_a(kind)}: {repr_of(taken)}"
            raise ValueError(message)
        self._plugins[kind][name] = plugin

    def _get(self, kind: Kind, name: str) -> type[Any]:
        try:
            return self._plugins[kind][name]
        except KeyError:
            known = ", ".join(map(repr, self._plugins[kind])) or "none"
            message = f"no {_words(kind)} is registered as {name!r}; known: {known}"
            raise KeyError(message) from None


def _words(kind: Kind) -> str:
    return kind.replace("_", " ")


def _a(kind: Kind) -> str:
    return f"{'an' if kind.startswith('async') else 'a'} {_words(kind)}"


_registry = PluginRegistry()

register_async_source = _registry.register_async_source
register_async_sink = _registry.register_async_sink
register_sync_source = _registry.register_sync_source
register_sync_sink = _registry.register_sync_sink
