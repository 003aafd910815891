"""The types of chains: what each stage takes and gives, and where two do not fit.

mypy is asked through `rivusio.compiler.mypy_server`; here is what is asked, and what comes of it.
The mypy plugin uses these rooms too, so that the editor and `rivusio check` say the same.

    request                           what is asked of mypy, and its answer
    stage_types -> infer -> chains    what a stage's type means; stage by stage; whole chains
    typed, facts, mismatches          the records that are handed on
    messages, display                 mismatches and types in words
    annotations, aliases              types as generated modules write them
"""
