"""Writes what was compiled beside the user's file, whole or not at all.

    flights.py
    __rivusio__/flights__late.py        the module of the chain `late`
    __rivusio__/flights__late.json      what it was made from, and what its lines mean
    __rivusio__/flights.index.json      which chains there are, with a module or without, and why

A file is written beside its place and then moved there. The manifest has the hash of its module,
so a reader that comes between the two sees that they do not belong together, and interprets.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import rivusio
from rivusio.artifacts.manifest import (
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
from rivusio.artifacts.store import Artifact, staleness
from rivusio.compiler.backends.python.module import Emitted
from rivusio.compiler.ir.explain import STAYS_A_CALL
from rivusio.compiler.ir.plan import StageInfo
from rivusio.compiler.locks import one_writer
from rivusio.compiler.resolve.resolve import ResolvedChain
from rivusio.user_code.describe import path_from_here

INDEX_FORMAT = 2
LEFT = re.compile(r"\..+\.(py|json)\.\w{8}")  # what `_beside` writes
LONGEST = 80  # characters of a chain's name in that of a file: no system takes any number


class ArtifactError(Exception):
    """What was compiled cannot be written; the message says why, in one line."""


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
        message = f'cannot read "{path_from_here(file)}": {error.strerror}'
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


def snapshot(files: Iterable[str]) -> dict[str, str]:
    """Give the hash of each file as it is now.

    Raises:
        ArtifactError: when one cannot be read.
    """
    return {file: _hash(Path(file)) for file in files}


def write(
    path: Path,
    written: Sequence[Written],
    unmade: Sequence[Unmade],
    looked_at: Mapping[str, str],
    *,
    imported: bool,
) -> Path:
    """Write the artifacts of a file, and take away those of chains that are no more.

    All are written beside their places first: where that fails, what was there is there still.
    While a chain is to be mended, what has no chain stays, too: it may be that one's.

    Args:
        path: the user's file.
        written: its chains with a module.
        unmade: its other chains.
        looked_at: the hash of every file that they were made from, by its path.
        imported: whether the file was allowed to be imported.

    Gives their folder.

    Raises:
        ArtifactError: when they cannot be written, or a file has changed meanwhile.
    """
    folder, stem = path.parent / FOLDER, stem_for(path)
    index = Index(
        rivusio=rivusio.__version__,
        python=this_python(),
        imported=imported,
        sources=dict(sorted((relative(path, file), its) for file, its in looked_at.items())),
        artifacts=tuple(each.name for each in written),
        unmade=tuple(unmade),
    )
    texts = {f"{each.name}.py": each.text for each in written}
    texts |= {f"{each.name}.json": each.manifest.text() for each in written}
    texts[f"{stem}.index.json"] = index.model_dump_json(indent=1) + "\n"  # the last word
    try:
        folder.mkdir(exist_ok=True)
        with one_writer(folder) as is_alone:
            if is_alone:
                _remove_left(folder)
            _refuse_changed(looked_at)
            _replace_all(folder, texts)
            if not any(each.failed for each in unmade):
                _take_away(folder, stem, {each.name for each in written})
    except OSError as error:
        message = f'cannot write to "{folder}": {error.strerror}'
        raise ArtifactError(message) from error
    return folder


def _refuse_changed(looked_at: Mapping[str, str]) -> None:
    for file, expected in looked_at.items():
        if _hash(Path(file)) != expected:
            message = (
                f'"{path_from_here(Path(file))}" changed while it was compiled; compile it again'
            )
            raise ArtifactError(message)


def _replace_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files, each in one step, and none before all can be."""
    with contextlib.ExitStack() as beside:
        ready = [
            (temporary, folder / name)
            for name, text in texts.items()
            if (temporary := _beside(folder / name, text, beside)) is not None
        ]
        for temporary, place in ready:
            temporary.replace(place)


def _beside(path: Path, text: str, beside: contextlib.ExitStack) -> Path | None:
    """Write what is to take a file's place; None if the file says the same already."""
    content = text.encode()
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return None
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside.callback(_remove, Path(name))
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    return Path(name)


def _remove_left(folder: Path) -> None:
    """Remove what a writer has left that was killed."""
    for path in folder.iterdir():
        if LEFT.fullmatch(path.name):
            _remove(path)


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):  # it may have taken its place
        temporary.unlink()


def _take_away(folder: Path, stem: str, names: set[str]) -> None:
    """Take away the artifacts of a file but those of these names."""
    for path in sorted(folder.iterdir()):
        is_artifact = path.suffix in (".json", ".py") and stem_of(path) == stem
        if is_artifact and path.stem not in names:
            path.unlink(missing_ok=True)


def index_of(path: Path) -> Index:
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


def outdated(path: Path) -> str | None:
    """Say why the artifacts of a file are not those of its chains as they are; None if they are.

    They are if a run would use each of them, and nothing of what they were made from has changed.
    """
    try:
        index = index_of(path)
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


def calls(path: Path) -> Iterator[tuple[str, int, StageReport]]:
    """Give the stages of a file's artifacts that stay calls: each with its chain and its index."""
    folder = path.parent / FOLDER
    for name in index_of(path).artifacts:
        manifest = read(folder / f"{name}.json")
        for index, stage in enumerate(manifest.report):
            if stage.how in STAYS_A_CALL:
                yield manifest.chain, index, stage
