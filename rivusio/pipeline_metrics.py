"""What a pipeline remembers of the items that its `process` has handled one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

KEPT = 100  # outputs of one pipe: the latest


class PipelineMetricsMixin:
    """Keeps the latest outputs of each pipe, at most 100, and counts them all.

    Only `process` does so. A stream is observed by a `PipelineMonitor` instead.
    """

    _outputs: dict[int, deque[object]] | None = None  # by the pipe's id, made when needed
    _output_counts: dict[int, int] | None = None

    @abstractmethod
    def get_pipes(self) -> Sequence[Any]:  # pipes, each with types of its own
        """The pipes, in order."""

    def _note_output(self, pipe: object, output: object) -> None:
        if self._outputs is None or self._output_counts is None:
            self._outputs, self._output_counts = {}, {}
        self._outputs.setdefault(id(pipe), deque(maxlen=KEPT)).append(output)
        self._output_counts[id(pipe)] = self._output_counts.get(id(pipe), 0) + 1

    def get_pipe_outputs(self, pipe: object) -> list[Any]:  # the outputs' type is the pipe's
        """The latest outputs of one pipe, at most 100, oldest first."""
        return list((self._outputs or {}).get(id(pipe), ()))

    def clear_metrics(self) -> None:
        """Forget the outputs and the counts."""
        self._outputs = self._output_counts = None

    def get_metrics(self) -> dict[str, Any]:
        """Give, for each pipe by its name, how many outputs there were and how many are kept."""
        counts = self._output_counts or {}
        return {
            str(pipe): {
                "outputs": counts.get(id(pipe), 0),
                "kept": len(self.get_pipe_outputs(pipe)),
            }
            for pipe in self.get_pipes()
        }
