"""From a plan to the text of a Python module.

    module, format         the whole module, formatted, with its source map
    lower                  its functions: each loop in all its versions, and what joins them
    loop                   one generated function over a source, and its flush
    single_item            one that takes a single item through stages
    op_code, calls         the code of each op, and of the call of its stage's function
    frame, prologue        what a function is made of, and what stands before its loop
    names, source_map      names of generated code; which line of it is which of the user's
    templates              the text itself, which stands in templates/python
    function_records       what the templates of modules and functions print
    stage_records          what the templates of stages, sinks and the flush print

What is written is decided here, in a record for each template; a template only prints it.
"""
