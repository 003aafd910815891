"""The names and words of generated code."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rivusio.compiler.ir.ops import Batch, Op, SlidingWindow, TumblingWindow
from rivusio.compiler.ir.stage_info import StageInfo, UserFunction

TOO_PLAIN = {"data", "item", "value", "x", "self", "i", "it", "_"}  # they say nothing in a loop

# Where generated code finds what it uses.
FROM_COLLECTIONS = ("deque",)
FROM_ABC = ("AsyncGenerator", "Awaitable", "Callable", "Generator", "Iterable")
FROM_TYPING = ("Any", "TYPE_CHECKING")
FROM_RUNTIME = (
    "END",
    "NOTHING",
    "PLAIN",
    "CancelledError",
    "CompiledLine",
    "Deadline",
    "Feed",
    "Filling",
    "Inner",
    "Node",
    "One",
    "PlainInner",
    "Reader",
    "Results",
    "async_iterable",
    "drive",
    "is_awaitable",
    "iterable",
    "refuse",
)

# Names that generated functions use themselves.
RESERVED = {
    *FROM_COLLECTIONS, *FROM_ABC, *FROM_TYPING, *FROM_RUNTIME,
    "part", "feed", "window", "buffer", "buffered", "taken", "time",
    "upstream", "items", "numbers", "item_index", "now", "clock", "error",
    "failure", "failures", "recovered", "line", "run_counters",
    "locals", "zip", "list", "len", "iter", "bool",
}  # fmt: skip
# Such names are given by a stage's index, and those with `m_` to modules.
BY_INDEX = re.compile(
    r"(counters|started|settings|timeout|pipe|name|left|closed|outputs|expanded|expansion)_\d+"
)
OF_MODULES = re.compile(r"m0?_.*")
AMBIGUOUS = {"l", "O", "I"}
BY_TYPE = {"str": "text", "int": "number", "float": "number"}


@dataclass
class Names:
    """The names of one function: each is given once."""

    taken: set[str]

    def fresh(self, wanted: str) -> str:
        """Give `wanted`, or that with a number behind it."""
        base = wanted if wanted.isidentifier() and not keyword.iskeyword(wanted) else "item"
        if hasattr(builtins, base) or OF_MODULES.fullmatch(base) or base in AMBIGUOUS:
            base = f"{base}_"
        if BY_INDEX.fullmatch(base):
            base = f"{base}_"
        stem = f"{base}_" if BY_INDEX.fullmatch(f"{base}_2") else base
        name, number = base, 2
        while name in self.taken:
            name, number = f"{stem}_{number}", number + 1
        self.taken.add(name)
        return name


def parameter(function: UserFunction) -> str | None:
    """Give the name that a user's function has for its item."""
    arguments = [*function.node.args.posonlyargs, *function.node.args.args]
    names = [each.arg for each in arguments]
    if function.class_name is not None:
        names = names[1:]
    return names[0] if names else None


def item_name(ops: Sequence[Op], position: int) -> str:
    """Name the items that go into an op of a loop, or out of the last one."""
    if position < len(ops):
        op = ops[position]
        function = op.of.function
        own_name = parameter(function) if function is not None else None
        lists = isinstance(op, Batch | TumblingWindow | SlidingWindow)
        if own_name and own_name not in TOO_PLAIN and not lists:
            return own_name
        return by_type(op.of.takes.text) or "item"
    gives = ops[-1].of.gives.text if ops else "Any"
    return by_type(gives) or "result"


def by_type(text: str) -> str | None:
    """Name an item by its type, if that says something."""
    if text in BY_TYPE:
        return BY_TYPE[text]
    match = re.fullmatch(r"[\w.]*\.([A-Z]\w*)(\[.*\])?", text)
    return snake(match[1]) if match else None


def list_name(op: Op) -> str:
    """Name a list that a batch or window has closed."""
    return "full_batch" if isinstance(op, Batch) else "full_window"


def inner_names(ops: Iterable[Op]) -> set[str]:
    """Give the parameters of the lambdas in the users' functions, which keep their names."""
    functions = [op.of.function for op in ops if op.of.function is not None]
    return {
        node.arg
        for function in functions
        for each in ast.walk(function.node)
        if isinstance(each, ast.Lambda) and each is not function.node
        for node in ast.walk(each.args)
        if isinstance(node, ast.arg)
    }


def snake(name: str) -> str:
    """Give a class's name as that of a variable."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return (
        snake if snake.isidentifier() and snake.isascii() and not keyword.iskeyword(snake) else ""
    )


def comment(stage: StageInfo) -> str:
    """Say which stage it is, in a comment."""
    where = f", {stage.where}" if stage.where else ""
    return plain(f"{stage.index + 1} {stage.name}{where}")


def docstring_of(ops: Sequence[Op]) -> str:
    """Say which stages a function takes items through."""
    if not ops:
        return "Give what comes."
    first, last = ops[0].of, ops[-1].of
    names = f"{first.name}" if first is last else f"{first.name} to {last.name}"
    return f"Take items through {plain(names)}."


def plain(text: str) -> str:
    """Give text that may stand in a comment: one line, of printable characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= 70 else line[:69] + "…"
