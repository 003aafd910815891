"""What a pipeline remembers of the items that its `process` has handled one by one."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from rivusio.safe_repr import str_of

KEPT = 100  # outputs of one pipe: the latest


class PipelineMetricsMixin:
    """Keeps the latest outputs of each pipe, at most 100, and counts them all; from any thread.

    Only `process` does so. A stream is observed by a `PipelineMonitor` instead.
    """

    @abstractmethod
    def get_pipes(self) -> Sequence[Any]:  # pipes, each with types of its own
        """The pipes, in order."""

    def _note_output(self, pipe: object, output: object) -> None:
        outputs: _Outputs | None = self.__dict__.get("_rivusio_outputs")
        if outputs is None:
            # One step for all threads: none puts its own in the place of another's.
            outputs = self.__dict__.setdefault("_rivusio_outputs", _Outputs())
        outputs.note(id(pipe), output)

    def get_pipe_outputs(self, pipe: object) -> list[Any]:  # the outputs' type is the pipe's
        """The latest outputs of one pipe, at most 100, oldest first."""
        return self._noted().latest(id(pipe))

    def clear_metrics(self) -> None:
        """Forget the outputs and the counts."""
        self.__dict__.pop("_rivusio_outputs", None)

    def get_metrics(self) -> dict[str, Any]:
        """Give, for each pipe by its name, how many outputs there were and how many are kept.

        Of pipes with the same name the second is `"Name 2"`, and so on.
        """
        noted = self._noted()
        told: dict[str, Any] = {}
        names: Counter[str] = Counter()
        for pipe in self.get_pipes():
            name = str_of(pipe)
            names[name] += 1
            key = name if names[name] == 1 else f"{name} {names[name]}"
            told[key] = {"outputs": noted.count(id(pipe)), "kept": len(noted.latest(id(pipe)))}
        return told

    def _noted(self) -> _Outputs:
        noted: _Outputs = self.__dict__.get("_rivusio_outputs") or _Outputs()
        return noted


class _Outputs:
    """The latest outputs and the counts, by the id of the pipe: the pipeline keeps it alive."""

    def __init__(self) -> None:
        self._latest: dict[int, deque[object]] = {}
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def note(self, pipe: int, output: object) -> None:
        with self._lock:
            if pipe not in self._latest:
                self._latest[pipe] = deque(maxlen=KEPT)
            self._latest[pipe].append(output)
            self._counts[pipe] = self._counts.get(pipe, 0) + 1

    def latest(self, pipe: int) -> list[object]:
        with self._lock:
            return list(self._latest.get(pipe, ()))

    def count(self, pipe: int) -> int:
        return self._counts.get(pipe, 0)
