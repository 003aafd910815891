"""What stands beside a generated module: what it was made from, and what its lines mean.

    __rivusio__/flights__late.py      the module
    __rivusio__/flights__late.json    this

Paths are relative to the folder that holds `__rivusio__`, so both can be moved together, and are
the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from rivusio.artifacts.program import Holding, Place, Statement
from rivusio.graph.origins import Stretch
from rivusio.graph.signature import Shape

FORMAT = 2
FOLDER = "__rivusio__"


class FunctionAt(BaseModel):
    """Where the function of a stage is written.

    Attributes:
        file: the file.
        qualname: its qualified name.
        line: its first line.
        ordinal: which it is of the functions of that name and line, from the left: of two lambdas
            in one line, say.
        among: how many those are.
        by_itself: whether it is enough to know that it is called: no type of the place where it is
            called has a say in the code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    qualname: str
    line: int
    ordinal: int = 0
    among: int = 1
    by_itself: bool = True


class StageReport(BaseModel):
    """What was made of one stage, for `rivusio explain`.

    Attributes:
        name: what it is called.
        loop: the number of the loop that it stands in.
        how: `"inlined"`, `"called"`, `"awaited"` and so on.
        why: why it is no better than that.
        where: the user's file and line.
        takes: the type of its items.
        gives: the type of its results.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    loop: int
    how: str
    why: str = ""
    where: str = ""
    takes: str = "Any"
    gives: str = "Any"


class Manifest(BaseModel):
    """Everything that is known of a generated module.

    Attributes:
        format: the version of this record.
        rivusio: the version that wrote it.
        python: the version of Python that it was written for, such as `"3.11"`.
        chain: what the chain is called.
        module: the hash of the generated module.
        sources: the hash of every file that it was made from, by its path.
        made_by: the expression that makes the chain, if the file has it; where Python notes
            another one than the text shows, both.
        shapes: what of the stages decided how the module looks.
        functions: for each stage, where its function is written, if that is known.
        inlined: the stages whose bodies stand in the module.
        modules: the user's modules that it reads, by its names for them: a stage that has it.
        places: what happens at its lines.
        holdings: the locals of its functions that hold items.
        origins: its lines that are statements of the user's.
        report: what was made of each stage.
        seal: the hash of all the others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    rivusio: str
    python: str
    chain: str
    module: str
    sources: dict[str, str]
    made_by: tuple[Stretch, ...] = ()
    shapes: tuple[Shape, ...]
    functions: tuple[FunctionAt | None, ...]
    inlined: tuple[int, ...]
    modules: dict[str, int]
    places: dict[int, Place]
    holdings: dict[str, tuple[Holding, ...]]
    origins: dict[int, Statement]
    report: tuple[StageReport, ...]
    seal: str = ""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Manifest:
        stages = len(self.shapes)
        of_stages = {*self.inlined, *self.modules.values()}
        if not (len(self.functions) == len(self.report) == stages) or not (
            of_stages <= set(range(stages))
        ):
            message = "its parts are not of the same stages"
            raise ValueError(message)
        return self

    def sealed(self) -> Manifest:
        """Give the same manifest with its seal."""
        return self.model_copy(update={"seal": _seal_of(self.model_dump(mode="json"))})

    def text(self) -> str:
        """Give it as it is written."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


class BrokenArtifact(Exception):  # noqa: N818  it is an answer, shown as one line
    """A manifest or module that cannot be trusted, and why."""


def read(path: Path) -> Manifest:
    """Read a manifest that this version of rivusio has written, whole and unchanged.

    Raises:
        BrokenArtifact: when it is not that.
    """
    try:
        found: Any = json.loads(path.read_bytes())
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}"
        raise BrokenArtifact(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{path.name} is broken"
        raise BrokenArtifact(message) from error
    if isinstance(found, dict) and found.get("format") not in (None, FORMAT):
        message = f"{path.name} was written by another version of rivusio"
        raise BrokenArtifact(message)
    try:
        manifest = Manifest.model_validate(found)
    except ValidationError as error:
        message = f"{path.name} is broken"
        raise BrokenArtifact(message) from error
    if manifest.seal != _seal_of(manifest.model_dump(mode="json")):
        message = f"{path.name} was changed after it was written"
        raise BrokenArtifact(message)
    return manifest


def _seal_of(record: dict[str, Any]) -> str:
    record = {name: value for name, value in record.items() if name != "seal"}
    return hash_of(json.dumps(record, sort_keys=True).encode())


def hash_of(content: bytes) -> str:
    """Give the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def stem_for(file: str | Path) -> str:
    """Give what the names of a user's file's artifacts begin with.

    >>> stem_for("flights.py"), stem_for("flights")  # they may stand side by side
    ('flights', 'flights+')
    """
    name = Path(file).name
    return name.removesuffix(".py") if name.endswith(".py") else f"{name}+"


def stem_of(path: Path) -> str | None:
    """Give the name of the user's file that an artifact is of, going by the artifact's name.

    >>> stem_of(Path("__rivusio__/flights__late.json"))
    'flights'
    >>> stem_of(Path("__rivusio__/flights__new__late.json"))  # of flights__new.py
    'flights__new'
    """
    stem, _, chain = path.stem.rpartition("__")  # an index is `stem.index`; no chain has a dot
    return stem if stem and "." not in chain else None


def this_version() -> str:
    """Give the version of rivusio that is running."""
    version: str = sys.modules["rivusio"].__version__  # importing it here would be a circle
    return version


def this_python() -> str:
    """Give the version of Python that decides how code is read."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
