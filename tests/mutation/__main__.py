"""`python -m tests.mutation`, which is `make mutants`."""

from __future__ import annotations

import sys

from tests.mutation.mutants import main

if __name__ == "__main__":  # not when a test or a tool only imports it
    sys.exit(main(sys.argv[1:]))
