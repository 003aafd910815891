"""mypy in a child process that is kept for as long as one command needs it.

    subprocesses     a module run in a child: one request, one answer, both JSON
    client           the child that runs mypy, started once and asked again
    options, build   how mypy is set up, and one run of it, with `stubs` for pydantic

What is asked of it is in `typecheck.request` and `validate.request`; `rivusio.compiler.mypy_worker`
is the child's own program.
"""
