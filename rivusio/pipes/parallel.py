"""A pipeline over many inputs at once: in one event loop, in threads or in processes.

`configure_parallel` says how, and the context manager opens what that needs and closes it:

    with pipeline.configure_parallel("process_pool", max_workers=4):
        results = pipeline.execute_parallel(inputs)

What runs in a thread sees a copy of the caller's context variables.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import pickle
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from rivusio.engine.cleanup import joined
from rivusio.errors import PipelineError
from rivusio.graph.config import ExecutionStrategy, ParallelConfig
from rivusio.safe_repr import str_of

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)

CHUNKS_PER_WORKER = 4  # enough for an even spread where items differ in cost


class _Parallel:
    """What both kinds of pipeline have in common here."""

    _parallel_config: ParallelConfig | None = None
    _rivusio_executor: Executor | None = None
    _rivusio_is_open = False
    _is_async: ClassVar[bool]

    def configure_parallel(
        self,
        strategy: ExecutionStrategy | str = ExecutionStrategy.GATHER,
        max_workers: int | None = None,
        chunk_size: int | None = None,
    ) -> Self:
        """Say how `execute_parallel` is to work.

        Args:
            strategy: `"gather"` (one event loop; a sync pipeline just goes through its inputs),
                `"thread_pool"` (sync stages in threads, async ones stay in the event loop) or
                `"process_pool"`.
            max_workers: how many inputs, threads or processes at once. Left out: all inputs for
                `"gather"`, as many as the processors suggest for the pools.
            chunk_size: inputs that go to a process at a time; spread evenly if left out.

        Raises:
            pydantic.ValidationError: for an unknown strategy or a number below 1.
            RuntimeError: inside the `with` block, where it would come too late.
        """
        if self._rivusio_is_open:
            message = (
                f"{str_of(self)} is working in parallel already; configure it before the with block"
            )
            raise RuntimeError(message)
        self._parallel_config = ParallelConfig(
            strategy=strategy,  # type: ignore[arg-type]  # pydantic takes its name as well
            max_workers=max_workers,
            chunk_size=chunk_size,
        )
        return self

    @property
    def _config(self) -> ParallelConfig:
        return self._parallel_config or ParallelConfig()

    def _open(self) -> None:
        if self._rivusio_is_open:
            message = (
                f"{str_of(self)} is working in parallel already; share it inside its with block"
            )
            raise RuntimeError(message)
        self._rivusio_executor = self._new_executor()
        self._rivusio_is_open = True

    def _new_executor(self) -> Executor | None:
        workers = self._config.max_workers
        match self._config.strategy:
            case ExecutionStrategy.GATHER:
                return None
            case ExecutionStrategy.THREAD_POOL:
                return ThreadPoolExecutor(workers)
            case ExecutionStrategy.PROCESS_POOL:
                # A forked child would inherit the threads' locks; a fresh one inherits nothing.
                return ProcessPoolExecutor(
                    workers,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_adopt,
                    initargs=(self._pickled(), self._is_async),
                )

    def _close(self) -> None:
        executor, self._rivusio_executor = self._rivusio_executor, None
        self._rivusio_is_open = False
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    def _pickled(self) -> bytes:
        try:
            return pickle.dumps(self)
        except Exception as error:
            message = (
                f"{str_of(self)} cannot be sent to other processes: {str_of(error)}; "
                f"pipes and functions must be importable by name (no lambdas, no local classes)"
            )
            raise TypeError(message) from error

    def _refuse_outside(self, manager: str) -> None:
        if not self._rivusio_is_open:
            message = f"Must use {manager} for parallel execution"
            raise PipelineError(str_of(self), RuntimeError(message))

    def _chunks(self, inputs: Sequence[Any]) -> list[Sequence[Any]]:  # the pipeline's In
        workers = self._config.max_workers or os.cpu_count() or 1
        even = math.ceil(len(inputs) / (workers * CHUNKS_PER_WORKER)) or 1
        size = self._config.chunk_size or even
        return [inputs[start : start + size] for start in range(0, len(inputs), size)]


class SyncParallel(_Parallel, Generic[In, Out]):
    """`execute_parallel` of a sync pipeline."""

    _is_async = False

    @abstractmethod
    def process(self, data: In) -> Out:
        """Take one item through the chain."""

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def execute_parallel(self, inputs: Iterable[In]) -> list[Out]:
        """Process all inputs; the results are in their order.

        Raises:
            PipelineError: when an input fails, or outside the `with` block.
        """
        self._refuse_outside("context manager")
        if isinstance(self._rivusio_executor, ProcessPoolExecutor):
            chunks = self._rivusio_executor.map(_process_chunk, self._chunks(list(inputs)))
            return list(chain.from_iterable(chunks))
        if self._rivusio_executor is not None:
            return list(self._rivusio_executor.map(_in_context(self.process), inputs))
        return [self.process(data) for data in inputs]


class AsyncParallel(_Parallel, Generic[In, Out]):
    """`execute_parallel` of an async pipeline."""

    _is_async = True

    @abstractmethod
    def _process_with(
        self, data: In, in_thread: Callable[..., Awaitable[Any]] | None
    ) -> Coroutine[Any, Any, Out]:
        """Take one item through the chain, its sync stages through `in_thread`."""

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._rivusio_executor is None:
            self._close()
            return
        # Workers may still be busy with what was cancelled; the loop need not stand still for it.
        closing = asyncio.create_task(asyncio.to_thread(self._close))
        cancelled = await joined(closing)
        closing.result()
        if cancelled is not None:
            raise cancelled

    async def execute_parallel(self, inputs: Iterable[In]) -> list[Out]:
        """Process all inputs; the results are in their order.

        Raises:
            PipelineError: when an input fails, or outside the `async with` block.
        """
        self._refuse_outside("async context manager")
        executor = self._rivusio_executor
        inputs = list(inputs)
        loop = asyncio.get_running_loop()
        if isinstance(executor, ProcessPoolExecutor):

            async def in_process(chunk: Sequence[In]) -> list[Out]:
                return await loop.run_in_executor(executor, _process_chunk, chunk)

            return list(chain.from_iterable(await _at_once(in_process, self._chunks(inputs), None)))

        async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
            return await loop.run_in_executor(executor, copy_context().run, function, *arguments)

        async def process(data: In) -> Out:
            return await self._process_with(data, in_thread if executor is not None else None)

        return await _at_once(process, inputs, self._config.max_workers)


Given = TypeVar("Given")
Result = TypeVar("Result")


def _in_context(function: Callable[[Given], Result]) -> Callable[[Given], Result]:
    """Make each call in a copy of its own of the context as it is now."""
    context = copy_context()
    return lambda data: context.copy().run(function, data)


async def _at_once(
    process: Callable[[Given], Awaitable[Result]], inputs: Sequence[Given], limit: int | None
) -> list[Result]:
    """Process up to `limit` inputs at once; at an error cancel the others, and wait for them."""
    results: dict[int, Result] = {}
    waiting = iter(enumerate(inputs))

    async def work() -> None:
        for index, data in waiting:
            results[index] = await process(data)

    workers = min(len(inputs), limit or len(inputs))
    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        for task in tasks:
            await joined(task)  # the error or the cancellation that is leaving says it all
        raise
    return [results[index] for index in range(len(inputs))]


# In a worker process: its own copy of the pipeline, and one event loop for its whole life.
_pipeline: Any = None  # whichever pipeline the pool was opened for
_runner: asyncio.Runner | None = None


def _adopt(pickled: bytes, is_async: bool) -> None:
    global _pipeline, _runner  # noqa: PLW0603  a pool offers its workers no other place
    _pipeline = pickle.loads(pickled)  # noqa: S301  written by this pool's own parent
    _runner = asyncio.Runner() if is_async else None


def _process_chunk(chunk: Sequence[Any]) -> list[Any]:  # the pipeline's In and Out
    if _runner is not None:
        return _runner.run(_process_in_order(chunk))
    return [_pipeline.process(data) for data in chunk]


async def _process_in_order(chunk: Sequence[Any]) -> list[Any]:  # the pipeline's In and Out
    return [await _pipeline.process(data) for data in chunk]
