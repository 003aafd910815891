"""Items, and the answers that are none: `NOTHING` for now, and the `END`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final, Literal

Item = Any  # items of every type flow through the same nodes


class Answer(Enum):
    """Answers that are no item; `None` is an item."""

    NOTHING = auto()
    END = auto()


NOTHING: Final[Literal[Answer.NOTHING]] = Answer.NOTHING
END: Final[Literal[Answer.END]] = Answer.END
