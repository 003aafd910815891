"""What a plan becomes: so far modules of plain Python, in `python`."""
