"""The body of a user's function, made fit to stand inside a generated loop.

    inline                the whole way, one function: its result or the reason why not
    eligibility           what may not stand in such a body
    definite_assignment   whether every local has a value wherever it is read
    mangle                private names are written out, as Python does in a class
    rename                every name becomes the one that it has in the loop
    annotations           what the annotation of a local becomes there
    single_exit           several `return`s become one way out

Nothing here knows of plans or of mypy: text goes in, text comes out.
"""
