"""The front end: a user's file as text, and the chains that stand in it.

Nothing here knows types or runs code; `rivusio.compiler.typecheck` gives the chains theirs. Light
enough for the mypy plugin: the standard library is all that it imports.

    source -> finder -> syntax        a file, read; its chains found; what was found
    forms, flat_chain                 how a chain is written; its stages in order
    bound_names, functions            names that a piece of text binds; functions by their place
"""
