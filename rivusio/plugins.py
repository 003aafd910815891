"""Sources and sinks by name, so that a program can choose them at run time.

A source is a class whose instances are iterable (or async iterable); a sink is a class with a
`write` method (or a coroutine function `write`).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from typing import ClassVar, Literal, Self

Kind = Literal["async_source", "async_sink", "sync_source", "sync_sink"]


def _is_async_sink(plugin: type) -> bool:
    return inspect.iscoroutinefunction(getattr(plugin, "write", None))


def _is_sync_sink(plugin: type) -> bool:
    return callable(getattr(plugin, "write", None)) and not _is_async_sink(plugin)


# What a class must be, in words and as a test.
_RULES: dict[Kind, tuple[str, Callable[[type], bool]]] = {
    "async_source": ("async iterable", lambda plugin: issubclass(plugin, AsyncIterable)),
    "async_sink": ("a class with `async def write`", _is_async_sink),
    "sync_source": ("iterable", lambda plugin: issubclass(plugin, Iterable)),
    "sync_sink": ("a class with a plain `write`", _is_sync_sink),
}


class PluginRegistry:
    """The one registry of the process: every call gives the same object."""

    _instance: ClassVar[PluginRegistry | None] = None
    _plugins: dict[Kind, dict[str, type]]

    def __new__(cls) -> Self:
        """Give the one registry."""
        if cls._instance is None:
            registry = super().__new__(cls)
            registry._plugins = {kind: {} for kind in _RULES}
            cls._instance = registry
        return cls._instance  # type: ignore[return-value]  # made by this very class

    def _register(self, kind: Kind, name: str, plugin: object) -> None:
        wanted, fits = _RULES[kind]
        if not isinstance(plugin, type) or not fits(plugin):
            message = f"{name!r} cannot be an {_words(kind)}: {plugin!r} is not {wanted}"
            raise TypeError(message)
        if name in self._plugins[kind]:
            message = f"{name!r} is already registered as an {_words(kind)}"
            raise ValueError(message)
        self._plugins[kind][name] = plugin

    def _get(self, kind: Kind, name: str) -> type:
        try:
            return self._plugins[kind][name]
        except KeyError:
            known = ", ".join(map(repr, self._plugins[kind])) or "none"
            message = f"no {_words(kind)} is registered as {name!r}; known: {known}"
            raise KeyError(message) from None

    def register_async_source(self, name: str, plugin: type) -> None:
        """Register an async source.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        self._register("async_source", name, plugin)

    def get_async_source(self, name: str) -> type:
        """Give the async source of that name. Raises `KeyError`."""
        return self._get("async_source", name)

    def list_async_sources(self) -> list[str]:
        """Give the names of the async sources, in the order of registration."""
        return list(self._plugins["async_source"])

    def register_async_sink(self, name: str, plugin: type) -> None:
        """Register an async sink.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        self._register("async_sink", name, plugin)

    def get_async_sink(self, name: str) -> type:
        """Give the async sink of that name. Raises `KeyError`."""
        return self._get("async_sink", name)

    def list_async_sinks(self) -> list[str]:
        """Give the names of the async sinks, in the order of registration."""
        return list(self._plugins["async_sink"])

    def register_sync_source(self, name: str, plugin: type) -> None:
        """Register a sync source.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        self._register("sync_source", name, plugin)

    def get_sync_source(self, name: str) -> type:
        """Give the sync source of that name. Raises `KeyError`."""
        return self._get("sync_source", name)

    def list_sync_sources(self) -> list[str]:
        """Give the names of the sync sources, in the order of registration."""
        return list(self._plugins["sync_source"])

    def register_sync_sink(self, name: str, plugin: type) -> None:
        """Register a sync sink.

        Raises:
            TypeError: for a class that is none.
            ValueError: for a name that is taken.
        """
        self._register("sync_sink", name, plugin)

    def get_sync_sink(self, name: str) -> type:
        """Give the sync sink of that name. Raises `KeyError`."""
        return self._get("sync_sink", name)

    def list_sync_sinks(self) -> list[str]:
        """Give the names of the sync sinks, in the order of registration."""
        return list(self._plugins["sync_sink"])

    def get_registered_plugins(self) -> dict[str, dict[str, type]]:
        """Give all that is registered: by kind (`"async_sources"`, …), then by name."""
        return {f"{kind}s": dict(plugins) for kind, plugins in self._plugins.items()}

    def clear(self) -> None:
        """Forget everything: for tests."""
        for plugins in self._plugins.values():
            plugins.clear()


def _words(kind: Kind) -> str:
    return kind.replace("_", " ")


def _register(kind: Kind, name: str, plugin: type | None) -> Callable[[type], type]:
    """Register at once, or as a class decorator: `@register_async_source("kafka")`."""

    def register(plugin: type) -> type:
        PluginRegistry()._register(kind, name, plugin)
        return plugin

    if plugin is not None:
        register(plugin)
    return register


def register_async_source(name: str, plugin: type | None = None) -> Callable[[type], type]:
    """Do what `PluginRegistry.register_async_source` does; without `plugin`, as a decorator."""
    return _register("async_source", name, plugin)


def register_async_sink(name: str, plugin: type | None = None) -> Callable[[type], type]:
    """Do what `PluginRegistry.register_async_sink` does; without `plugin`, as a decorator."""
    return _register("async_sink", name, plugin)


def register_sync_source(name: str, plugin: type | None = None) -> Callable[[type], type]:
    """Do what `PluginRegistry.register_sync_source` does; without `plugin`, as a decorator."""
    return _register("sync_source", name, plugin)


def register_sync_sink(name: str, plugin: type | None = None) -> Callable[[type], type]:
    """Do what `PluginRegistry.register_sync_sink` does; without `plugin`, as a decorator."""
    return _register("sync_sink", name, plugin)
