"""Runs a chain as it stands: the reference for what a pipeline means.

`topology` builds the nodes of one run, from the source to the last stage. Stages that need nothing
between them share a `fused_segment`; a node of its own (in `rivusio.engine`) is what must go on
while something else waits (a timer, a buffer, several items at once) and what the user wrote as a
stream.
"""
