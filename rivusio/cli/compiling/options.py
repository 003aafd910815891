"""The options that the commands of the compiler have in common."""

from __future__ import annotations

import click

FORM = "Lines for people, or a list of objects for editors and CI."
TIMEOUT = "How long mypy may take, in seconds; 120 by default."
NO_IMPORT = "Never import a file, also where its text alone does not tell what its chains are."

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")
no_import_option = click.option("--no-import", is_flag=True, help=NO_IMPORT)
form_option = click.option(
    "--output", "form", type=click.Choice(["text", "json"]), default="text", help=FORM
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), help=TIMEOUT
)
