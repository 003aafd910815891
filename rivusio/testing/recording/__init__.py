"""A whole run of a pipeline, told as the list of everything that can be seen of it.

record_run           `record`: one run from its beginning to its end
run_log              the events of a run on its way
event_loop           the loop that an async run has for itself, and when it is given up
streaming            the consumer of `pipe.stream(...)`
iterating            the consumer of `pipe.iterate(...)`
single_items         the consumer of `pipe.process(item)`
state                what monitors have counted, and what pipes keep on `self`
surroundings         what is held still: threads, the collector of garbage, and warnings
"""
