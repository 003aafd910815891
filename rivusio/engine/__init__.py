"""The machinery of a run that both modes share.

node                         what every part of a run has in common
source                       the far end: the user's iterable
stage_executor, calls        one stage: how its function is called, and what comes of it
flat_map, factory            a flat-map's outputs; which executor a stage has
buffer_node, window_node     parts with a task of their own: `buffer` is what one holds
concurrent_node, user_stream_node, async_boundary
drive                        async code that waits for nothing, run without a loop
"""
