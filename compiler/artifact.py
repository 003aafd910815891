"""Writes what was compiled beside the user's file, whole or not at all.

    flights.py
    __rivusio__/flights__late.py        the module of the chain `late`
    __rivusio__/flights__late.json      what it was made from, and what its lines mean
    __rivusio__/flights.index.json      which chains there are, so that nothing is done twice

A file is written beside its place and then moved there. The manifest has the hash of its module,
so a reader that comes between the two sees that they do not belong together, and interprets.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

import rivusio
from rivusio.compiled.manifest import (
    FOLDER,
    BrokenArtifact,
    FunctionAt,
    Manifest,
    StageReport,
    hash_of,
    read,
    stem_for,
    stem_of,
    this_python,
)
from rivusio.compiler.emit import Emitted
from rivusio.compiler.plan import StageInfo
from rivusio.compiler.report import STAYS_A_CALL
from rivusio.compiler.resolve import ResolvedChain

LONGEST = 80  # characters of a chain's name in that of a file: no system takes any number


class ArtifactError(Exception):
    """What was compiled cannot be written; the message says why, in one line."""


class Index(BaseModel):
    """Which chains of a file were compiled, and from what.

    Attributes:
        rivusio: the version that compiled them.
        python: the version of Python.
        sources: the hash of every file that was looked at, by its path from the user's file.
        artifacts: the names of the artifacts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rivusio: str
    python: str
    sources: dict[str, str]
    artifacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """One chain as it is to be written: its name, its text and its manifest."""

    name: str
    text: str
    manifest: Manifest


def manifest_of(
    path: Path,
    chain: ResolvedChain,
    emitted: Emitted,
    report: Sequence[StageReport],
) -> Manifest:
    """Give the manifest of a chain in the file `path`."""
    stages = chain.stages
    functions = [
        _function_at(path, stage, is_inlined=stage.index in emitted.inlined) for stage in stages
    ]
    files = {at.file for at in functions if at is not None} | {path.name}
    return Manifest(
        rivusio=rivusio.__version__,
        python=this_python(),
        chain=chain.chain.name,
        module=hash_of(emitted.text.encode()),
        sources={file: _hash(path.parent / file) for file in sorted(files)},
        made_by=tuple(astuple(span) for span in chain.made_by),
        shapes=tuple(stage.shape for stage in stages),
        functions=tuple(functions),
        inlined=tuple(sorted(emitted.inlined)),
        modules=dict(emitted.modules),
        places=dict(emitted.places),
        holdings=dict(emitted.holdings),
        origins=dict(emitted.origins),
        report=tuple(report),
    ).sealed()


def _function_at(path: Path, stage: StageInfo, *, is_inlined: bool) -> FunctionAt | None:
    at = stage.written_at
    if at is None or not (is_inlined or at.is_only):
        return None  # another of that name may be called, where Python ran another definition
    return FunctionAt(
        file=relative(path, at.file),
        qualname=at.qualname,
        line=at.line,
        ordinal=at.ordinal,
        among=at.among,
        by_itself=at.is_only and at.by_itself,
    )


def relative(path: Path, file: str) -> str:
    """Give a file's path as seen from the folder of the user's file, the same on every machine."""
    return Path(os.path.relpath(file, path.parent)).as_posix()


def _hash(file: Path) -> str:
    try:
        return hash_of(file.read_bytes())
    except OSError as error:
        message = f'cannot read "{file}": {error.strerror}'
        raise ArtifactError(message) from error


def artifact_names(path: Path, chains: Iterable[str]) -> list[str]:
    """Give a file name for each chain of a file; no two are the same."""
    names: list[str] = []
    stem = stem_for(path)
    for chain in chains:
        # Two underscores are only between the two: `stem_of` relies on it.
        words = re.sub(r"[\W_]+", "_", chain.replace(".<locals>", ""))
        words = words[:LONGEST].strip("_") or "chain"
        name, number = f"{stem}__{words}", 2
        while name.casefold() in (each.casefold() for each in names):
            name, number = f"{stem}__{words}_{number}", number + 1
        names.append(name)
    return names


def write(path: Path, written: Sequence[Written], looked_at: Iterable[str]) -> Path:
    """Write the artifacts of a file, and take away those of chains that are no more.

    Gives their folder.

    Raises:
        ArtifactError: when they cannot be written.
    """
    folder, stem = path.parent / FOLDER, stem_for(path)
    index = Index(
        rivusio=rivusio.__version__,
        python=this_python(),
        sources={relative(path, file): _hash(Path(file)) for file in sorted(set(looked_at))},
        artifacts=tuple(each.name for each in written),
    )
    try:
        folder.mkdir(exist_ok=True)
        for each in written:
            _replace(folder / f"{each.name}.py", each.text)
            _replace(folder / f"{each.name}.json", each.manifest.text())
        _replace(folder / f"{stem}.index.json", index.model_dump_json(indent=1) + "\n")
        _take_away(folder, stem, {each.name for each in written})
    except OSError as error:
        message = f'cannot write to "{folder}": {error.strerror}'
        raise ArtifactError(message) from error
    return folder


def _replace(path: Path, text: str) -> None:
    """Write a file in one step; one that says the same already is left alone."""
    content = text.encode()
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _take_away(folder: Path, stem: str, names: set[str]) -> None:
    """Take away the artifacts of a file but those of these names."""
    for path in sorted(folder.iterdir()):
        is_artifact = path.suffix in (".json", ".py") and stem_of(path) == stem
        if is_artifact and path.stem not in names:
            path.unlink(missing_ok=True)


def _index(folder: Path, stem: str) -> Index:
    """Read the index of a file.

    Raises:
        BrokenArtifact: when there is none, or it is no index.
    """
    try:
        return Index.model_validate_json((folder / f"{stem}.index.json").read_bytes())
    except OSError as error:
        message = "it was not compiled"
        raise BrokenArtifact(message) from error
    except ValidationError as error:
        message = f"{stem}.index.json is broken"
        raise BrokenArtifact(message) from error


def outdated(path: Path) -> str | None:
    """Say why the artifacts of a file are not those of its chains as they are; None if they are."""
    folder = path.parent / FOLDER
    try:
        index = _index(folder, stem_for(path))
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
        if (reason := _broken(folder / name)) is not None:
            return reason
    return None


def calls(path: Path) -> Iterator[tuple[str, int, StageReport]]:
    """Give the stages of a file's artifacts that stay calls: each with its chain and its index."""
    folder = path.parent / FOLDER
    for name in _index(folder, stem_for(path)).artifacts:
        manifest = read(folder / f"{name}.json")
        for index, stage in enumerate(manifest.report):
            if stage.how in STAYS_A_CALL:
                yield manifest.chain, index, stage


def _broken(stem: Path) -> str | None:
    try:
        manifest = read(stem.with_name(f"{stem.name}.json"))
        content = stem.with_name(f"{stem.name}.py").read_bytes()
    except BrokenArtifact as error:
        return str(error)
    except OSError as error:
        return f"{stem.name}.py cannot be read: {error.strerror}"
    if hash_of(content) != manifest.module:
        return f"{stem.name}.py was changed after it was written"
    return None
