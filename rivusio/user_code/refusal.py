"""What a user is told in one line, where something of theirs must be mended."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  it is an answer, shown as one line
    """What the user can mend: what, where, what was found, what to do next."""
