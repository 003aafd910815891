"""The type variables of pipes, and what they are where nothing tells: anything.

So `StreamPipe(config=...)`, `SyncPipeline([...])` and a lambda in no chain need no annotation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    In = TypeVar("In", contravariant=True, default=Any)
    Out = TypeVar("Out", covariant=True, default=Any)
    Given = TypeVar("Given", default=Any)  # what a function takes
else:  # defaults of type variables are for type checkers only, below Python 3.13
    from typing import TypeVar

    In = TypeVar("In", contravariant=True)
    Out = TypeVar("Out", covariant=True)
    Given = TypeVar("Given")
