"""The helpers of `rivusio verify`.

In the process of the command:
comparison           the chains of a file in both modes, compared
processes            the child processes, one for each mode: started, asked, ended

In both:
trials               what a child is asked, and what it answers
diary                where a child is, for the one that waits for its answer

In a child:
worker               runs the chains of a file, and tells all
runs                 the runs of a chain: over which items, with which source and consumer
items                the items, of a file or made by hypothesis
hypothesis_types     types that hypothesis must be told how to make
"""
