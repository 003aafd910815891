"""Every shape: a file for each family, with the pipes, the chain and the loop side by side."""

FAMILIES = (  # in the order of the tables
    "stages",
    "twenty",
    "waiting",
    "dropping",
    "failing",
    "batches",
    "records",
    "windows",
    "streams",
    "watched",
    "watched_batches",
    "single",
)
