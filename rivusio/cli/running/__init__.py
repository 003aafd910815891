"""The helpers of `rivusio run`.

files                its input, its output and its dead letters
error_policies       what becomes of items that fail
consumption          the run itself, to its end or until signals end it
outcome              whether anything came out, and whether every item failed
statistics           what the stages have counted
"""
