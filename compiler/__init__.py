"""The compiler: imported as `rivusio.compiler`, whatever folder it is read from.

    source, finder, names           the text of a file, and the chains in it
    oracle, joins, operands, ...   their types: mypy, asked in a child process
    steps, words, mypy_hooks/       the same out of a plugin of mypy
    check                           the joins that do not fit: `rivusio check`
    facts, resolve, live            what each stage is, by its text or by importing the file
    plan, passes/, bodies           what will be written, made better step by step
    loops, lower, write, entering   the plan as loops, names and text; templates/ has the skeletons
    marks, emit                     the finished module, and what its lines mean
    verify, artifact                mypy over it, and the files beside the user's
    driver                          all of this, in order: `rivusio compile`

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
