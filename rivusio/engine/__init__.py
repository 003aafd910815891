"""The machinery of a run that both modes share.

    node, run_state              what every part of a run has in common, and the run itself
    cleanup                      what comes to light when a run is closed
    source                       the far end: the user's iterable
    stage_executor               one stage: how its function is called, and what comes of it
    executors, flat_map          stages that do more, and which executor a stage has
    calls, factory               calls told apart; what holds the items of a batch or a window
    buffer_node, window_node     parts with a task of their own: `buffer` is what one holds
    concurrent_node, user_stream_node, async_boundary
    drive                        async code that waits for nothing, run without a loop

Nothing here knows of pipes; the interpreter and compiled runs are built of it.
"""
