"""The templates of generated Python. A user's names stand in comments and docstrings only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import ClassVar, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

FOLDER = "python"  # of the templates: one for each backend
TEMPLATES = Path(__file__).resolve().parents[3] / "templates" / FOLDER
SUFFIX = ".py.jinja"
PACKAGED = Path(__file__).parents[3] / "templates" / FOLDER  # where the compiler was installed


class Record(Protocol):
    """What a template prints, with the name of that template."""

    template: ClassVar[str]


def render(record: Record) -> str:
    """Give a record as its template prints it; the formatter says where blank lines belong."""
    text = _template(record.template).render(this=record)
    return "\n".join(line for line in text.split("\n") if line.strip())


def read_templates() -> None:
    """Read all templates now, while something else is waited for anyway."""
    for name in _environment().list_templates():
        if name.endswith(SUFFIX):
            _template(name.removesuffix(SUFFIX))


@cache
def _template(name: str) -> Template:
    return _environment().get_template(f"{name}{SUFFIX}")


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701  Python is no HTML
        loader=FileSystemLoader([TEMPLATES, PACKAGED]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["docstring"] = docstring
    return environment


def docstring(text: str) -> str:
    """Give a text as a docstring, whatever is in it."""
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    end = " " if safe.endswith('"') else ""
    return f'"""{safe}{end}"""'
