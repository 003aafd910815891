"""A file that is compiled, and ways to spoil what stands beside it."""

from __future__ import annotations

import importlib
import json
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rivusio
from rivusio import NotCompiledError, NotCompiledWarning
from rivusio.artifacts.manifest import Manifest

FLOW = """from rivusio import SyncBasePipe
class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data * 2
class Add(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data + 1
chain = Double() >> Add()
other = Add() >> Double()
"""
NAME = "front_door_flow"
TRAP = b"\nraise SystemExit('executed')\n"


@dataclass(frozen=True)
class Beside:
    """The artifact of `chain`: the module and its manifest."""

    module: Path
    manifest: Path

    def restore(self, contents: tuple[bytes, bytes]) -> None:
        """Write both anew, so that the folder changes."""
        for path, content in zip((self.module, self.manifest), contents, strict=True):
            path.unlink(missing_ok=True)
            path.write_bytes(content)


def beside(folder: Path) -> Beside:
    """Give the artifact of `chain`."""
    module = folder / "__rivusio__" / f"{NAME}__chain.py"
    return Beside(module, module.with_suffix(".json"))


@contextmanager
def imported(folder: Path) -> Iterator[Any]:
    """Import the file."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(NAME)
    finally:
        sys.modules.pop(NAME, None)
        sys.path.remove(str(folder))


def compiled_reason(pipe: Any) -> str | None:
    """Say why mode "compiled" refuses; None if it does not."""
    with rivusio.mode("compiled"):
        try:
            pipe.iterate([])
        except NotCompiledError as error:
            return str(error).partition(" cannot run compiled: ")[2].rpartition("; run ")[0]
    return None


def auto_reasons(pipe: Any) -> list[str]:
    """Give the warnings of a run in mode "auto"."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = pipe.iterate([1, 2])
        assert list(run) == [3, 5]
    assert all(each.category is NotCompiledWarning for each in caught)
    return [str(each.message).partition(" runs interpreted: ")[2] for each in caught]


def says_the_same(manifest: bytes, original: bytes) -> bool:
    """Tell whether a manifest is the original but for blanks, which nobody need notice."""
    try:
        return bool(json.loads(manifest) == json.loads(original))
    except (ValueError, RecursionError):
        return False


# Ways to spoil a file

Spoil = Callable[[bytes, int, random.Random], bytes]


def _flipped(content: bytes, at: int, chosen: random.Random) -> bytes:
    other = content[at] ^ (1 << chosen.randrange(8))
    return content[:at] + bytes([other]) + content[at + 1 :]


def _cut(content: bytes, at: int, _: random.Random) -> bytes:
    return content[:at]


def _extended(content: bytes, at: int, chosen: random.Random) -> bytes:
    return content[:at] + chosen.randbytes(3) + content[at:]


def _zeroed(content: bytes, at: int, _: random.Random) -> bytes:
    return content[:at] + b"\0" * 16 + content[at + 16 :]


def _trapped(content: bytes, at: int, _: random.Random) -> bytes:
    """Put code in that tells when it is executed, at the end of the line."""
    end = content.find(b"\n", at)
    return content if end < 0 else content[:end] + TRAP + content[end + 1 :]


SPOILS: dict[str, Spoil] = {
    "flipped": _flipped,
    "cut": _cut,
    "extended": _extended,
    "zeroed": _zeroed,
    "trapped": _trapped,
}


def edited(manifest: Path, **fields: object) -> bytes:
    """Give a manifest of other content that is whole: sealed anew."""
    found = Manifest.model_validate_json(manifest.read_bytes())
    return found.model_copy(update=fields).sealed().text().encode()


def faults(pipe: Any, original: tuple[bytes, bytes], at: Beside) -> Iterator[str]:
    """Say what is wrong with how a chain runs whose artifact is spoilt."""
    if at.module.exists() and at.manifest.exists():
        now = at.module.read_bytes(), at.manifest.read_bytes()
        if now[0] == original[0] and says_the_same(now[1], original[1]):
            return  # nothing is spoilt after all
    reason = compiled_reason(pipe)
    if reason is None:
        yield "it ran"
    elif "\n" in reason or not reason:
        yield f"its reason is no line: {reason!r}"
    elif (told := [each.partition("; run ")[0] for each in auto_reasons(pipe)]) not in (
        [reason],
        [],
    ):
        yield f'mode "compiled" said {reason!r}, but auto {told}'
