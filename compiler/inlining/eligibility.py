"""What may not stand in a body that is written into a loop: what it would see, keep or change.

A body runs there without a frame of its own. So nothing in it may look at frames, outlive the
loop's turn, or end the loop: each of these is a `RefusalError`, with the user's line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

LONGEST = 30  # statements
MOST_BLOCKS = 8  # in each other: Python takes 20, and a loop has some of its own
DEEPEST = 100  # parts of expressions and statements in each other
HARMLESS = {"pipe", "override", "final"}  # decorators that leave the function as it is

FRAME_NAMES = {
    *("locals", "globals", "eval", "exec", "super", "breakpoint"),
    *("_getframe", "_getframemodulename", "_current_frames", "currentframe"),
    *("print_stack", "extract_stack", "format_stack", "walk_stack"),
    *("print_exc", "format_exc", "print_exception", "format_exception"),
    *("print_tb", "format_tb", "extract_tb", "walk_tb", "exc_info"),
}
FRAME_ATTRIBUTES = {
    *(FRAME_NAMES - {"eval", "exec", "super"}),  # `eval` of a data frame looks at its columns
    *("__traceback__", "tb_frame", "f_back", "f_locals", "f_globals", "f_code"),
}
# A record or a warning tells the file, line and function in which it was called for.
PLACE_TELLERS = {"debug", "info", "warning", "critical", "error", "exception", "log", "warn"}
CERTAIN_TELLERS = {"debug", "info", "warning", "critical", "warn"}
# A class made by a call takes its module from the frame that calls.
CLASS_MAKERS = {"namedtuple", "NamedTuple", "TypedDict", "NewType", "TypeVar", "make_dataclass"}

STATEMENTS = (
    *(ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Return, ast.Raise),
    *(ast.Assert, ast.Pass, ast.Break, ast.Continue, ast.If, ast.For, ast.While, ast.Try),
    *(ast.With, ast.Match),
)


class RefusalError(Exception):
    """Why a body is not written into the loop, and the user's line that is the reason."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def check(function: Function, parameters: int) -> None:
    """Refuse a function whose signature or whose words do not allow it to stand in a loop.

    Args:
        function: the user's; its private names are those that Python sees.
        parameters: how many it must have, `self` included.

    Raises:
        RefusalError: the first reason, in the order of the text.
    """
    _signature(function, parameters)
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    for statement in body:
        for node in walk(statement):
            if reason := _reason(node):
                # Only the `for` of a comprehension has no line: what it goes over stands on it.
                place = node.iter if isinstance(node, ast.comprehension) else node
                raise RefusalError(reason, getattr(place, "lineno", function.lineno))
    count = sum(isinstance(each, ast.stmt) for part in body for each in ast.walk(part))
    if count > LONGEST:
        raise RefusalError(f"it is long: {count} statements", function.lineno)


def check_depth(function: Function) -> None:
    """Refuse a function that is nested so deep that Python or what follows would give up.

    Raises:
        RefusalError: saying how deep it is.
    """
    deepest_node = deepest_block = 0
    waiting: list[tuple[ast.AST, int, int]] = [(function, 0, 0)]
    while waiting:
        node, depth, blocks = waiting.pop()
        blocks += isinstance(node, ast.For | ast.While | ast.Try | ast.TryStar | ast.With)
        deepest_node, deepest_block = max(deepest_node, depth), max(deepest_block, blocks)
        waiting.extend((child, depth + 1, blocks) for child in ast.iter_child_nodes(node))
    if deepest_block > MOST_BLOCKS:
        raise RefusalError(f"it is deep: {deepest_block} blocks in each other", function.lineno)
    if deepest_node > DEEPEST:
        raise RefusalError(f"it is deep: {deepest_node} parts in each other", function.lineno)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Give a node and all in it, in the order of the text."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from walk(child)


def waits(function: Function) -> bool:
    """Tell whether a coroutine function may suspend: it awaits, or it yields.

    An `await` in a function that is defined within it is not its own.
    """
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    return any(_waits(each) or _yields(each) for part in body for each in _own(part))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Give the nodes that run in the function itself: not the bodies of those within it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and child in node.body:
            continue
        if isinstance(node, ast.Lambda) and child is node.body:
            continue
        yield from _own(child)


def _waits(node: ast.AST) -> bool:
    is_async = isinstance(node, ast.comprehension) and bool(node.is_async)
    return is_async or isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)


def _yields(node: ast.AST) -> bool:
    return isinstance(node, ast.Yield | ast.YieldFrom)


def _signature(function: Function, parameters: int) -> None:
    taken = function.args
    count = len(taken.posonlyargs) + len(taken.args)
    wrong = None
    if not isinstance(function, ast.Lambda) and not all(map(_is_harmless, function.decorator_list)):
        wrong = "it has a decorator"
    elif getattr(function, "type_params", None):
        wrong = "it has type parameters"
    elif taken.defaults or any(taken.kw_defaults):
        wrong = "it has a default"
    elif taken.vararg or taken.kwarg:
        wrong = "it takes any number of arguments"
    elif taken.kwonlyargs:
        wrong = "it has a keyword-only parameter"
    elif count != parameters:
        wrong = f"it has {count} parameter{'s' * (count != 1)} where {parameters} fit"
    if wrong:
        raise RefusalError(wrong, function.lineno)


def _is_harmless(decorator: ast.expr) -> bool:
    """Tell whether a decorator leaves the function that the stage calls as it is written."""
    return ast.unparse(decorator).rpartition(".")[2] in HARMLESS


def _reason(node: ast.AST) -> str | None:
    if _yields(node):
        return "it yields"
    if _waits(node):
        return "it waits"
    match node:
        case ast.Global(names=names):
            return f'it declares "{names[0]}" global'
        case ast.Nonlocal(names=names):
            return f'it declares "{names[0]}" nonlocal'
        case ast.Import() | ast.ImportFrom():
            return "it imports"
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return f'it defines "{name}" within'
        case ast.Name(id=name, ctx=ast.Del()):
            return f'it deletes "{name}"'
        case ast.TryStar():
            return "it uses except*"
        case ast.Try(finalbody=[_, *_] as final) if _holds(final, ast.Return):
            return "it returns from a finally"
        case ast.AnnAssign(target=target, value=None) if not isinstance(target, ast.Name):
            return "it annotates what is no variable"
        case ast.Lambda() if _holds([node], ast.NamedExpr):
            return "it assigns in a lambda"
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return "it assigns in a comprehension" if _holds([node], ast.NamedExpr) else None
        case ast.Call(func=function):
            return _call(function)
        case ast.Attribute(attr=name) if name in FRAME_ATTRIBUTES:
            return f'it looks at frames by "{name}"'
        case ast.stmt() if not isinstance(node, STATEMENTS):
            return f'it has a statement that is not known here: "{type(node).__name__}"'
    return None


def _call(function: ast.expr) -> str | None:
    match function:
        case ast.Attribute(value=ast.Name(id="inspect"), attr="stack" | "trace" as name):
            return f'it looks at frames by "{name}"'
        case ast.Attribute(value=value, attr=name) if name in PLACE_TELLERS:
            teller = _last_name(value).lower()
            certain = name in CERTAIN_TELLERS or "log" in teller
        case ast.Name(id="warn" as name) | ast.Attribute(attr="warn_explicit" as name):
            certain = True
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in CLASS_MAKERS:
            return f'it makes a class by "{name}"'
        case _:
            return None
    return f'it calls "{name}", which may tell where it was called' if certain else None


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _last_name(function)
    return ""


def _holds(nodes: Sequence[ast.AST], kind: type[ast.AST]) -> bool:
    return any(isinstance(each, kind) for node in nodes for each in ast.walk(node))
