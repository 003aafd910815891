"""Renders a module: from a plan to its finished text and its source map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rivusio.artifacts.program import Holding, Place, Statement
from rivusio.compiler.backends.python.format import format_texts, tidy
from rivusio.compiler.backends.python.function_records import ModuleText
from rivusio.compiler.backends.python.lower import lower
from rivusio.compiler.backends.python.names import (
    FROM_ABC,
    FROM_COLLECTIONS,
    FROM_RUNTIME,
    FROM_TYPING,
)
from rivusio.compiler.backends.python.source_map import Marked, map_lines, read_marks
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Module
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.ir.stage_info import StageInfo
from rivusio.compiler.known_names import RUNTIME


@dataclass(frozen=True, slots=True)
class GeneratedModule:
    """A generated module.

    Attributes:
        text: what is in it.
        places: what happens at its lines.
        origins: which of its lines are statements of the user's.
        holdings: for each function, the locals that hold items.
        modules: the user's modules that it reads, by the names it has for them: the index of a
            stage whose function is written there.
        inlined: the stages whose bodies stand in it.
    """

    text: str
    places: Mapping[int, Place]
    origins: Mapping[int, Statement]
    holdings: Mapping[str, tuple[Holding, ...]]
    modules: Mapping[str, int]
    inlined: frozenset[int]


@dataclass(frozen=True, slots=True)
class Refused:
    """A module that cannot be, and why: Python's own parser has limits."""

    reason: str


def render_modules(plans: Sequence[Plan], version: str) -> list[GeneratedModule | Refused]:
    """Write the modules of plans.

    Raises:
        FormatError: when the formatter refuses one: a fault of the compiler's.
    """
    written = [_render_unformatted(plan, version) for plan in plans]
    texts = [each.text for each in written if not isinstance(each, Refused)]
    tidied = [read_marks(text) for text in tidy(texts)]
    formatted = format_texts([plain for plain, _ in tidied])
    lines = [map_lines(text, marks) for text, (_, marks) in zip(formatted, tidied, strict=True)]
    finished = zip(formatted, lines, strict=True)
    return [
        each if isinstance(each, Refused) else _finish(each.module, *next(finished))
        for each in written
    ]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A module as the templates have it, with its marks."""

    module: Module
    text: str


def _render_unformatted(plan: Plan, version: str) -> _Rendered | Refused:
    try:
        module = lower(plan)
        text = _render(plan, module, version)
        compile(text, "<generated>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Refused(error.msg)
    except (RecursionError, MemoryError):
        return Refused("it is too deep")
    return _Rendered(module, text)


def _render(plan: Plan, module: Module, version: str) -> str:
    used = "\n".join(module.functions)
    types = {
        name: alias
        for stage in _stages(plan)
        for name, alias in [*stage.takes.modules, *stage.gives.modules]
    }
    read = {name: alias for name, (alias, _) in module.modules.items()}
    modules = {alias: name for name, alias in {**types, **read}.items()}
    return render(
        ModuleText(
            doc=_doc(plan, version),
            imports=tuple(_imports(used, checks_types=bool(modules))),
            type_imports=tuple(
                f"import {name} as {alias}" for alias, name in sorted(modules.items())
            ),
            functions=tuple(module.functions),
        )
    )


def _finish(module: Module, text: str, lines: Mapping[int, Marked]) -> GeneratedModule:
    return GeneratedModule(
        text,
        {line: each.place for line, each in lines.items()},
        {line: each.origin for line, each in lines.items() if each.origin is not None},
        {name: tuple(held) for name, held in module.holdings.items()},
        dict(module.modules.values()),
        frozenset(module.inlined),
    )


def _stages(plan: Plan) -> tuple[StageInfo, ...]:
    return tuple({op.of.index: op.of for op in plan.ops}.values())


def _doc(plan: Plan, version: str) -> str:
    return f"{plan.name}, compiled by rivusio {version}; changes here are lost."


def _imports(text: str, *, checks_types: bool) -> list[str]:
    words = set(re.findall(r"\b\w+\b", text))
    if checks_types:
        words.add("TYPE_CHECKING")
    lines = []
    for module, names in (
        ("collections", FROM_COLLECTIONS),
        ("collections.abc", FROM_ABC),
        ("typing", FROM_TYPING),
        (RUNTIME, FROM_RUNTIME),
    ):
        used = [name for name in names if name in words]
        if used:
            lines.append(f"from {module} import {', '.join(used)}")
    return lines
