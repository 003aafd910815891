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
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import rivusio
from rivusio.artifacts.manifest import (
    FOLDER,
    FunctionAt,
    Manifest,
    StageReport,
    hash_of,
    stem_for,
    stem_of,
    this_python,
)
from rivusio.compiler.artifacts.index import Index, Unmade
from rivusio.compiler.backends.python.module import GeneratedModule
from rivusio.compiler.ir.stage_info import StageInfo
from rivusio.compiler.locks import one_writer
from rivusio.compiler.resolve.resolve import ResolvedChain
from rivusio.user_code.describe import path_from_here

LEFT = re.compile(r"\..+\.(py|json)\.\w{8}")  # what `_beside` writes
LONGEST = 80  # characters of a chain's name in that of a file: no system takes any number


class ArtifactError(Exception):
    """What was compiled cannot be written; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Written:
    """One chain as it is to be written: its name, its text and its manifest."""

    name: str
    text: str
    manifest: Manifest


def make_manifest(
    path: Path,
    chain: ResolvedChain,
    generated: GeneratedModule,
    report: Sequence[StageReport],
) -> Manifest:
    """Give the manifest of a chain in the file `path`."""
    stages = chain.stages
    functions = [
        _function_at(path, stage, is_inlined=stage.index in generated.inlined) for stage in stages
    ]
    files = {at.file for at in functions if at is not None} | {path.name}
    return Manifest(
        rivusio=rivusio.__version__,
        python=this_python(),
        chain=chain.chain.name,
        module=hash_of(generated.text.encode()),
        sources={file: _hash(path.parent / file) for file in sorted(files)},
        made_by=tuple(astuple(span) for span in chain.made_by),
        shapes=tuple(stage.shape for stage in stages),
        functions=tuple(functions),
        inlined=tuple(sorted(generated.inlined)),
        modules=dict(generated.modules),
        places=dict(generated.places),
        holdings=dict(generated.holdings),
        origins=dict(generated.origins),
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


def name_artifacts(path: Path, chains: Iterable[str]) -> list[str]:
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
