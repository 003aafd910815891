"""From a plan to the text of a Python module.

    module                 the whole module, formatted, with its source map
    lower                  its functions: each loop in all its versions, and what joins them
    loop, calls, frame     one generated function: its loop, its calls, what stands before both
    names, source_map      names of generated code; which line of it is which of the user's
    templates              the text itself, which stands in templates/python

What is written is decided here; a template only prints it.
"""
