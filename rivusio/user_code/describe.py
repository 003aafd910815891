"""How errors and places in a user's code are told."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

HERE = Path(__file__).parent.parent  # the package: its frames are not the user's


def describe_error(error: BaseException) -> str:
    """Give an exception as Python ends a traceback with it, in one line."""
    story = traceback.TracebackException(type(error), error, None, compact=True)
    story.__notes__ = None  # Python ends with them: they are told apart
    *_, said = story.format_exception_only()
    return escape_unprintable(" ".join(said.split()))


def escape_unprintable(text: str) -> str:
    """Give a text with escapes for what would move the cursor, or show nothing."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def locate_error(error: BaseException) -> tuple[str, str] | None:
    """Give `file:line` and the source line of the user's code that raised, as far as known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{path_from_here(Path(error.filename))}:{error.lineno}", (error.text or "").strip()
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not Path(frame.filename).is_relative_to(HERE)
    ]
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    own = [frame for frame in frames if not _is_in(frame.filename, libraries)]
    if not own:
        return None  # a library's function was joined itself: there is no line of the user's
    return f"{path_from_here(Path(own[-1].filename))}:{own[-1].lineno}", own[-1].line or ""


def _is_in(filename: str, folders: set[str]) -> bool:
    return any(Path(filename).is_relative_to(folder) for folder in folders)


def path_from_here(path: Path) -> str:
    """Give a path as a person would type it from here."""
    try:
        here = Path.cwd()
    except OSError:  # the working folder is gone
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
