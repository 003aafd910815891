"""The compiler: imported as `rivusio.compiler`, whatever folder it is read from.

    source, finder, names           the text of a file, and the chains in it
    oracle, joints, operands, ...   their types: mypy, asked in a child process
    steps, words, mypy_hooks/       the same out of a plugin of mypy
    check                           the joints that do not fit: `rivusio check`
    facts, resolve, live            what each stage is, by its text or by importing the file
    plan, passes/, bodies           what will be written, made better step by step
    loops, lower, write, entering   the plan as loops, names and text; templates/ has the skeletons
    marks, emit                     the finished module, and what its lines mean
    verify, artifact                mypy over it, and the files beside the user's
    driver                          all of this, in order: `rivusio compile`

In a notebook or a test, `compile_pipeline` does it for a live pipeline.
"""

from typing import TYPE_CHECKING, Any

if __name__ != "rivusio.compiler":
    message = f"import this package as rivusio.compiler, not as {__name__}"
    raise ImportError(message)

if TYPE_CHECKING:
    from rivusio.compiler.in_process import compile_pipeline

__all__ = ["compile_pipeline"]


def __getattr__(name: str) -> Any:  # whatever is asked for
    """Import `compile_pipeline` only when it is asked for: `rivusio check` does not need it."""
    if name == "compile_pipeline":
        from rivusio.compiler import in_process

        return in_process.compile_pipeline
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
