"""One consumption of one source by one pipeline: how it starts, is iterated and ends."""
