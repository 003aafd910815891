"""The code broken on purpose, one fault at a time: `make mutants`."""
