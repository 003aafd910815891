"""Types of stages, where mypy does not know what comes to them."""

from __future__ import annotations

from tests.mutation.compiler.making import broken

JOINS = "compiler/typecheck/joins.py"
PREDICATES = "compiler/typecheck/type_predicates.py"
SIGNATURES = "compiler/typecheck/signatures.py"
STEPS = "compiler/typecheck/infer.py"
CHECK = ("tests/compiler/typecheck/test_check.py", "-k", "golden")
LAMBDAS = ("tests/compiler/typecheck/test_lambda_types.py",)
ONCE = ("tests/equivalence/test_random_chains.py", "-k", "once")

MUTANTS = (
    broken(
        "type",
        PREDICATES,
        "return ANY if t.ambiguous else t",
        "return t",
        "what mypy could not infer is taken for what nothing is",
        *LAMBDAS,
    ),
    broken(
        "type",
        STEPS,
        "sure = self._taking(index, last.gives)\n",
        "sure = step\n",
        "a stage behind a guess gives what mypy guesses",
        *LAMBDAS,
    ),
    broken(
        "type",
        STEPS,
        "is_known = step.said is None and not type_predicates.is_any(step.takes)",
        "is_known = step.said is None",
        "a lambda behind Any gives what mypy guesses",
        *LAMBDAS,
    ),
    broken(
        "type",
        STEPS,
        "if not is_known and _uses_items(self.found.operands[index].source):",
        "if not is_known:",
        "a lambda that uses no item gives nobody knows what",
        *LAMBDAS,
    ),
    broken(
        "type",
        STEPS,
        "gives = step.gives if step.said is None else step.said\n",
        "gives = step.gives\n",
        "what mypy guesses finds no wrong join",
        *CHECK,
    ),
    broken(
        "type",
        SIGNATURES,
        "if has_any(item) and any(each.gives != first.gives for each in others):",
        "if False:",
        "an overloaded function behind Any is what its first overload says",
        *CHECK,
    ),
    broken(
        "type",
        "compiler/analysis/project.py",
        "is_typed=is_clean and is_annotated(found) and found.qualname not in file.overloaded,",
        "is_typed=is_clean and is_annotated(found),",
        "the body of an overloaded function stands in the loop",
        *ONCE,
    ),
    broken(
        "type",
        "compiler/typecheck/chains.py",
        "return unsure is None",
        "return False",
        "a decorated function that mypy takes for anything is no pipe",
        *ONCE,
    ),
    broken(
        "type",
        JOINS,
        "return not is_guess or steps.lookup.facts_of(operand).undetermined is None",
        "return True",
        "an object that gives Any makes a stage of a SyncPipeline async",
        *CHECK,
    ),
    broken(
        "type",
        JOINS,
        "return not is_guess or steps.lookup.facts_of(operand).undetermined is None",
        "return not is_guess",
        "a coroutine function that gives Any may stand in a SyncPipeline",
        *CHECK,
    ),
)
