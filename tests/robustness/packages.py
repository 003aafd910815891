"""The Python files of what is installed here: nobody has written them for us."""

from __future__ import annotations

import sysconfig
from pathlib import Path


def installed() -> list[Path]:
    """Give all files of the packages that are installed, and of the standard library."""
    folders = [Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib")]
    found = {
        path.resolve()
        for folder in folders
        for path in folder.rglob("*.py")
        if "site-packages" not in path.relative_to(folder).parts
    }
    return sorted(found)


def sample(count: int) -> list[Path]:
    """Give some of them, from all over."""
    files = installed()
    return files[:: max(1, len(files) // count)]
