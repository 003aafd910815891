"""What a generated module calls the modules that its annotations name."""

from __future__ import annotations

import re
from unicodedata import is_normalized

# No underscore at an end, and no two in a row: then a doubled one can be told from a dot.
PLAIN = re.compile(r"[^\W\d_][^\W_]*(?:_[^\W_]+)*")


def alias_of(module: str) -> str:
    """Give the one name of a module: an identifier, which no other module has.

    >>> alias_of("examples.flights")
    'm_examples_flights'
    >>> alias_of("my_project.flights")
    'm_my__project_flights'
    >>> alias_of("_io")
    'm0__0io'

    Args:
        module: the full name.
    """
    parts = module.split(".")
    is_plain = all(PLAIN.fullmatch(part) and part.isidentifier() for part in parts)
    if is_plain and is_normalized("NFKC", module):  # Python reads names so
        return "m_" + "_".join(part.replace("_", "__") for part in parts)
    return "m0_" + "_".join(re.sub(r"^\d|[^a-zA-Z0-9]", _escaped, part) for part in parts)


def _escaped(found: re.Match[str]) -> str:
    """Write a character so that it starts like no part of a name: with a digit."""
    return "_0" if found[0] == "_" else f"_1{ord(found[0]):x}_"
