"""What mypy's tree of a file tells of its stages, so that the file need not be run.

All of it runs in the child that `rivusio.compiler.mypy_server` keeps, where mypy's tree is.

    handler, recorder                 answers a request of `typecheck.request`; notes types
    expression_index                  the expressions of a file, by where they stand
    stages, callees                   of each stage: what it does, and which function it calls
    operator_stages, pipe_families    of `map(...)` and its kin; of a class of pipes
    mypy_functions                    of a function: is it a coroutine function, what does it give
    constructors, settings, bindings  of a pipe: what its constructor is given
    project, project_file             where functions are written: in all files, in one
    module_facts                      of a file: what else it binds
"""
