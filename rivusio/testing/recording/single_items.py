"""The consumer of `pipe.process(item)`: the items of the source one by one, each for itself."""

from __future__ import annotations

from typing import Any

import rivusio
from rivusio.pipes.base import AsyncPipeline, BasePipe, SyncPipeline, chain_of
from rivusio.testing.recording.run_log import LEAVING, RunLog
from rivusio.testing.scripts import RunScript


def process_plainly(script: RunScript, log: RunLog) -> None:
    """Process the items with a sync chain; write down what comes of each.

    Raises:
        NotCompiledError: when there is nothing compiled to run.
        KeyboardInterrupt, SystemExit: when a stage leaves so.
    """
    chain = _chain_of(script.pipe)
    assert isinstance(chain, SyncPipeline)  # noqa: S101  its stages are sync
    for item in script.source.items:
        log.note("process", item)
        try:
            log.note_output(chain.process(item))
        except (rivusio.NotCompiledError, *LEAVING):
            raise
        except BaseException as error:  # noqa: BLE001  it is what was to be seen
            log.note_error(error)


async def process_in_loop(script: RunScript, log: RunLog) -> None:
    """Process the items with an async chain; write down what comes of each.

    Raises:
        NotCompiledError: when there is nothing compiled to run.
    """
    chain = _chain_of(script.pipe)
    assert isinstance(chain, AsyncPipeline)  # noqa: S101  one of its stages is async
    for item in script.source.items:
        log.note("process", item)
        try:
            log.note_output(await chain.process(item))
        except rivusio.NotCompiledError:
            raise
        except Exception as error:  # noqa: BLE001  it is what was to be seen
            log.note_error(error)
        except LEAVING as error:  # here, and not in the event loop, which it would break off
            log.note_leaving(error)
            return


def _chain_of(pipe: BasePipe[Any, Any]) -> BasePipe[Any, Any]:
    """Give the chain of which single items are asked: a lone pipe is one of one stage."""
    if isinstance(pipe, SyncPipeline | AsyncPipeline):
        return pipe
    chain = chain_of(pipe._rivusio_stages())
    chain._rivusio_place = pipe._rivusio_place
    return chain
