"""Bodies of the user's functions in a loop, and text of the user's in a module."""

from __future__ import annotations

from tests.mutation.compiler.making import BODIES, FILES, broken

ENTERING = "compiler/backends/python/calls.py"
MANGLE = "compiler/inlining/mangle.py"
NAMING = "compiler/backends/python/names.py"
REFUSALS = "compiler/inlining/eligibility.py"
RENDERING = "compiler/backends/python/templates.py"
RETURNS = "compiler/inlining/single_exit.py"
SCOPES = "compiler/inlining/rename.py"

BODIES_IN_LOOPS = (
    broken(
        "1.2",
        ENTERING,
        "result = ast.unparse(done.result)\n",
        "result = ast.unparse(done.result)\n"
        "    for name in done.globals:\n"
        '        hoisted = own.hoist(f"g_{name}", f"{alias}.{name}")\n'
        '        result = result.replace(f"{alias}.{name}", hoisted)\n',
        "a global is read once, before the loop",
    ),
    broken(
        "inline",
        SCOPES,
        "        if name not in self._module_names:\n",
        "        if name in BUILTINS:\n",
        "a builtin that the module has redefined is Python's own",
        *BODIES,
    ),
    broken(
        "inline",
        MANGLE,
        "case ast.Attribute(attr=name) if _is_private(name):",
        "case ast.Attribute(attr=name) if False:",
        "a private attribute is read by the name that is written",
        *BODIES,
    ),
    broken(
        "inline",
        SCOPES,
        "if any(scope.later for scope in self._scopes):",
        "if False:",
        "a lambda that outlives the loop's turn reads the next item's local",
        *BODIES,
    ),
    broken(
        "emit",
        NAMING,
        "while name in self.taken:",
        "while name in ():",
        "two bodies have one name for two locals",
        *FILES,
    ),
    broken(
        "inline",
        REFUSALS,
        "elif taken.defaults or any(taken.kw_defaults):",
        "elif not taken:",
        "a default is forgotten",
        *BODIES,
    ),
    broken(
        "inline",
        REFUSALS,
        "if not isinstance(function, ast.Lambda) and not all(",
        "if not taken and not all(",
        "a decorator is forgotten",
        *BODIES,
    ),
    broken(
        "inline",
        "compiler/resolve/live_stages.py",
        "if (around := needed_around(code)) is not None:",
        "if (around := None) is not None:",
        "a name of the function around is read from the module",
        "tests/semantics/test_runs.py",
        "-k",
        "not interpreted",
    ),
    broken(
        "inline",
        "compiler/inlining/definite_assignment.py",
        "if state is not None and name in self._names and name not in state:",
        "if False:",
        "a local still has the value of the item before",
        *BODIES,
    ),
    broken(
        "inline",
        RETURNS,
        "written.append(_at(statement, ast.Break()))",
        "pass",
        "a loop goes on after a return in it",
        *BODIES,
    ),
    broken(
        "inline",
        RETURNS,
        "        if _breaks(loop.body):\n",
        "        if not loop.body:\n",
        "a break passes for a return",
        *BODIES,
    ),
    broken(
        "inline",
        RETURNS,
        "orelse = [*statement.orelse, *([] if _end(statement.orelse) else rest)]",
        "orelse = [*statement.orelse]",
        "what stands behind an early return is left out",
        *BODIES,
    ),
    broken(
        "inline",
        REFUSALS,
        "case ast.Try(finalbody=[_, *_] as final) if _holds(final, ast.Return):",
        "case ast.Try(finalbody=[_, *_] as final) if not final:",
        "a return in a finally is written flat",
        *BODIES,
    ),
    broken(
        "inline",
        "compiler/passes/inline.py",
        "if not function.is_typed:",
        "if function is None:",
        "a body that mypy is against stands in the loop",
        *FILES,
    ),
    broken(
        "elide",
        REFUSALS,
        "isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)",
        "isinstance(node, ast.AsyncFor | ast.AsyncWith)",
        "a coroutine function that waits is entered as plain code",
        *BODIES,
        "tests/compiler/passes/test_passes.py",
    ),
    broken(
        "elide",
        REFUSALS,
        "is_async = isinstance(node, ast.comprehension) and bool(node.is_async)",
        "is_async = False",
        "a coroutine function that waits in a comprehension is entered as plain code",
        *BODIES,
    ),
)

TEXT = (
    broken(
        "emit",
        RENDERING,
        'safe = text.replace("\\\\", "\\\\\\\\").replace(\'"""\', \'\\\\"\\\\"\\\\"\')',
        "safe = text",
        "the name of a stage ends a docstring",
        *FILES,
    ),
    broken(
        "emit",
        NAMING,
        '"".join(letter if letter.isprintable() else " " for letter in text)',
        "text",
        "the name of a stage ends a comment",
        *FILES,
    ),
)

MUTANTS = (*BODIES_IN_LOOPS, *TEXT)
