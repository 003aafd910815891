"""`rivusio run`: what goes in and comes out, what fails, and how it ends."""

from __future__ import annotations

from tests.mutation.compiler.making import broken

ANNOTATIONS = "rivusio/cli/annotations.py"
FILES = "rivusio/cli/running/files.py"
ITEM_TYPES = "rivusio/cli/item_types.py"
LETTERS = "rivusio/io/dead_letters.py"
LINES = "rivusio/io/lines.py"
LINE_ITEMS = "rivusio/io/line_items.py"
LINE_READINGS = "rivusio/cli/line_readings.py"
OUTCOME = "rivusio/cli/running/outcome.py"
OUTPUT_FILES = "rivusio/io/output_files.py"
POLICIES = "rivusio/cli/running/error_policies.py"
RESULTS = "rivusio/io/results.py"
RUN = "rivusio/cli/run.py"
STOP_SIGNALS = "rivusio/cli/signals.py"

ITEMS = "tests/unit/cli/test_run_lines.py"
FAILURES = "tests/unit/cli/test_run_failures.py"
SIGNALS = "tests/terminal/test_stopping.py"

MUTANTS = (
    broken(
        "run",
        LINE_READINGS,
        'elif not held & {"text", "bytes"} or kind_by_name',
        "elif kind_by_name",
        "what takes no text gets text, if the file is not called .jsonl",
        ITEMS,
    ),
    broken(
        "run",
        LINE_READINGS,
        "adapter.validate_json if kind",
        "(lambda line: adapter.validate_python(__import__('json').loads(line))) if kind",
        "a strict model refuses its own JSON",
        ITEMS,
    ),
    broken(
        "run",
        ITEM_TYPES,
        "traits_of(operation).gives_items or",
        "",
        "a filter that says nothing of its items hides what takes them",
        ITEMS,
    ),
    broken(
        "run",
        ANNOTATIONS,
        "return known.get(its, UNKNOWN)",
        "return UNKNOWN",
        "what a subclass says of a generic pipe is not heard",
        ITEMS,
    ),
    broken(
        "run",
        LINE_ITEMS,
        'if number == 1 and self._reading.kind != "bytes":',
        "if number == 1:",
        "the bytes of the first line lose what looks like a byte order mark",
        ITEMS,
    ),
    broken(
        "run",
        RESULTS,
        'if b"NaN" in line or b"Infinity" in line:',
        "if False:",
        "NaN is written as if it were JSON",
        ITEMS,
    ),
    broken(
        "run",
        RESULTS,
        "return False  # their values know",
        "return True",
        "a subclass of what the last stage gives loses its own fields",
        ITEMS,
    ),
    broken(
        "run",
        LINES,
        'os.write(self._wake, b"\\0")',
        "pass",
        "a signal does not end the wait for a line",
        SIGNALS,
    ),
    broken(
        "run",
        STOP_SIGNALS,
        'for name in ("SIGINT", "SIGTERM", "SIGHUP")',
        'for name in ("SIGINT",)',
        "SIGTERM and SIGHUP kill at once",
        SIGNALS,
    ),
    broken(
        "run",
        STOP_SIGNALS,
        "if signal.getsignal(signum) not in (signal.SIG_IGN, None):",
        "if True:",
        "a signal that was to be ignored ends the run",
        SIGNALS,
    ),
    broken(
        "run",
        STOP_SIGNALS,
        "    os.kill(os.getpid(), _ends_by[-1])",
        "    pass",
        "the process does not end by its signal",
        SIGNALS,
    ),
    broken(
        "run",
        RUN,
        'not (options.source == "-" or lines.ended)',
        "False",
        "half a file's results replace the output",
        SIGNALS,
    ),
    broken(
        "run",
        OUTPUT_FILES,
        'f"{name}.{secrets.token_hex(4)}.partial")\n'
        "        with suppress(FileExistsError):\n"
        '            return unfinished.open("xb"), unfinished',
        'f"{name}.partial")\n        return unfinished.open("wb"), unfinished',
        "two runs write into one unfinished file, and over a file of the user's",
        SIGNALS,
    ),
    broken(
        "run",
        POLICIES,
        'if not stage.has_single_call or (has_said and own != "skip"):',
        "if not stage.has_single_call:",
        "--on-error skip takes the dead letters from a stage that wants them",
        FAILURES,
    ),
    broken(
        "run",
        POLICIES,
        "said.model_copy(update=",
        "StreamConfig().model_copy(update=",
        "--on-error skip takes its other settings from a stage",
        FAILURES,
    ),
    broken(
        "run",
        LETTERS,
        "buffering=0",
        "buffering=-1",
        "dead letters are held back",
        SIGNALS,
    ),
    broken(
        "run",
        OUTCOME,
        'if self._count("filtered") + self._count("dropped") + self._count("discarded"):',
        "if False:",
        "a run that has filtered items counts as one in which all failed",
        FAILURES,
    ),
    broken(
        "run",
        LETTERS,
        'path.open("ab"',
        'path.open("wb"',
        "dead letters replace those of the run before",
        FAILURES,
    ),
    broken(
        "run",
        FILES,
        "resolve_links(one) == resolve_links(other)",
        "False",
        "the results replace the dead letters, where one file is to hold both",
        FAILURES,
    ),
    broken(
        "run",
        STOP_SIGNALS,
        """            self._cancel()
        else:
            raise Ended(signum)""",
        """            pass
        else:
            pass""",
        "the second signal does not cancel",
        SIGNALS,
    ),
)
