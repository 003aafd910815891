"""Each template prints a record of its own: all of it, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from jinja2 import Environment, nodes

from rivusio.compiler.backends.python import function_records, stage_records
from rivusio.compiler.backends.python.templates import SUFFIX, TEMPLATES

RECORDS = [
    record
    for module in (function_records, stage_records)
    for record in vars(module).values()
    if hasattr(record, "template")
]
MACROS = {"stage/call"}  # which others import


def test_each_template_has_a_record() -> None:
    names = {
        path.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX)
        for path in TEMPLATES.rglob(f"*{SUFFIX}")
    }
    assert sorted([*MACROS, *(record.template for record in RECORDS)]) == sorted(names)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.template)
def test_a_template_prints_the_fields_of_its_record(record: Any) -> None:  # a dataclass
    text = (TEMPLATES / f"{record.template}{SUFFIX}").read_text(encoding="utf-8")
    printed = {
        node.attr
        for node in Environment(autoescape=True).parse(text).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "this"
    }
    assert printed == {each.name for each in fields(record)}
