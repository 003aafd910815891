"""The child process that runs mypy: it answers one request after another, until there are no more.

Whatever is asked, mypy is started and imported once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable

from mypy import modulefinder

from rivusio.compiler.analysis.handler import reply as reply_with_types
from rivusio.compiler.validate.handler import reply as reply_with_verdict

ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "oracle": reply_with_types,
    "verify": reply_with_verdict,
}


def main() -> None:
    """Answer the requests on stdin; whatever a plugin of the user's prints goes to stderr.

    A request is a line with its kind and its length, and then so many bytes; an answer is a line
    with its length, and then so many.
    """
    # mypy takes what is on the path for installed, and says nothing of it: not so the user's own.
    modulefinder.get_search_dirs(sys.executable)  # it looks once
    sys.path.append("")  # for plugins; last, as no file of the user's is to be run
    gc.disable()  # a short life: collecting what mypy keeps anyway takes a third of the time
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        while head := sys.stdin.buffer.readline():
            kind, length = head.decode().split()
            answer = ANSWERS[kind](sys.stdin.buffer.read(int(length)))
            replies.write(b"%d\n" % len(answer) + answer)
            replies.flush()


if __name__ == "__main__":
    main()
