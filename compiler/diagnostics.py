"""What the compiler says to people and editors, and what mypy says to it.

Lines count from 1. A `Diagnostic` counts columns from 1, in characters, as people do; a `Complaint`
from 0, in bytes of UTF-8, as mypy does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

CHAIN = "rivusio-chain"  # the code of what is wrong with a chain
COMPILE = "rivusio-compile"  # the code of what stands in the way of compiling one


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, for people and for editors.

    Attributes:
        path: the file, as the user gave it.
        line: from 1.
        column: from 1, in characters.
        severity: an error makes the check fail, a warning does not.
        message: what is wrong.
        code: the kind of finding; for what mypy says, its own code.
        note: what to do about it, if that is known.
    """

    path: str
    line: int
    column: int
    severity: Severity
    message: str
    code: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}"
        code = f"  [{self.code}]" if self.code else ""
        note = f"\n{place}: note: {self.note}" if self.note else ""
        return f"{place}: {self.severity}: {self.message}{code}{note}"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that mypy says; `stops` tells whether it could not go on after it."""

    path: str
    line: int
    column: int
    message: str
    code: str | None
    stops: bool = False
