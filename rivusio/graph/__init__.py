"""What a pipeline is before it runs: its stages, their operations and their settings.

    stage               one pipe at one place of a flat chain, and what it does to items
    config, settings    what a user may ask for, and what that comes to
    validators          the rules for sizes and names, and how they are told
    signature           what of a stage decides how its code looks
    origins             where in the user's code something was made

Nothing here runs anything.
"""
