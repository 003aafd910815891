"""Where functions are written: in which file, under which name, and what mypy has against them.

Positions come from the text and not from mypy, which has none for modules out of its cache.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mypy import build, nodes
from mypy.options import Options

from rivusio.compiler.analysis.project_file import (
    ProjectFile,
    find_function,
    is_annotated,
    is_ignored,
    sets_on_first,
)
from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.frontend.functions import (
    FOREIGN,
    NOT_FOUND,
    Function,
    FunctionRef,
    first_line,
    may_be_own,
    needed_around,
)
from rivusio.compiler.frontend.source import Unreadable, parse, read
from rivusio.compiler.known_names import PIPELINE_MODULE
from rivusio.compiler.mypy_server.options import ANY_RETURNED, TELLING


@dataclass(frozen=True)
class Located:
    """A function that was found in its file, or the reason why it is of no use.

    Attributes:
        ref: where it is; None if it is of no use.
        reason: why it is not; empty if it is.
        at: where it is, whatever it is good for.
        is_typed: whether it says its types, and mypy has nothing against its body. The body of
            an overloaded function does not say which of its types a result has.
        returns_any: whether it may give a value of which mypy knows nothing, whatever it says.
    """

    ref: FunctionRef | None
    reason: str
    is_typed: bool = False
    returns_any: bool = True
    at: FunctionRef | None = None


# Large: one answer for each thing that a stage's function may be asked for, out of one tree.
class Project:
    """The files that mypy has read, and what it has said of them."""

    def __init__(
        self,
        result: build.BuildResult,
        asked: Mapping[str, tuple[str, str]],
        complaints: Sequence[Complaint],
        options: Options,
    ) -> None:
        """Take the path and text of each asked module, all that mypy says, and its settings."""
        self.complaints = complaints
        self._result = result
        self._asked = asked
        self._options = options
        self._files: dict[str, ProjectFile | None] = {}
        self._by_path: dict[str, list[Complaint]] = {}
        for each in complaints:
            self._by_path.setdefault(os.path.realpath(each.path), []).append(each)

    def module_of(self, fullname: str) -> str | None:
        """Give the module that a full name starts with."""
        module = fullname
        while module and module not in self._result.graph:
            module = module.rpartition(".")[0]
        return module or None

    def path_of(self, module: str) -> str:
        """Give the path of a module that mypy has read; the user's own for an asked one."""
        path = self._asked[module][0] if module in self._asked else self._result.graph[module].path
        return path or ""

    def imported_by(self, module: str) -> list[str]:
        """Give the modules of the project that one imports, in their order."""
        found = self._result.graph[module].dependencies
        return sorted(each for each in found if each != module and not self.is_foreign(each))

    def files_of(self, module: str) -> tuple[str, ...]:
        """Give the files of the project that a module is made of: what it imports, and so on."""
        found, waiting = {module}, [module]
        while waiting:
            for each in self.imported_by(waiting.pop()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return tuple(sorted(map(self.path_of, found - {module})))

    def misses_rivusio(self, module: str) -> bool:
        """Tell whether a module imports rivusio, and mypy has found none, or no true one."""
        if PIPELINE_MODULE in self._result.graph:
            return False
        state = self._result.graph[module]
        imported = (*state.dependencies, *state.suppressed)
        return any(each.partition(".")[0] == "rivusio" for each in imported)

    def is_foreign(self, module: str) -> bool:
        """Tell whether a module is installed, built in, or rivusio's own."""
        state = self._result.graph.get(module)
        if state is None or state.path is None or module.partition(".")[0] == "rivusio":
            return True
        return not may_be_own(state.path)

    def is_stub(self, module: str) -> bool:
        """Tell whether mypy has read no more of a module than its types."""
        state = self._result.graph.get(module)
        return state is None or state.path is None or not state.path.endswith(".py")

    def locate(self, node: nodes.FuncDef | nodes.LambdaExpr, module: str) -> Located:
        """Find a function in the file of its module."""
        if self.is_foreign(module):
            return Located(None, FOREIGN, returns_any=False)
        file = self._file(module)
        found = None if file is None else find_function(file, node, module)
        if file is None or found is None:
            return Located(None, NOT_FOUND)
        start = first_line(found.node)
        codes = file.codes.get((found.qualname, start), [])
        if not codes:
            return Located(None, NOT_FOUND)
        path = file.source.path
        ref = FunctionRef(module, path, found.qualname, start, found.node.col_offset)
        if around := next(filter(None, map(needed_around, codes)), None):
            return Located(None, around, at=ref)
        is_silent = self._is_silent(module) or is_ignored(file.source, found.node)
        said = set(self._said(path, found.node))
        is_clean = not is_silent and not said - {ANY_RETURNED}
        return Located(
            ref,
            "",
            is_typed=is_clean and is_annotated(found) and found.qualname not in file.overloaded,
            returns_any=is_silent or ANY_RETURNED in said,
            at=ref,
        )

    def init_of(self, info: nodes.TypeInfo) -> ast.FunctionDef | None:
        """Give the `__init__` that is written in a class; None if there is none to be read.

        Raises:
            LookupError: when the class is not to be read at all.
        """
        module = info.module_name
        file = None if self.is_foreign(module) else self._file(module)
        if file is None:
            raise LookupError(module)
        node = info.names["__init__"].node
        if not isinstance(node, nodes.FuncDef):
            raise LookupError(module)
        found = find_function(file, node, module)
        return found.node if found and isinstance(found.node, ast.FunctionDef) else None

    def sets_on_itself(self, info: nodes.TypeInfo, name: str) -> bool:
        """Tell whether a class's own methods assign an attribute of that name to their object."""
        module = info.module_name
        file = None if self.is_foreign(module) else self._file(module)
        if file is None:
            return False
        inside = f"{info.fullname.removeprefix(f'{module}.')}."
        return any(
            sets_on_first(each.node, name)
            for there in file.functions.values()
            for each in there
            if each.class_name == info.name and each.qualname.startswith(inside)
        )

    def names_of(self, module: str) -> tuple[str, ...]:
        """Give the names that a module has, but those of type variables.

        A type variable means something only in the function that is generic in it.
        """
        tree = self._result.files.get(module)
        found = {} if tree is None else tree.names
        names = {
            name for name, its in found.items() if not isinstance(its.node, nodes.TypeVarLikeExpr)
        }
        return tuple(sorted(names - {"__builtins__"}))  # mypy has it only at times

    def _file(self, module: str) -> ProjectFile | None:
        if module not in self._files:
            self._files[module] = self._read(module)
        return self._files[module]

    def _read(self, module: str) -> ProjectFile | None:
        path = self._result.graph[module].path
        try:
            if module in self._asked:
                return ProjectFile(parse(*self._asked[module]), is_asked=True)
            return None if path is None else ProjectFile(read(path), is_asked=False)
        except (Unreadable, SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def _is_silent(self, module: str) -> bool:
        """Tell whether mypy would say nothing of a module, whatever is in it."""
        options = self._options.clone_for_module(module)
        state = self._result.graph[module]
        tells = all(getattr(options, name) for name in TELLING)
        return state.ignore_all or options.ignore_errors or not tells

    def _said(self, path: str, node: Function) -> Iterator[str]:
        """Give the codes of what mypy has against a function."""
        end = node.end_lineno or node.lineno
        for each in self._by_path.get(os.path.realpath(path), ()):
            if not node.lineno <= each.line <= end:
                continue
            if isinstance(node, ast.Lambda):
                place = each.line, each.column
                if not (node.lineno, node.col_offset) <= place < (end, node.end_col_offset or 0):
                    continue
            yield each.code or ""
