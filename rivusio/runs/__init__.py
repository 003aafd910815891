"""One consumption of one source by one pipeline.

    start          what a run fixes when it starts
    run            how it is iterated, stopped and ended
    single_item    one item through a chain of 1:1 stages

Here the two modes meet: what comes after is the same for both.
"""
