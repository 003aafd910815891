"""How a mutant of the compiler is written down, and what it may break besides a numbered rule."""

from __future__ import annotations

from tests.mutation.runtime import Mutant

# What the compiler promises that is no rule of a pipeline's meaning.
PROMISES = {
    "elide": "a coroutine function is entered as plain code only if it never waits",
    "inline": "a body stands in the loop only where that means the same",
    "emit": "text of the user's is only text in generated code, and a name is given once",
    "load": "an artifact runs only for the chain, the code and the versions that it is of",
    "type": "a stage is not said to give what mypy has only guessed, and a wrong join is told",
    "write": "nothing is written for a file with an error, and nothing half",
    "run": "`rivusio run` reads what the first stage takes, writes JSON, and loses nothing unsaid",
    "command": "the exit code is 1 where something is wrong",
}

BODIES = ("tests/compiler/inlining/test_bodies.py", "-k", "not golden")
COMMAND = ("tests/compiler/commands/test_compile.py",)
FILES = ("tests/compiler/commands/test_compiled_files.py",)
GROUPS = ("tests/compiler/ir/test_fusion.py",)
INDEX = ("tests/compiler/artifacts/test_index.py",)
LOADER = ("tests/unit/artifacts/test_loader.py",)
ONE = (
    "tests/semantics/test_pipes.py",
    "tests/unit/pipes/test_pipeline.py",
    "-k",
    "not interpreted",
)
TAKES = ("tests/semantics", "-k", "take and not interpreted")
TROUBLED = ("tests/compiler/commands/test_troubled_chains.py",)


def broken(rule: str, file: str, old: str, new: str, what: str, *tests: str) -> Mutant:
    """Give a mutant of the compiler.

    `tests` is what pytest is asked for; without any it is the tests of the rule, of which those
    that interpret cannot notice.
    """
    return Mutant(rule, file, old, new, what, tests, only_compiled=True)
