"""The compiler: imported as `rivusio.compiler`, whatever folder it is read from.

    frontend                  the text of a file, and the chains in it
    mypy_server, mypy_worker  mypy, in a child process
    typecheck, analysis       the types of chains, which the child tells
    check                     the joins that do not fit: `rivusio check`
    resolve                   what each stage is, by the text or by importing the file
    ir, passes, inlining      the plan: what will be written, made better step by step
    backends                  the plan as text; templates/ has the skeletons
    artifacts, validate       the files beside the user's, after mypy's last word on them
    apart, planning, driver   all of this, in order: `rivusio compile`
    jit                       the same for a live pipeline
    mypy_plugin               the checks, out of a plugin of mypy

In a notebook or a test, `compile_pipeline` does it for a live pipeline.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if __name__ != "rivusio.compiler":
    message = f"import this package as rivusio.compiler, not as {__name__}"
    raise ImportError(message)

if TYPE_CHECKING:
    from rivusio.compiler.jit import compile_pipeline

__all__ = ["compile_pipeline"]


def __getattr__(name: str) -> Any:  # whatever is asked for
    """Import `compile_pipeline` only when it is asked for: `rivusio check` does not need it."""
    if name == "compile_pipeline":
        _refuse_without_extra()
        from rivusio.compiler import jit

        return jit.compile_pipeline
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def _refuse_without_extra() -> None:
    """Say what to install, as the command line does: a production install has not what it needs."""
    missing = [name for name in ("jinja2", "ruff") if find_spec(name) is None]
    if missing:
        needed = " and ".join(missing)
        message = f'compile_pipeline needs {needed}: pip install "rivusio[compiler]"'
        raise ModuleNotFoundError(message, name=missing[0])
