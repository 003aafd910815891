"""What mypy's tree of a file tells of its stages, so that the file need not be run.

All of it runs in the child that `rivusio.compiler.mypy_server` keeps, where mypy's tree is.

    handler                           answers one request of `typecheck.request`
    stages, callees                   of each stage: what it does, and which function it calls
    constructors, settings, bindings  of a pipe: what its constructor is given
    project, module_facts             of a file: where functions are written, what else it binds
"""
