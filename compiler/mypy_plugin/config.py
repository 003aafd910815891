"""`rivusio-config`: literal arguments that the constructor would refuse when the program runs.

What the constructor says of it is the reason, in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface, FunctionSigContext, MethodSigContext

from rivusio.compiler.known_names import BASE_PIPE
from rivusio.compiler.mypy_plugin import reporting
from rivusio.compiler.mypy_plugin.argument_rules import FUNCTIONS, METHODS, PIPES, Rules
from rivusio.compiler.mypy_plugin.literals import NotLiteral, value_of
from rivusio.compiler.typecheck import stage_types, type_predicates

Context = FunctionSigContext | MethodSigContext


# What pydantic says of a value that has the right type: of another type mypy speaks itself.
KINDS = {
    "enum",
    "finite_number",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "literal_error",
}


def rules_of(fullname: str, info: nodes.TypeInfo | None) -> Rules | None:
    """Say what looks at the arguments of a function, or of a class whose `__init__` is ours."""
    if info is None or fullname in FUNCTIONS:
        return FUNCTIONS.get(fullname)
    init = info.get("__init__")
    if init is None or init.node is None or not info.has_base(BASE_PIPE):
        return None
    return PIPES.get(init.node.fullname.removesuffix(".__init__"))


def call(context: Context, name: str, rules: Rules) -> types.CallableType:
    """Called for a call that may have literal arguments, before mypy looks at them.

    mypy says nothing of the arguments that are refused.
    """
    refused = dict(_refused(context, rules))
    if not refused:
        return context.default_signature
    for where, message in refused.values():
        note = "the program raises when it gets here"
        reporting.report(context.api, where, f'"{name}" {message}', note, reporting.CONFIG)
    taken = [
        type_predicates.ANY if index in refused else its
        for index, its in enumerate(context.default_signature.arg_types)
    ]
    return context.default_signature.copy_modified(arg_types=taken)


def _refused(context: Context, rules: Rules) -> Iterator[tuple[int, tuple[nodes.Expression, str]]]:
    names = context.default_signature.arg_names
    for index, (field, given) in enumerate(zip(names, context.args, strict=True)):
        if field is None or len(given) != 1:
            continue
        try:
            value = value_of(given[0])
        except NotLiteral:
            continue
        why = _why_not(rules, field, value)
        if why is not None:
            yield index, (given[0], f"refuses {field}={_shown(value)}: {why}")


def _why_not(rules: Rules, field: str, value: object) -> str | None:
    rule = rules(field)
    if rule is None:
        return None
    try:
        rule(value)
    except ValueError as error:
        kinds = getattr(error, "errors", None)  # pydantic's have some
        if kinds is None:
            return str(error).partition(", got ")[0]
        told = (str(each["msg"]) for each in kinds() if each["type"] in KINDS)
        return next((f"{each[:1].lower()}{each[1:]}" for each in told), None)
    except TypeError:
        return None  # mypy says so itself
    return None


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return f"timedelta(seconds={value.total_seconds():g})"
    return repr(value).replace('"', "'")


def concurrent(context: MethodSigContext) -> types.FunctionLike:
    """Called for `pipe.concurrent(...)`: the two families differ in what threads mean to them."""
    match stage_types.meaning_of(context.type):
        case (stage_types.Pipe(family=family, info=info),):
            pass
        case _:
            return context.default_signature
    threads = _argument(context, "threads", default=False)
    if family == "sync" and threads is False:
        message = f'"{info.name}" is sync: only threads let it do several items at once'
        _say(context.api, context.context, message, "say threads=True")
    elif family == "async" and threads is True:
        message = f'"{info.name}" is async: it needs no threads'
        _say(context.api, context.context, message, "leave threads=True out")
    return call(context, "concurrent", METHODS["concurrent"])


def _say(api: CheckerPluginInterface, where: nodes.Context, message: str, note: str) -> None:
    reporting.report(api, where, message, note, reporting.CONFIG)


def _argument(context: MethodSigContext, name: str, *, default: object) -> object:
    """Give the value of an argument; None if the text does not tell."""
    names = context.default_signature.arg_names
    given = context.args[names.index(name)] if name in names else []
    if not given:
        return default
    try:
        return value_of(given[0])
    except NotLiteral:
        return None
