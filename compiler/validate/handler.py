"""The child process of the verifier: one run of mypy over the generated modules."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mypy import main
from mypy.errorcodes import error_codes
from mypy.errors import CompileError
from mypy.modulefinder import BuildSource
from mypy.options import PER_MODULE_OPTIONS, Options

from rivusio.compiler.mypy_server import build
from rivusio.compiler.mypy_server import options as mypy_options
from rivusio.compiler.mypy_server.options import complaints
from rivusio.compiler.validate.request import ANSWER, REQUEST, Answer, Request


def reply(request: bytes) -> bytes:
    """Answer a request as it comes from the parent process."""
    return ANSWER.dump_json(answer(REQUEST.validate_json(request)))


def answer(request: Request) -> Answer:
    """Run mypy over the generated modules, and over the user's files for their types."""
    options = mypy_options.settings()
    mypy_options.tell_more(options)
    options.warn_redundant_casts = True  # a part of --strict that is not set by module
    users = mypy_options.sources(request.user_files, options)
    ours = [BuildSource(each.path, each.name, each.text) for each in request.modules]
    _set_by_module(options, ours, users)
    try:
        result = build.run_build([*users, *ours], options)
    except CompileError as error:
        return Answer(tuple(complaints(error.messages, stops=True)))
    return Answer(tuple(complaints(result.errors)))


def _set_by_module(
    options: Options, ours: Sequence[BuildSource], users: Sequence[BuildSource]
) -> None:
    """Set for each generated module all that can be set by module: that wins over all else.

    The rest of the program keeps the user's settings: a module that mypy is told to skip must be
    skipped here, too, or its types would not be those of the oracle.
    """
    before = options.apply_changes({})  # a copy: mypy takes what it has looked up as settled
    optional = [before.clone_for_module(each.module).strict_optional for each in users]
    strict = _strict()
    strict["strict_optional"] = all(optional)  # or a result would be `None` to us only
    if options.follow_imports == "error":  # to skip, and to say so where nobody can help it
        options.follow_imports = "skip"
    for section in options.per_module_options.values():
        if section.get("follow_imports") == "error":
            section["follow_imports"] = "skip"
    for source in users:
        # A generated module reads what a user's module has imported there, too.
        own = options.per_module_options.setdefault(source.module, {})
        own["implicit_reexport"] = True
    for source in ours:
        options.per_module_options[source.module] = dict(strict)


def _strict() -> dict[str, object]:
    """Give what `--strict` means for one module, without any settings of the user's."""
    flags = ["--strict", "--config-file=", __file__]
    _, options = main.process_options(flags, stdout=sys.stderr, stderr=sys.stderr)
    chosen = {name: getattr(options, name) for name in PER_MODULE_OPTIONS}
    # Those that the user has switched on or off are undone; `unused-ignore` needs its flag as well.
    on = {each.code for each in error_codes.values() if each.default_enabled} | {"unused-ignore"}
    on.discard("func-returns-value")  # what a function of type `None` gives is an item, as any
    chosen["enable_error_code"] = sorted(on)
    chosen["disable_error_code"] = sorted(error_codes.keys() - on)
    return chosen
