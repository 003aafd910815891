"""The front door: `rivusio check`, `compile` and `explain` over whatever lies about.

python -m tests.robustness            the long campaign; see __main__.py

Never a traceback of ours, never a hang, never an artifact of a file that failed; exit code 1 with
a message that has a place and a next step.
"""
