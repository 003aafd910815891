"""mypy --strict over every generated module: what it does not accept is never installed.

    validate    the loop: what mypy refuses inline is called instead, and asked again
    request     what is asked, and the answer
    handler     answers it, in the child that runs mypy

The child is the one that `rivusio.compiler.mypy_server` keeps.
"""
