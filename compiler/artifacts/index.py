"""The index of a file's chains: what is up to date, what has no module, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import rivusio
from rivusio.artifacts.manifest import (
    FOLDER,
    BrokenArtifact,
    StageReport,
    hash_of,
    read,
    stem_for,
    stem_of,
    this_python,
)
from rivusio.artifacts.store import Artifact, staleness
from rivusio.compiler.ir.explain import STAYS_A_CALL

INDEX_FORMAT = 2


class Unmade(BaseModel):
    """A chain of a file that has no module, so that it runs interpreted.

    Attributes:
        chain: what it is called.
        line: where it is made; 1 where only running the file tells.
        column: the same, from 1, in characters.
        why: the reason, in one line.
        failed: whether it should have one: something is wrong that can be mended. Else it cannot
            be compiled as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str
    line: int
    column: int
    why: str
    failed: bool


class Index(BaseModel):
    """Which chains a file has, and what they were compiled from.

    Attributes:
        format: the version of this record.
        rivusio: the version that compiled them.
        python: the version of Python.
        imported: whether the file was allowed to be imported.
        sources: the hash of every file that was looked at, by its path from the user's file.
        artifacts: the names of the artifacts.
        unmade: the other chains.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = INDEX_FORMAT
    rivusio: str
    python: str
    imported: bool
    sources: dict[str, str]
    artifacts: tuple[str, ...]
    unmade: tuple[Unmade, ...]


def read_index(path: Path) -> Index:
    """Read the index of a file.

    Raises:
        BrokenArtifact: when there is none, or it is no index.
    """
    place = path.parent / FOLDER / f"{stem_for(path)}.index.json"
    try:
        found = json.loads(place.read_bytes())
        if isinstance(found, dict) and found.get("format") != INDEX_FORMAT:
            message = f"{place.name} was written by another version of rivusio"
            raise BrokenArtifact(message)
        return Index.model_validate(found)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = "it was not compiled"
        raise BrokenArtifact(message) from error
    except OSError as error:
        message = f"{place.name} cannot be read: {error.strerror}"
        raise BrokenArtifact(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{place.name} is broken"
        raise BrokenArtifact(message) from error


def tell_outdated(path: Path) -> str | None:
    """Say why the artifacts of a file are not those of its chains as they are; None if they are.

    They are if a run would use each of them, and nothing of what they were made from has changed.
    """
    try:
        index = read_index(path)
    except BrokenArtifact as error:
        return str(error)
    if path.name not in index.sources:
        return "it was not compiled"
    if index.rivusio != rivusio.__version__:
        return f"it was compiled by rivusio {index.rivusio}"
    if index.python != this_python():
        return f"it was compiled for Python {index.python}"
    for file, expected in index.sources.items():
        try:
            found = hash_of((path.parent / file).read_bytes())
        except FileNotFoundError:
            return f"{Path(file).name} is gone"
        except OSError as error:
            return f"{Path(file).name} cannot be read: {error.strerror}"
        if found != expected:
            return f"{Path(file).name} changed"
    for name in index.artifacts:
        if (reason := _unusable(path, name)) is not None:
            return reason
    return None


def _unusable(path: Path, name: str) -> str | None:
    """Say why a run would not use an artifact of a file, as it would say itself; None if it would.

    What it asks of the live stages besides is not known here.
    """
    place = path.parent / FOLDER / f"{name}.py"
    try:
        artifact = Artifact(place, str(path), read(place.with_name(f"{name}.json")))
        content = place.read_bytes()
    except BrokenArtifact as error:
        return str(error)
    except OSError as error:
        return f"{name}.py cannot be read: {error.strerror}"
    if (why := staleness(artifact)) is not None:
        return why.removeprefix("stale: ")
    manifest = artifact.manifest
    if manifest is None or path.name not in manifest.sources or stem_of(place) != stem_for(path):
        return f"{name}.json is of another file"
    if hash_of(content) != manifest.module:
        return f"{name}.py was changed after it was written"
    return None


def list_calls(path: Path) -> Iterator[tuple[str, int, StageReport]]:
    """Give the stages of a file's artifacts that stay calls: each with its chain and its index."""
    folder = path.parent / FOLDER
    for name in read_index(path).artifacts:
        manifest = read(folder / f"{name}.json")
        for index, stage in enumerate(manifest.report):
            if stage.how in STAYS_A_CALL:
                yield manifest.chain, index, stage
