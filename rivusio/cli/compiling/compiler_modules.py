"""The compiler's modules, which the commands import only when they need them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from rivusio.user_code.refusal import Refusal


def import_compiler(module: str) -> ModuleType:
    """Give a module of the compiler: a production install has not what it needs.

    Raises:
        Refusal: saying what to install.
    """
    missing = [name for name in ("mypy", "jinja2", "ruff") if find_spec(name) is None]
    if missing:
        raise Refusal(f'this needs {" and ".join(missing)}: pip install "rivusio[compiler]"')
    return import_module(module)
