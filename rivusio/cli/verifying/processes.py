"""The processes in which the chains of a file run, one for each mode."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory

from rivusio.artifacts.mode import Mode
from rivusio.cli.verifying.diary import WHEREABOUTS, Whereabouts
from rivusio.cli.verifying.trials import ANSWER, REQUEST, Answer, Request
from rivusio.user_code.refusal import Refusal

WORKER = "rivusio.cli.verifying.worker"
START = f"from {WORKER} import main; main()"


class EndedError(Exception):
    """A process was ended while a chain ran in it."""

    def __init__(self, chain: str, reason: str) -> None:
        super().__init__(reason)
        self.chain = chain


def run_in_modes(
    request: Request, modes: Sequence[Mode], timeout: float
) -> tuple[list[Answer], dict[str, str]]:
    """Let modes run, at the same time, each in a process of its own.

    A chain that ends a process is left out, and the others run anew; the second result is why.

    Raises:
        Refusal: when one of them cannot.
    """
    ended: dict[str, str] = {}
    while True:
        without = (*request.without, *ended)
        with TemporaryDirectory() as folder:
            # What is in a set comes in the same order in all; what hypothesis keeps is of no use.
            same = {"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": folder}
            requests = [
                replace(request, mode=mode, diary=f"{folder}/{number}.json", without=without)
                for number, mode in enumerate(modes)
            ]
            try:
                return _ask_children(requests, timeout, {**os.environ, **same}), ended
            except EndedError as error:
                if request.name is not None or error.chain in ended:
                    raise Refusal(str(error)) from None
                ended[error.chain] = str(error)


def _ask_children(
    requests: Sequence[Request], timeout: float, environment: dict[str, str]
) -> list[Answer]:
    command = [sys.executable, "-P", *_interpreter_flags(), "-c", START]
    children = [
        subprocess.Popen(  # noqa: S603  ourselves
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in requests
    ]
    try:
        for child, request in zip(children, requests, strict=True):
            assert child.stdin is not None  # noqa: S101  it was asked for
            with suppress(BrokenPipeError):  # it has ended: so says what it leaves
                child.stdin.write(REQUEST.dump_json(request))
                child.stdin.close()
            child.stdin = None
        return [
            _read_answer(child, request, timeout)
            for child, request in zip(children, requests, strict=True)
        ]
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _interpreter_flags() -> list[str]:
    """Give the warnings and the mode of development that this process was started with."""
    development = ["-X", "dev"] if sys.flags.dev_mode else []
    return [*development, *(f"-W{each}" for each in sys.warnoptions)]


def _read_answer(child: subprocess.Popen[bytes], request: Request, timeout: float) -> Answer:
    try:
        stdout, stderr = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        where = _read_whereabouts(request)
        at = f"; it is at {where.chain}, {_name_run(where)}" if where else ""
        raise Refusal(
            f"the runs have not ended within {timeout:g} s{at}; give fewer items, or try "
            f"--timeout {2 * timeout:g}"
        ) from None
    if not stdout:
        said = _describe_ending(child.returncode, stderr)
        where = _read_whereabouts(request)
        if where is None:
            raise Refusal(f"the process of the runs has ended: {said}")
        how = where.exits or said
        reason = f"{request.mode}, {_name_run(where)}, has ended its process: {how}"
        raise EndedError(where.chain, reason)
    answer = ANSWER.validate_json(stdout)
    if answer.refused:
        raise Refusal(answer.refused)
    return answer


def _read_whereabouts(request: Request) -> Whereabouts | None:
    try:
        return WHEREABOUTS.validate_json(Path(request.diary).read_bytes())
    except (OSError, ValueError):  # it has come to no run, or was ended while it wrote that
        return None


def _name_run(where: Whereabouts) -> str:
    return f"run {where.number}, {where.title}" if where.number else where.title


def _describe_ending(code: int, stderr: bytes) -> str:
    """Say how a process has ended: by which signal, by which error, or with which exit code."""
    if code < 0:
        return f"killed by {Signals(-code).name}"
    lines = stderr.decode(errors="replace").strip().splitlines()
    if code == 1 and any(line.startswith("Traceback (most recent") for line in lines):
        return lines[-1]
    return f"exit code {code}"
