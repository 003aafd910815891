"""What is known to be at fault or not decided, and left out of random chains until then.

Turn a switch on when its fault is mended: the chains it keeps out are then made again, and one
of them belongs in `regressions/`.
"""

from __future__ import annotations

# A body's own `counters` and the generated one can be the same name.
NAMES_OF_OURS = True
# A body whose result comes from `self` does not pass mypy where single items are processed.
RESULT_FROM_SELF = True
# What comes out of a `drop_none` with settings of its own has other types to mypy than compiled.
DROP_NONE_SETTINGS = True
# What `drop_none` makes of a stage that is treated, or of one that passes its items on, likewise.
DROP_NONE_AFTER_ANYTHING = True
# A `StreamPipe()` that is to do something about errors it cannot have is compiled in other shape.
IDENTITY_TREATED = True
# In `SyncPipeline([...])` a lambda that gives a list gives `list[object]` to mypy.
LAMBDA_GIVES_LISTS = True
# A lone `map(lambda ...)` does not pass mypy.
LONE_LAMBDA = True
# A lone `@pipe` function is not found where it is made.
LONE_DECORATED = True
# A lone pipe that gets its settings in the constructor of its class is not found.
LONE_WITH_CONFIG = True
# One bare function, `SyncPipeline([f])`, is not found.
ONE_FUNCTION_IN_A_LIST = True
# In `AsyncPipeline[int, str]([...])` the settings that a constructor sets are not found.
CONFIG_BY_ALIAS = True
# Of two tasks of a run the second is ended a turn of the event loop later when compiled.
LEFT_EARLY_WITH_TWO_TASKS = True
# What is buffered is not delivered while the source waits.
BUFFER_BEHIND_A_WAITING_SOURCE = True
# The peak of a buffer depends on single turns of the event loop, where a run has other tasks.
PEAKS_OF_BUFFERS = True
# What fails in a second try, a handler or a dead letter has the first error as its context when
# compiled, also where Python would give it none.
CONTEXT_OF_RETRIES = True
# Where a run has more tasks than one, calls and outputs change places by single turns of the loop.
MORE_TASKS_THAN_ONE = True
# A BaseException out of an inlined body has no line of the user's where single items are processed.
BASE_EXCEPTIONS_IN_PROCESS = True
# What an escaped StopIteration became says "generator" for "coroutine" where a stage is treated.
TEXT_OF_ESCAPED_STOP = True
