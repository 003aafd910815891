"""When things happen: the clock of a run, and when a batch or a window opens and closes.

    clock      the system's time, or one that a test turns
    windows    batches, tumbling and sliding windows: arithmetic, no I/O and no waiting

Event time, watermarks and timers of their own belong here too.
"""
