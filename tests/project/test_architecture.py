"""The house rules that no other tool holds: who imports whom, what is public, how long."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import rivusio
from rivusio.compiler import known_names
from tests.places import ROOT

# What a production install need not have, and what only the command line shows itself with.
FORBIDDEN_AT_RUN_TIME = {"rivusio.compiler", "libcst", "jinja2", "mypy", "click", "rich"}
# pydantic_core is a part of pydantic: always installed with it, in the version that it asks for.
ALLOWED_AT_RUN_TIME = {*sys.stdlib_module_names, "pydantic", "pydantic_core", "rivusio"}

# Imports that may close a circle, as (importer, imported): the reason.
CIRCLES_WITH_A_REASON: dict[tuple[str, str], str] = {}

# The folders, and the files beside them, each of which imports only itself and those above it.
ORDER = (
    "rivusio.items",
    "rivusio.safe_repr",
    "rivusio.errors",
    "rivusio.time",
    "rivusio.graph",
    "rivusio.observe",
    "rivusio.artifacts",
    "rivusio.engine",
    "rivusio.interpreter",
    "rivusio.compiled",
    "rivusio.runs",
    "rivusio.pipes",
    "rivusio.io",
    "rivusio.connectors",
    "rivusio.user_code",
    "rivusio.testing",
    "rivusio.compiler.known_names",
    "rivusio.compiler.diagnostics",
    "rivusio.compiler.locks",
    "rivusio.compiler.frontend",
    "rivusio.compiler.mypy_server",
    "rivusio.compiler.typecheck",
    "rivusio.compiler.analysis",
    "rivusio.compiler.ir",
    "rivusio.compiler.resolve",
    "rivusio.compiler.inlining",
    "rivusio.compiler.passes",
    "rivusio.compiler.backends",
    "rivusio.compiler.artifacts",
    "rivusio.compiler.validate",
    "rivusio.compiler.apart",
    "rivusio.compiler.check",
    "rivusio.compiler.planning",
    "rivusio.compiler.driver",
    "rivusio.compiler.jit",
    "rivusio.compiler.mypy_worker",
    "rivusio.compiler.mypy_plugin",
    "rivusio.cli",
)
# Public paths: they only give what stands elsewhere, and nothing of ours imports them.
FACES = {
    "rivusio",
    "rivusio.compiler",
    "rivusio.monitoring",
    "rivusio.mypy_plugin",
    "rivusio.streams",
}

NAMES_OF_0_2 = {
    "AsyncBasePipe",
    "AsyncPipeline",
    "AsyncStream",
    "BasePipe",
    "BatchT",
    "ExecutionStrategy",
    "InputType",
    "Message",
    "MessageMetadata",
    "MetricValue",
    "MetricWindow",
    "MetricsCollector",
    "OutputType",
    "ParallelConfig",
    "PipeConfig",
    "PipeError",
    "PipelineError",
    "PipelineMetricsMixin",
    "PipelineMonitor",
    "PluginRegistry",
    "StreamConfig",
    "SyncBasePipe",
    "SyncPipeline",
    "SyncStream",
    "T",
    "register_async_sink",
    "register_async_source",
    "register_sync_sink",
    "register_sync_source",
}


@dataclass(frozen=True)
class Import:
    """One imported module, and how and where it is imported."""

    module: str
    where: str
    lazy: bool = False
    for_types: bool = False

    def is_of(self, packages: set[str]) -> bool:
        """Tell whether the module is one of the packages, or in one."""
        parts = self.module.split(".")
        return any(".".join(parts[:end]) in packages for end in range(1, len(parts) + 1))


def python_files() -> dict[str, Path]:
    """Give every module of the package by its import name, each from its real folder."""
    files = {}
    for folder, package in (("rivusio", "rivusio"), ("compiler", "rivusio.compiler")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if folder == "rivusio" and parts[0] in {"compiler", "templates"}:
                continue  # a link, which some versions of rglob follow
            files[".".join([package, *parts]).removesuffix(".__init__")] = path
    return files


FILES = python_files()
# The files that a program never imports: they belong to the command line and to type checkers.
TOOLS = {
    name
    for name in FILES
    if name.startswith(("rivusio.cli", "rivusio.io")) or name == "rivusio.mypy_plugin"
}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
RUNTIME = [name for name in FILES if name not in TOOLS and not name.startswith("rivusio.compiler")]


def imports_of(name: str) -> list[Import]:
    """Give all imports of a module."""
    return list(_imports_in(name, TREES[name], lazy=False, for_types=False))


def _imports_in(name: str, node: ast.AST, *, lazy: bool, for_types: bool) -> Iterator[Import]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        where = f"{FILES[name].relative_to(ROOT)}:{node.lineno}"
        for module in _modules_of(name, node):
            yield Import(module, where, lazy=lazy, for_types=for_types)
    elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        at_run_time = ast.unparse(node.test).startswith("not ")
        for branch, types in ((node.body, not at_run_time), (node.orelse, at_run_time)):
            for statement in branch:
                yield from _imports_in(name, statement, lazy=lazy, for_types=for_types or types)
    else:
        lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.iter_child_nodes(node):
            yield from _imports_in(name, child, lazy=lazy, for_types=for_types)


def _modules_of(name: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, f"{FILES[name]}:{node.lineno} imports relatively"
    module = node.module or ""
    found = {f"{module}.{alias.name}" for alias in node.names} & FILES.keys()
    if len(found) < len(node.names):
        found.add(module)
    return sorted(found)


def in_a_fresh_process(code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where this very copy of the project is imported."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def project_files() -> Iterator[Path]:
    """Give every file that belongs to the project, links left out."""
    folders = [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_symlink() or _is_made_here(path.name):
                continue
            if path.is_dir():
                folders.append(path)
            else:
                yield path


def _is_made_here(name: str) -> bool:
    """Tell whether .gitignore names such a file or folder."""
    made = {".git", "__pycache__", "__rivusio__", "dist", ".coverage", ".hypothesis", ".fuzz"}
    return name in made or name.startswith(".venv") or name.endswith(("_cache", ".egg-info"))


# --- who imports whom ---------------------------------------------------------------------------


def test_there_is_no_import_circle() -> None:
    graph = {
        name: {
            each.module
            for each in imports_of(name)
            if not each.for_types and (name, each.module) not in CIRCLES_WITH_A_REASON
        }
        & FILES.keys()
        for name in FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " imports ".join(reversed(error.args[1]))
        pytest.fail(f"import circle: {circle}", pytrace=False)


def test_every_excused_circle_is_still_there() -> None:
    imports = {(name, each.module) for name in FILES for each in imports_of(name)}
    assert CIRCLES_WITH_A_REASON.keys() <= imports
    assert all(CIRCLES_WITH_A_REASON.values())


def room_of(name: str) -> str:
    """Give the folder that a module stands in, or the module itself where it stands at the top."""
    parts = name.split(".")
    top = 2 if parts[1:2] == ["compiler"] else 1
    is_folder = FILES[name].name == "__init__.py"
    folder = parts if is_folder else parts[:-1]
    return name if len(folder) == top else ".".join(folder[: top + 1])


def test_every_folder_has_its_place_in_the_order() -> None:
    assert {room_of(name) for name in FILES} == {*ORDER, *FACES}
    assert len(set(ORDER)) == len(ORDER)


def may_import(here: str, there: str) -> bool:
    """Tell whether a folder may import another; what only uses rivusio may use its public path."""
    if there in FACES:
        return there == "rivusio" and ORDER.index(here) >= ORDER.index("rivusio.testing")
    return ORDER.index(there) <= ORDER.index(here)


def test_no_folder_imports_upwards() -> None:
    upwards = [
        f"{each.where}: {here} imports {there}"
        for name in FILES
        if (here := room_of(name)) in ORDER
        for each in imports_of(name)
        if each.module in FILES and not may_import(here, there := room_of(each.module))
    ]
    assert not upwards


@pytest.mark.parametrize("name", RUNTIME)
def test_the_runtime_imports_only_the_standard_library_and_pydantic(name: str) -> None:
    strangers = [
        f"{each.where} imports {each.module}"
        for each in imports_of(name)
        if not each.for_types and not each.is_of(ALLOWED_AT_RUN_TIME)
    ]
    assert not strangers


@pytest.mark.parametrize("name", RUNTIME)
def test_the_runtime_names_no_tool_even_for_its_types(name: str) -> None:
    tools = [
        f"{each.where} imports {each.module}"
        for each in imports_of(name)
        if each.is_of(FORBIDDEN_AT_RUN_TIME | TOOLS)
    ]
    assert not tools


def test_importing_the_runtime_loads_no_tool() -> None:
    modules = ", ".join(RUNTIME)
    ended = in_a_fresh_process(f"import sys, {modules}; print(*sys.modules)")
    assert ended.returncode == 0, ended.stderr
    tools = [
        name
        for name in ended.stdout.split()
        if Import(name, "").is_of(FORBIDDEN_AT_RUN_TIME | TOOLS)
    ]
    assert not tools, f"loaded by the runtime: {tools}"


def test_a_tool_reaches_for_the_compiler_only_lazily() -> None:
    at_once = [
        f"{each.where} imports {each.module} at once; do it in the function that needs it"
        for name in sorted(TOOLS)
        for each in imports_of(name)
        if each.is_of({"rivusio.compiler"}) and not each.lazy and not each.for_types
    ]
    assert not at_once


def test_nothing_imports_the_command_line() -> None:
    importers = [
        each.where
        for name in FILES
        for each in imports_of(name)
        if each.is_of({"rivusio.cli"}) and not name.startswith("rivusio.cli")
    ]
    assert not importers


def test_nothing_imports_the_compiler_by_its_folder() -> None:
    importers = [
        each.where for name in FILES for each in imports_of(name) if each.is_of({"compiler"})
    ]
    assert not importers, "import it as rivusio.compiler"


# --- names in text ------------------------------------------------------------------------------

NAME_OF_OURS = re.compile(r"rivusio(\.\w+)+\.?")


def _names_of_ours() -> dict[str, str]:
    """Give every string of the code that is the name of something of ours, with its place."""
    found = {each: "known_names" for each in vars(known_names).values() if isinstance(each, str)}
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, f"{FILES[name].relative_to(ROOT)}:{node.lineno}")
    return {each: where for each, where in found.items() if NAME_OF_OURS.fullmatch(each)}


def _is_there(name: str) -> bool:
    """Tell whether a name leads to a module, or to something in one."""
    for cut in range(name.count(".") + 1):
        module, *rest = name.rsplit(".", cut)
        if module in FILES:
            found: object = import_module(module)
            for each in rest:
                found = getattr(found, each, None)
            return found is not None
    return False


def test_every_name_of_ours_that_is_text_leads_somewhere() -> None:
    names = _names_of_ours()
    assert len(names) > 30
    lost = [f"{where}: {each}" for each, where in names.items() if not _is_there(each.rstrip("."))]
    assert not lost


def test_only_known_names_hold_names_that_mypy_gives() -> None:
    """A class's full name in any other room would be lost without a word when the class moves."""
    elsewhere = [
        f"{FILES[name].relative_to(ROOT)}:{node.lineno}: {node.value}"
        for name in FILES
        if name.startswith("rivusio.compiler.") and name != "rivusio.compiler.known_names"
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if NAME_OF_OURS.fullmatch(node.value)
    ]
    assert not elsewhere


# --- where things are ---------------------------------------------------------------------------


def test_the_compiler_refuses_to_be_imported_by_its_folder() -> None:
    ended = in_a_fresh_process("import compiler")
    assert ended.returncode == 1
    assert "ImportError: import this package as rivusio.compiler, not as compiler" in ended.stderr


def test_the_compiler_can_be_imported_by_its_name() -> None:
    ended = in_a_fresh_process("import rivusio.compiler")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("folder", ["compiler", "templates"])
def test_a_folder_at_the_top_is_linked_into_the_package(folder: str) -> None:
    link = ROOT / "rivusio" / folder
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder).is_symlink()
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == rivusio.__version__


# --- what is public -----------------------------------------------------------------------------


def test_all_is_sorted_without_duplicates() -> None:
    assert rivusio.__all__ == sorted(set(rivusio.__all__))


def test_all_names_exist() -> None:
    missing = [name for name in rivusio.__all__ if not hasattr(rivusio, name)]
    assert not missing


def test_the_names_of_0_2_are_still_public() -> None:
    missing = NAMES_OF_0_2 - set(rivusio.__all__)
    assert not missing


@pytest.mark.parametrize("name", FILES)
def test_everything_public_has_a_docstring(name: str) -> None:
    without = [
        f"{FILES[name].relative_to(ROOT)}:{getattr(node, 'lineno', 1)} {title}"
        for title, node in _documented(TREES[name], name)
        if not ast.get_docstring(node)
    ]
    assert not without


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _documented(node: ast.AST, title: str) -> Iterator[tuple[str, Documented]]:
    """Give the module, and its public classes, functions and methods."""
    if isinstance(node, ast.Module):
        yield title, node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if child.name.startswith("_") or _speaks_for_another(child):
                continue
            yield child.name, child
            if isinstance(child, ast.ClassDef):
                yield from _documented(child, title)
        elif isinstance(child, ast.If):
            yield from _documented(child, title)


def _speaks_for_another(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether the docstring stands at the function that this one overloads or sets."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    return any(mark == "overload" or mark.endswith(".setter") for mark in marks)


# --- how it is written --------------------------------------------------------------------------


LARGE = re.compile(r"\bLarge\b")  # what begins the reason of what is larger than it should be


@pytest.mark.parametrize("name", FILES)
def test_a_room_is_short_or_says_why_not(name: str) -> None:
    lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
    docstring = ast.get_docstring(TREES[name]) or ""
    assert lines <= 500, f"{FILES[name].relative_to(ROOT)} has {lines} lines: split it by ideas"
    assert lines <= 300 or LARGE.search(docstring), f"{lines} lines, and no reason"


@pytest.mark.parametrize("name", FILES)
def test_a_class_has_few_members_or_says_why_not(name: str) -> None:
    text = FILES[name].read_text(encoding="utf-8").splitlines()
    many = [
        f"{FILES[name].relative_to(ROOT)}:{each.lineno} {each.name} has {len(members)} members"
        for each in ast.walk(TREES[name])
        if isinstance(each, ast.ClassDef)
        if len(members := list(_members_of(each))) > 15
        if not LARGE.search(text[_first_line_of(each) - 2])
    ]
    assert not many


def _members_of(node: ast.ClassDef) -> Iterator[str]:
    """Give the functions of a class, each once."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not _speaks_for_another(
            each
        ):
            yield each.name


def _first_line_of(node: ast.ClassDef) -> int:
    return min([node.lineno, *(mark.lineno for mark in node.decorator_list)])


@pytest.mark.parametrize("name", FILES)
def test_a_function_fits_on_a_page(name: str) -> None:
    long = [
        f"{FILES[name].relative_to(ROOT)}:{each.lineno} {each.name}"
        for each in ast.walk(TREES[name])
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        if (each.end_lineno or 0) - each.lineno >= 60
    ]
    assert not long


def test_a_template_stays_short() -> None:
    long = [
        f"{path.name} has {lines} lines"
        for path in (ROOT / "templates").rglob("*.jinja")
        if (lines := len(path.read_text().splitlines())) >= 80
    ]
    assert not long


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    # Put together here, so that this file does not hold them.
    machine = "|".join(
        f"(?<![\\w.]){top}/" for top in ("/work", "/root", "/home/\\w+", "/Users/\\w+")
    )
    machine_path = re.compile(f"{machine}|\\.\\.{'/shared'}")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in project_files()
        for number, line in enumerate(path.read_text(errors="ignore").splitlines(), start=1)
        if machine_path.search(line)
    ]
    assert not found
