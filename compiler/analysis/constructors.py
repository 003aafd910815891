"""What a pipe's constructor is given: its settings, wherever they are written.

Mean(100, config=SETTINGS)                       `config` is SETTINGS
class Mean(BatchStreamPipe[int, float]):
    def __init__(self, size: int, **more) -> None:
        super().__init__(size, **more)           so it is here: it passes on what it is given
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from mypy import nodes
from mypy.nodes import ArgKind

from rivusio.compiler.analysis.project import Project
from rivusio.compiler.analysis.settings import Undetermined
from rivusio.compiler.known_names import STREAM_PIPE

PASSED = ("config", "linger")


@dataclass(frozen=True)
class Given:
    """The arguments that decide the shape; None for one that is left out."""

    config: nodes.Expression | None = None
    linger: nodes.Expression | None = None


def given(call: nodes.CallExpr, info: nodes.TypeInfo, project: Project) -> Given:
    """Say what rivusio's own constructor gets in the end.

    Raises:
        Undetermined: when a constructor of the user's decides that.
    """
    arguments = _arguments(call)
    for base in info.mro:
        if base.module_name.partition(".")[0] == "rivusio":
            break
        if "__init__" in base.names:
            arguments = _passed_on(base, arguments, project)
    else:
        base = info
    if base.fullname == STREAM_PIPE and 0 in arguments:
        arguments["config"] = arguments[0]
    return Given(_known(arguments.get("config")), _known(arguments.get("linger")))


# By name, or by place; what a constructor of the user's makes by itself is a reason to be unsure.
_Arguments = dict[str | int, nodes.Expression | Undetermined]


def _known(value: nodes.Expression | Undetermined | None) -> nodes.Expression | None:
    if isinstance(value, Undetermined):
        raise value
    return value


def _arguments(call: nodes.CallExpr) -> _Arguments:
    arguments: _Arguments = {}
    triples = zip(call.arg_kinds, call.arg_names, call.args, strict=True)
    for index, (kind, name, value) in enumerate(triples):
        if kind is ArgKind.ARG_POS:
            arguments[index] = value
        elif kind is ArgKind.ARG_NAMED and name is not None:
            arguments[name] = value
        else:
            raise Undetermined("what it is made with is not written here")
    return arguments


def _passed_on(info: nodes.TypeInfo, arguments: _Arguments, project: Project) -> _Arguments:
    """Say what the next constructor gets of what this one was given."""
    try:
        init = project.init_of(info)
    except LookupError:
        raise Undetermined(f"the constructor of {info.name} is not written here") from None
    if init is None:
        return {}  # made by a decorator such as `@dataclass`: it knows nothing of rivusio's
    passed: _Arguments = {}
    for name, value in _settings(init):
        its = _one_of(init, value, arguments)
        if its is not None:
            passed[name] = its
        elif not (_has_default_none(init, value) or _is_none(value)):
            what = name if isinstance(name, str) else "config"
            passed[name] = Undetermined(f"its {what} is set in the constructor of {info.name}")
    if (more := _passes_keywords(init)) is not None:
        own = {each.arg for each in (*init.args.args, *init.args.kwonlyargs)}
        passed |= {
            name: value
            for name, value in arguments.items()
            if isinstance(name, str) and name not in own
        }
        if not more:
            raise Undetermined(f"what it is made with is decided in the constructor of {info.name}")
    return passed


def _calls(init: ast.FunctionDef) -> Iterator[ast.Call]:
    for node in ast.walk(init):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "__init__"
        ):
            yield node


def _settings(init: ast.FunctionDef) -> Iterator[tuple[str | int, ast.expr]]:
    """Give what a constructor passes on that may be a setting."""
    for call in _calls(init):
        yield from ((each.arg, each.value) for each in call.keywords if each.arg in PASSED)
        through_super = isinstance(call.func, ast.Attribute) and isinstance(
            call.func.value, ast.Call
        )
        yield from enumerate(call.args if through_super else call.args[1:])
    for node in ast.walk(init):
        match node:
            case ast.Assign(targets=[ast.Attribute(attr="linger")], value=value):
                yield "linger", value


def _one_of(
    init: ast.FunctionDef, value: ast.expr, arguments: _Arguments
) -> nodes.Expression | Undetermined | None:
    """Give the argument that a parameter has got, if `value` is nothing but a parameter."""
    if not isinstance(value, ast.Name):
        return None
    places = [each.arg for each in (*init.args.posonlyargs, *init.args.args)][1:]
    if value.id in arguments:
        return arguments[value.id]
    return arguments.get(places.index(value.id)) if value.id in places else None


def _has_default_none(init: ast.FunctionDef, value: ast.expr) -> bool:
    """Tell whether `value` is a parameter that is None unless it is given."""
    if not isinstance(value, ast.Name):
        return False
    given = init.args
    places = [*given.posonlyargs, *given.args]
    filled: list[ast.expr | None] = [None] * (len(places) - len(given.defaults))
    pairs = [
        *zip(places, [*filled, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return any(
        each.arg == value.id and default is not None and _is_none(default)
        for each, default in pairs
    )


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _passes_keywords(init: ast.FunctionDef) -> bool | None:
    """Tell whether `**more` is passed on as it came; None if nothing of the kind is."""
    own = None if init.args.kwarg is None else init.args.kwarg.arg
    found = [each for call in _calls(init) for each in call.keywords if each.arg is None]
    if not found:
        return None
    return all(isinstance(each.value, ast.Name) and each.value.id == own for each in found)
