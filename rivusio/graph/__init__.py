"""What a pipeline is before it runs: its stages, their operations and their settings.

    operations          what stages do to items: the table of all of them
    stage, stage_rules  one pipe at one place of a flat chain; what it cannot work with
    callables           what can be told of the functions that stages call
    config, settings    what a user may ask for, and what that comes to
    validators          the rules for sizes and names, and how they are told
    signature           what of a stage decides how its code looks
    origins             where in the user's code something was made

Nothing here runs anything.
"""
