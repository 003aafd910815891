"""Which of the artifacts of a file is of a chain: by its functions, or by the place that makes it.

An artifact stands for the functions that its stages called when it was compiled. Where each of
them is known, and is the one that a stage calls now, that is enough, wherever the chain was made.
Where one is not known (a builtin, what a library has made, an object of which nobody says what it
is), the expression that makes the chain decides: two chains may have the same stages to look at,
and what was found out about one of them need not hold of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rivusio.artifacts.guards import shape_difference
from rivusio.artifacts.manifest import Manifest
from rivusio.artifacts.store import Artifact, is_function, is_named
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.origins import Place, is_made_by
from rivusio.graph.signature import Shape, shapes_of
from rivusio.graph.stage import Stage

OTHER_SETTINGS = (
    "it has other settings than it was compiled with; give them to the chain with "
    ".with_config(...), and not to the run"
)


@dataclass(frozen=True, slots=True)
class Starting:
    """A chain of which a run starts now.

    Attributes:
        stages: its stages, with the settings that the run gives them.
        read_ahead: the buffer of the run as a whole.
        place: what has made the chain, if that is known.
        is_set_by_run: whether the run has given settings to stages.
    """

    stages: Sequence[Stage]
    read_ahead: BackpressureConfig | None
    place: Place | None
    is_set_by_run: bool = False

    def shapes(self) -> tuple[Shape, ...]:
        """Give the shapes of its stages, the buffer of the run included."""
        return shapes_of(self.stages, self.read_ahead)


def fitting(
    candidates: Sequence[Artifact], starting: Starting, shapes: tuple[Shape, ...]
) -> Iterator[Artifact]:
    """Give the artifacts that are of a chain, as far as can be told before one is loaded."""
    for artifact in candidates:
        manifest = artifact.manifest
        if manifest is None or manifest.shapes != shapes:
            continue
        if _is_made_there(artifact, starting.place):
            fits = _other_function(manifest, starting.stages) is None
        else:
            fits = _is_known(artifact, manifest, starting.stages)
        if fits:
            yield artifact


def _is_made_there(artifact: Artifact, place: Place | None) -> bool:
    """Tell whether a place is that of the expression that makes the artifact's chain."""
    manifest = artifact.manifest
    if manifest is None or place is None or place.file != artifact.of or not manifest.made_by:
        return False
    found = place.stretch
    return found is not None and any(is_made_by(found, each) for each in manifest.made_by)


def _is_known(artifact: Artifact, manifest: Manifest, stages: Sequence[Stage]) -> bool:
    """Tell whether each stage that calls something calls the very function that is known."""
    return all(
        shape.entry == "pass" or (at is not None and at.by_itself and is_function(artifact, *each))
        for shape, at, each in zip(
            manifest.shapes, manifest.functions, enumerate(stages), strict=True
        )
    )


def _other_function(manifest: Manifest, stages: Sequence[Stage]) -> int | None:
    """Give the first stage whose function is known, and another one now; None if there is none."""
    for index, (at, stage) in enumerate(zip(manifest.functions, stages, strict=True)):
        if at is not None and not is_named(at, stage):
            return index
    return None


def why_none_fits(
    candidates: Sequence[Artifact], starting: Starting, shapes: tuple[Shape, ...]
) -> str | None:
    """Say how a chain differs from what was compiled of it; None if nothing was."""
    names = [stage.name for stage in starting.stages]
    for artifact in candidates:
        manifest = artifact.manifest
        if manifest is None or not _is_likely(artifact, manifest, starting, names):
            continue
        if shapes != manifest.shapes:
            if starting.is_set_by_run or starting.read_ahead is not None:
                return OTHER_SETTINGS
            return shape_difference(starting.stages, shapes, manifest.shapes)
        if (index := _other_function(manifest, starting.stages)) is not None:
            return f"stage {index + 1} {names[index]!r} calls another function"
    return None


def _is_likely(
    artifact: Artifact, manifest: Manifest, starting: Starting, names: list[str]
) -> bool:
    """Tell whether an artifact is of a chain: by its place, or by its names if there is none."""
    if _is_made_there(artifact, starting.place):
        return True
    has_no_place = starting.place is None or not manifest.made_by
    return has_no_place and [each.name for each in manifest.report] == names
