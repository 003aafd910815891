"""A user's file: imported as Python would run it, and asked for its pipelines.

    refusal              what a user is told in one line, where something of theirs must be mended
    describe             how errors and places in a user's code are told
    importing            a file, imported under the name that Python would give it
    pipeline_file        which pipelines stand in it: FILE, or FILE:NAME
    serving              the child processes of ours that run a user's code

A refusal is told without a traceback.
"""
