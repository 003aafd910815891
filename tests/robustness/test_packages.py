"""Real packages: a sample of their files; `make fuzz-front-door` takes all."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.source import Unreadable, read
from tests.robustness.packages import installed, sample
from tests.robustness.support import is_well, told

BITS = "import struct\nshifted = 1 << 3 >> 2\nmask = (struct.calcsize('i') * 8) >> 1 >> 1\n"


def test_files_are_read_or_refused() -> None:
    refused = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in sample(100):
            try:
                source = read(str(path))
            except Unreadable as error:
                refused.append(error.diagnostic)
            else:
                for chain in finder.chains(source):
                    assert source.segment(chain.span)
    assert all(each.message for each in refused)
    assert len(refused) < 20


def test_some_are_checked(here: Path) -> None:
    """Copies: what is checked stands in the user's folder."""
    files = []
    for path in installed():
        if path.name in ("colorsys.py", "base64.py", "uuid.py"):
            files.append(here / f"copy_of_{path.name}")
            shutil.copy(path, files[-1])
    (here / "bits.py").write_text(BITS, encoding="utf-8")
    done = is_well(told("check", *(path.name for path in files), "bits.py"), *files)
    assert (done.code, done.of("bits.py")) == (0, [])
