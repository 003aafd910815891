"""The names and words of generated code."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass

from rivusio.compiler.plan import Batch, Op, StageInfo, UserFunction

TOO_PLAIN = {"data", "item", "value", "x", "self", "i", "it", "_"}  # they say nothing in a loop

# Names that generated functions use themselves.
RESERVED = {
    "part", "feed", "window", "buffer", "buffered", "changed", "burst", "waiting", "wanted", "time",
    "upstream", "items", "numbers", "item_index", "now", "clock", "error",
    "failure", "line", "run_counters", "locals", "zip", "list", "len", "iter", "bool",
}  # fmt: skip


@dataclass
class Names:
    """The names of one function: each is given once."""

    taken: set[str]

    def fresh(self, wanted: str) -> str:
        """Give `wanted`, or that with a number behind it."""
        base = wanted if wanted.isidentifier() and not keyword.iskeyword(wanted) else "item"
        if hasattr(builtins, base):
            base = f"{base}_"
        name, number = base, 2
        while name in self.taken:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        return name


def parameter(function: UserFunction) -> str | None:
    """Give the name that a user's function has for its item."""
    arguments = [*function.node.args.posonlyargs, *function.node.args.args]
    names = [each.arg for each in arguments]
    if function.class_name is not None:
        names = names[1:]
    return names[0] if names else None


def by_type(text: str) -> str | None:
    """Name an item by its type, if that is a class of the user's."""
    match = re.fullmatch(r"[\w.]*\.([A-Z]\w*)(\[.*\])?", text)
    return snake(match[1]) if match else None


def list_name(op: Op, index: int) -> str:
    """Name a list that a batch or window has closed."""
    return f"full_{index}" if isinstance(op, Batch) else f"items_{index}"


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


def plain(text: str) -> str:
    """Give text that may stand in a comment: one line, of printable characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= 70 else line[:69] + "…"
