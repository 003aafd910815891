"""The types of chains: what each stage takes and gives, and where two do not fit.

mypy is asked through `rivusio.compiler.mypy_server`; here is what is asked, and what comes of it.
The mypy plugin uses these rooms too, so that the editor and `rivusio check` say the same.

    request                           what is asked of mypy, and its answer
    stage_types -> infer -> chains    what a stage's type means; stage by stage; whole chains
    type_predicates, signatures       what can be told of one type; of calling a function
    one_stage, joins                  one stage by itself; which joins fit
    type_lookup                       where types are looked up: a build of mypy, or its plugin
    typed, facts, mismatches          the records that are handed on
    messages, display                 mismatches and types in words
    annotations, aliases              types as generated modules write them
"""
