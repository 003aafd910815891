"""The plan of a chain: the intermediate representation between types and generated code.

    stage_info what is known of one stage
    ops        the closed union of ops, and the ways in which a stage's function is called
    plan       a row of them: one for each stage
    fusion     which stages share a loop, and where it is cut
    verify     what holds of every plan; tests look at it after every pass
    dump       a plan as text, for golden cases
    explain    a plan as what `rivusio explain` shows

An op is a frozen record in a closed union: whoever looks at all of them uses `match`.
"""
