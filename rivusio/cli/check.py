"""`rivusio check`: what the compiler says of the joins of files."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from rivusio.cli.compiling.compiler_modules import import_compiler
from rivusio.cli.compiling.json_output import report_failures_as_json
from rivusio.cli.compiling.options import files_argument, form_option, timeout_option
from rivusio.cli.messages import leave_failed, report_failures
from rivusio.cli.terminal import say
from rivusio.user_code.refusal import Refusal


@click.command()
@files_argument
@form_option
@timeout_option
def check(files: tuple[str, ...], form: str, timeout: float | None) -> None:
    """Check every join of every chain in Python files.

    It runs nothing of yours, and writes nothing but a cache for mypy. mypy says what the types
    are, under your own settings; what it finds besides wrong joins is shown as warnings. The exit
    code is 1 if there is an error, 0 otherwise.
    """
    with report_failures(), report_failures_as_json(form, list):
        request = import_compiler("rivusio.compiler.typecheck.request")
        checker = import_compiler("rivusio.compiler.check")
        try:
            report = checker.check(files, timeout or request.TIMEOUT)
        except request.OracleError as error:
            raise Refusal(str(error)) from error
        if form == "json":
            say(json.dumps([asdict(each) for each in report.diagnostics], indent=2))
        else:
            for diagnostic in report.diagnostics:
                say(str(diagnostic))
            say(report.summary, err=True)
        if report.failed:
            leave_failed()
