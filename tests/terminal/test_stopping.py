"""How `rivusio run` ends when it is told to: by Ctrl-C, by a supervisor, by a closed terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.unit.cli.commandline import started, write

pytestmark = [
    pytest.mark.usefixtures("clean_imports"),
    pytest.mark.skipif(sys.platform == "win32", reason="no such signal to a child"),
]

HOLDING = """
import atexit, os, sys, time
from rivusio import batch, map

def tell(line: str) -> str:
    print("took", line, file=sys.stderr, flush=True)
    return line

def hangs(line: str) -> str:
    if line == "3":
        print("hangs", file=sys.stderr, flush=True)
        while not os.path.exists("go on"):
            time.sleep(0.01)
    return line

async def wait(line: str) -> str:
    return line

sync = map(tell) >> batch(2)
held = map(tell) >> wait >> batch(2)
hanging = map(hangs) >> batch(2)
hanging_held = map(hangs) >> wait >> batch(2)
batches = map(hangs) >> batch(9)
"""
FLUSHES = "stopping: what the stages hold is passed on; {} cancels\n"


@pytest.fixture(autouse=True)
def holding(clean_imports: None) -> None:
    write("holding.py", HOLDING)


def wait_for(stderr: IO[str], line: str) -> None:
    assert stderr.readline() == line


@pytest.mark.parametrize(
    ("signum", "again"),
    [
        (signal.SIGINT, "Ctrl-C again"),
        (signal.SIGTERM, "another signal"),
        (signal.SIGHUP, "another signal"),
    ],
)
@pytest.mark.parametrize("chain", ["sync", "held"])
def test_a_signal_ends_the_source_and_what_is_held_is_passed_on(
    chain: str, signum: int, again: str
) -> None:
    with started("run", f"holding.py:{chain}", "--output", "out.txt") as (
        process,
        stdin,
        _,
        stderr,
    ):
        stdin.write("1\n2\n3\n")
        for number in "123":
            wait_for(stderr, f"took {number}\n")
        process.send_signal(signum)  # it waits for the fourth line
        assert stderr.read() == FLUSHES.format(again)
        assert process.wait() == -signum  # as a shell and a supervisor want to see it
    assert Path("out.txt").read_text(encoding="utf-8") == '["1","2"]\n["3"]\n'


@pytest.mark.parametrize("chain", ["hanging", "hanging_held"])
def test_a_file_that_was_not_read_to_its_end_replaces_no_output(chain: str) -> None:
    write("in.txt", "1\n2\n3\n4\n")
    write("out.txt", "old\n")
    arguments = ["run", f"holding.py:{chain}", "--input", "in.txt", "--output", "out.txt"]
    with started(*arguments) as (process, _, _, stderr):
        wait_for(stderr, "hangs\n")
        process.send_signal(signal.SIGTERM)
        wait_for(stderr, FLUSHES.format("another signal"))
        write("go on", "")
        told = stderr.read()
        assert process.wait() == -signal.SIGTERM
    [unfinished] = Path().glob("out.txt.*.partial")
    assert told == f'    "out.txt" is as it was; the results so far are in "{unfinished}"\n'
    assert unfinished.read_text(encoding="utf-8") == '["1","2"]\n["3"]\n'
    assert Path("out.txt").read_text(encoding="utf-8") == "old\n"


@pytest.mark.parametrize("chain", ["sync", "held"])
def test_a_signal_ends_an_input_that_never_ends(chain: str) -> None:
    os.mkfifo("in.txt")
    write("out.txt", "old\n")
    arguments = ["run", f"holding.py:{chain}", "--input", "in.txt", "--output", "out.txt"]
    with started(*arguments) as (process, _, _, stderr), Path("in.txt").open("wb", 0) as fifo:
        fifo.write(b"1\n2\n3\n")
        for number in "123":
            wait_for(stderr, f"took {number}\n")
        process.send_signal(signal.SIGTERM)
        told = stderr.read()
        assert process.wait() == -signal.SIGTERM
    [unfinished] = Path().glob("out.txt.*.partial")
    assert told.endswith(f'"out.txt" is as it was; the results so far are in "{unfinished}"\n')
    assert unfinished.read_text(encoding="utf-8") == '["1","2"]\n["3"]\n'
    assert Path("out.txt").read_text(encoding="utf-8") == "old\n"


@pytest.mark.parametrize("chain", ["sync", "held"])
def test_a_reader_that_has_enough_ends_the_run(chain: str) -> None:
    with started("run", f"holding.py:{chain}") as (process, stdin, stdout, stderr):
        stdin.write("1\n2\n")
        assert stdout.readline() == '["1","2"]\n'
        stdout.close()  # as head -1 does
        stdin.write("3\n4\n")
        assert stderr.read() == "".join(f"took {number}\n" for number in "1234")
        assert process.wait() == 0


def test_a_file_that_was_read_to_its_end_is_whole() -> None:
    write("in.txt", "1\n2\n")
    write(
        "ending.py",
        """
import os, sys, time
from rivusio import batch
def hangs(lines: list[str]) -> str:
    print("hangs", file=sys.stderr, flush=True)
    while not os.path.exists("go on"):
        time.sleep(0.01)
    return "".join(lines)
ending = batch(9) >> hangs
""",
    )
    arguments = ["run", "ending.py:ending", "--input", "in.txt", "--output", "out.txt"]
    with started(*arguments) as (process, _, _, stderr):
        wait_for(stderr, "hangs\n")
        process.send_signal(signal.SIGTERM)
        wait_for(stderr, FLUSHES.format("another signal"))
        write("go on", "")
        assert (stderr.read(), process.wait()) == ("", -signal.SIGTERM)
    assert Path("out.txt").read_text(encoding="utf-8") == "12\n"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_cancels_and_says_what_is_lost(signum: int) -> None:
    with started("run", "holding.py:batches") as (process, stdin, stdout, stderr):
        stdin.write("1\n2\n3\n")
        wait_for(stderr, "hangs\n")
        process.send_signal(signum)
        assert stderr.readline().startswith("stopping: ")
        process.send_signal(signum)
        assert stdout.read() == ""
        assert stderr.read() == "cancelled: 3 items are lost that the stages held\n"
        assert process.wait() == -signum


def test_the_second_signal_cancels_a_stage_that_waits() -> None:
    write(
        "endless.py",
        """
import asyncio, sys
from rivusio import pipe

@pipe
async def endless(line: str) -> str:
    try:
        print("waiting", file=sys.stderr, flush=True)
        while True:
            await asyncio.sleep(0.001)
    finally:
        print("cleaned up")
""",
    )
    with started("run", "endless.py") as (process, stdin, stdout, stderr):
        stdin.write("1\n")
        wait_for(stderr, "waiting\n")
        process.send_signal(signal.SIGINT)
        assert stderr.readline().endswith("Ctrl-C again cancels\n")
        process.send_signal(signal.SIGINT)
        assert stdout.read() == "cleaned up\n"
        assert stderr.read() == "cancelled: 1 item is lost that the stages held\n"
        assert process.wait() == -signal.SIGINT


@pytest.mark.parametrize("chain", ["sync", "held"])
def test_a_terminal_at_which_nobody_types_keeps_no_run(chain: str) -> None:
    ours, terminal = os.openpty()
    command = [sys.executable, "-m", "rivusio.cli", "run", f"holding.py:{chain}"]
    with subprocess.Popen(
        command, stdin=terminal, stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        wait_for(process.stderr, "reading lines from the terminal; end with Ctrl-D\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
    os.close(ours)
    os.close(terminal)


def test_what_the_file_wants_done_at_exit_is_done() -> None:
    leaving = 'atexit.register(lambda: print("done", file=sys.stderr, flush=True))\n'
    write("holding.py", HOLDING + leaving)
    with started("run", "holding.py:sync") as (process, stdin, _, stderr):
        stdin.write("1\n")
        wait_for(stderr, "took 1\n")
        process.send_signal(signal.SIGTERM)
        assert stderr.read().endswith("cancels\ndone\n")
        assert process.wait() == -signal.SIGTERM


def test_a_signal_before_the_run_ends_the_process_at_once() -> None:
    at_import = "print('importing', file=sys.stderr, flush=True)\ntime.sleep(60)\n"
    write("holding.py", HOLDING + at_import)
    with started("run", "holding.py:sync") as (process, _, _, stderr):
        wait_for(stderr, "importing\n")
        process.send_signal(signal.SIGTERM)
        assert (stderr.read(), process.wait()) == ("", -signal.SIGTERM)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup; children inherit it
    try:
        with started("run", "holding.py:sync") as (process, stdin, stdout, stderr):
            stdin.write("1\n")
            wait_for(stderr, "took 1\n")
            process.send_signal(signal.SIGHUP)
            stdin.write("2\n")
            assert stdout.readline() == '["1","2"]\n'
            stdin.close()
            assert (stderr.read(), process.wait()) == ("took 2\n", 0)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_dead_letter_is_there_before_the_next_item() -> None:
    write(
        "fails.py",
        """
import sys
from rivusio import map
def inverse(n: int) -> float:
    print("took", n, file=sys.stderr, flush=True)
    return 1 / n
chain = map(inverse)
""",
    )
    with started("run", "fails.py", "--dead-letters", "dead.jsonl") as (process, stdin, _, stderr):
        stdin.write("0\nx\n1\n")
        wait_for(stderr, "took 0\n")
        wait_for(stderr, "took 1\n")
        assert len(Path("dead.jsonl").read_bytes().splitlines()) == 2
        process.kill()


def test_two_runs_at_once_with_one_output_do_not_meet() -> None:
    write("shout.py", "from rivusio import map\nchain = map(str.upper)\n")
    write("out.txt.partial", "mine\n")
    arguments = ["run", "shout.py", "--output", "out.txt"]
    with started(*arguments) as (one, one_in, _, _), started(*arguments) as (two, two_in, _, _):
        for stdin, line in ((one_in, "one\n"), (two_in, "two\n"), (one_in, "one\n")):
            stdin.write(line)
        two_in.close()
        assert two.wait() == 0
        assert Path("out.txt").read_text(encoding="utf-8") == "TWO\n"
        one_in.close()
        assert one.wait() == 0
    assert Path("out.txt").read_text(encoding="utf-8") == "ONE\nONE\n"
    assert Path("out.txt.partial").read_text(encoding="utf-8") == "mine\n"
    assert sorted(path.name for path in Path().glob("out*")) == ["out.txt", "out.txt.partial"]
