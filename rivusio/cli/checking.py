"""`rivusio check`: what the compiler says of the joints of files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import click

from rivusio.cli.messages import FAILED, told_in_lines
from rivusio.cli.terminal import say
from rivusio.user_code.user_file import Refusal, told

FORM = "Lines for people, or a list of objects for editors and CI."
TIMEOUT = "How long mypy may take, in seconds; 120 by default."


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--output", "form", type=click.Choice(["text", "json"]), default="text", help=FORM)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help=TIMEOUT)
def check(files: tuple[str, ...], form: str, timeout: float | None) -> None:
    """Check every joint of every chain in Python files.

    It runs nothing of yours, and writes nothing but a cache for mypy. mypy says what the types
    are, under your own settings; what it finds besides wrong joints is shown as warnings. The exit
    code is 1 if there is an error, 0 otherwise.
    """
    with told_in_lines(), told_as_json(form, list):
        oracle, checker = (
            compiler("rivusio.compiler.typecheck.request"),
            compiler("rivusio.compiler.check"),
        )
        try:
            report = checker.check(files, timeout or oracle.TIMEOUT)
        except oracle.OracleError as error:
            raise Refusal(str(error)) from error
        if form == "json":
            say(json.dumps([asdict(each) for each in report.diagnostics], indent=2))
        else:
            for diagnostic in report.diagnostics:
                say(str(diagnostic))
            say(report.summary, err=True)
        if report.failed:
            sys.stdout.flush()
            sys.exit(FAILED)


@contextmanager
def told_as_json(form: str, whole: Callable[[list[dict[str, Any]]], object]) -> Iterator[None]:
    """Write JSON where it was asked for, whatever leaves a command before it has written any.

    Args:
        form: what was asked for.
        whole: makes of what went wrong what the command writes.
    """
    try:
        yield
    except Exception as error:
        message = str(error) if isinstance(error, Refusal) else f"rivusio failed: {told(error)}"
        place = {"path": "", "line": 1, "column": 1}
        wrong = place | {"severity": "error", "message": message, "code": None, "note": None}
        if form == "json":
            with suppress(OSError):  # nobody reads it, or nothing can be written
                say(json.dumps(whole([wrong]), indent=2))
        raise


def compiler(module: str) -> ModuleType:
    """Give a module of the compiler: a production install has not what it needs.

    Raises:
        Refusal: saying what to install.
    """
    missing = [name for name in ("mypy", "jinja2", "ruff") if find_spec(name) is None]
    if missing:
        raise Refusal(f'this needs {" and ".join(missing)}: pip install "rivusio[compiler]"')
    return import_module(module)
