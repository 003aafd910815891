"""Private names of a class, as Python writes them out."""

from __future__ import annotations

import ast
from typing import TypeVar

from rivusio.compiler.inlining.eligibility import Function

AnyFunction = TypeVar("AnyFunction", bound=Function)


def mangle(function: AnyFunction, class_name: str | None) -> AnyFunction:
    """Write out the private names of a function, as Python does in a class; it is changed."""
    owner = (class_name or "").lstrip("_")
    if owner:
        for node in ast.walk(function):
            match node:
                case ast.Name(id=name) if _is_private(name):
                    node.id = f"_{owner}{name}"
                case ast.Attribute(attr=name) if _is_private(name):
                    node.attr = f"_{owner}{name}"
                case ast.arg(arg=name) if _is_private(name):
                    node.arg = f"_{owner}{name}"
                case ast.MatchMapping(rest=str(name)) if _is_private(name):
                    node.rest = f"_{owner}{name}"
                case ast.ExceptHandler(name=str(name)) if _is_private(name):
                    node.name = f"_{owner}{name}"
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) if _is_private(
                    name
                ):
                    node.name = f"_{owner}{name}"
    return function


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")
