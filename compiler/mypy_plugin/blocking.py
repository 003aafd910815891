"""`rivusio-async`, of what is called: it blocks the event loop, or gives what nobody awaits."""

from __future__ import annotations

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface, FunctionContext, MethodContext
from mypy.types import get_proper_type

from rivusio.compiler.known_names import BASE_PIPE
from rivusio.compiler.mypy_plugin import reporting
from rivusio.compiler.mypy_plugin.file_chains import seen
from rivusio.compiler.typecheck import type_predicates

# What blocks, by its full name; of a class, all the methods named here.
FUNCTIONS = {
    "builtins.input",
    "os.system",
    "os.wait",
    "os.waitpid",
    "shutil.copy",
    "shutil.copy2",
    "shutil.copyfile",
    "shutil.copytree",
    "shutil.move",
    "shutil.rmtree",
    "socket.create_connection",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.getoutput",
    "subprocess.run",
    "time.sleep",
    "urllib.request.urlopen",
    "urllib.request.urlretrieve",
}
REQUESTS = ("requests.", "httpx.")
VERBS = {"delete", "get", "head", "options", "patch", "post", "put", "request"}
FILES = (
    "typing.IO",
    "typing.TextIO",
    "typing.BinaryIO",
    "io.",
    "_io.",
)
IN_MEMORY = ("StringIO", "BytesIO")
FILE_METHODS = {"read", "readline", "readlines", "write", "writelines"}
PATH_METHODS = {"read_bytes", "read_text", "write_bytes", "write_text"}
ASYNC_CLIENT = ".AsyncClient."  # httpx has both


def is_blocking_function(fullname: str) -> bool:
    """Tell whether a function is known to block."""
    return fullname in FUNCTIONS or _is_request(fullname)


def is_blocking_method(fullname: str) -> bool:
    """Tell whether a method is known to block."""
    of, _, name = fullname.rpartition(".")
    if name in FILE_METHODS:
        return of.startswith(FILES) and not of.endswith(IN_MEMORY)
    return (name in PATH_METHODS and of.startswith("pathlib")) or _is_request(fullname)


def _is_request(fullname: str) -> bool:
    return (
        fullname.startswith(REQUESTS)
        and fullname.rpartition(".")[2] in VERBS
        and ASYNC_CLIENT not in fullname
    )


def call(context: FunctionContext | MethodContext) -> types.Type:
    """Called for a call that is known to block, when mypy has checked it."""
    called = context.context
    if (
        isinstance(called, nodes.CallExpr)
        and _is_in_async_body(context.api)
        and _uses_rivusio(context.api)
    ):
        name = _written(called.callee)
        note = (
            "say await asyncio.sleep(...)"
            if name.endswith("sleep")
            else f"say await asyncio.to_thread({name}, ...)"
        )
        message = f'"{name}" blocks the event loop: nothing else runs meanwhile'
        reporting.report(context.api, called, message, note, reporting.ASYNC)
    return context.default_return_type


def _is_in_async_body(api: CheckerPluginInterface) -> bool:
    function = api.scope.current_function()  # type: ignore[attr-defined]  # in no document of mypy's
    return isinstance(function, nodes.FuncDef) and (
        function.is_coroutine or function.is_async_generator
    )


def _uses_rivusio(api: CheckerPluginInterface) -> bool:
    """Tell whether this is in the class of a pipe, or in a file that imports rivusio."""
    info = api.scope.enclosing_class()  # type: ignore[attr-defined]  # in no document of mypy's
    if info is not None and info.has_base(BASE_PIPE):
        return True
    for each in api.tree.imports:  # type: ignore[attr-defined]  # in no document of mypy's
        match each:
            case nodes.Import(ids=ids):
                names = [name for name, _ in ids]
            case nodes.ImportFrom(id=name) | nodes.ImportAll(id=name):
                names = [name]
            case _:
                continue
        if any(name.partition(".")[0] == "rivusio" for name in names):
            return True
    return False


def _written(callee: nodes.Expression) -> str:
    match callee:
        case nodes.NameExpr(name=name):
            return name
        case nodes.MemberExpr(expr=nodes.CallExpr(callee=inner), name=name):
            return f"{_written(inner)}(...).{name}"
        case nodes.MemberExpr(expr=inner, name=name):
            return f"{_written(inner)}.{name}"
    return "it"


def made(context: FunctionContext) -> types.Type:
    """Called for `map(function)` and its kin: the function may give what nobody awaits."""
    for given in (each for group in context.args for each in group[:1]):
        check_function(context.api, given)
        break
    return context.default_return_type


def check_function(api: CheckerPluginInterface, given: nodes.Expression) -> None:
    """Look whether a function gives a coroutine without being a coroutine function.

    mypy cannot tell the two from each other by their types. To rivusio the function is a plain
    one, whose coroutines nobody awaits.
    """
    match given:
        case nodes.LambdaExpr():
            name, gives = "a lambda", _lambda_gives(api, given)
        case nodes.RefExpr(
            node=nodes.FuncDef(is_coroutine=False, is_async_generator=False) as node
        ):
            its = node.type
            if not isinstance(its, types.CallableType) or node.is_trivial_body:
                return
            name, gives = f'"{node.name}"', its.ret_type
        case _:
            return
    if gives is not None and type_predicates.awaitable_of(gives) is not None:
        message = (
            f"{name} gives a coroutine that nobody awaits: only a coroutine function is awaited"
        )
        note = (
            "give the coroutine function itself"
            if isinstance(given, nodes.LambdaExpr)
            else 'make it "async def", and await in it'
        )
        reporting.report(api, given, message, note, reporting.ASYNC)


def _lambda_gives(api: CheckerPluginInterface, given: nodes.LambdaExpr) -> types.Type | None:
    its = seen(api, given)
    proper = None if its is None else get_proper_type(its)
    return proper.ret_type if isinstance(proper, types.CallableType) else None
