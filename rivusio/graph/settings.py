"""What a stage's configuration comes down to at the start of a run.

`config.py` holds what users may say; here is what applies. Through `.stream()` and
`.with_config()` a field of a `StreamConfig` applies only if it was set explicitly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from rivusio.graph.config import BackpressureConfig, OnError, StreamConfig
from rivusio.safe_repr import describe

StageConfig = StreamConfig | BackpressureConfig


LONGEST_PAUSE = 86_400.0  # seconds: no backoff grows beyond a day


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is tried, and what lies between the tries."""

    attempts: int
    delay: float
    backoff: float
    jitter: float

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failed tries, 1 or more."""
        try:
            seconds = min(self.delay * self.backoff ** (failures - 1), LONGEST_PAUSE)
        except OverflowError:
            seconds = LONGEST_PAUSE if self.delay else 0.0
        if self.jitter:
            # Jitter spreads load; nothing secret depends on it.
            seconds *= 1 + self.jitter * random.uniform(-1, 1)  # noqa: S311
        return seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """What applies to one stage: nothing, unless somebody asked for it."""

    retry: Retry | None = None
    timeout: float | None = None
    on_error: OnError = "raise"
    skip_none: bool = False
    backpressure: BackpressureConfig | None = None

    @property
    def treat_failures(self) -> bool:
        """Whether they say anything of a call that fails or takes too long."""
        return self.retry is not None or self.timeout is not None or self.on_error != "raise"


def resolve(config: StageConfig | None) -> Settings:
    """Give the settings that `config` comes down to.

    Raises:
        TypeError: when it is no configuration at all.
    """
    if config is None:
        return Settings()
    refuse_other(config)
    if isinstance(config, BackpressureConfig):
        return Settings(backpressure=config)
    said = config.model_fields_set
    return Settings(
        retry=_retry(config) if "retry_attempts" in said else None,
        timeout=config.timeout if "timeout" in said else None,
        on_error=config.on_error,
        skip_none=config.skip_none and "skip_none" in said,
        backpressure=config.backpressure
        or (_read_ahead(config) if "buffer_size" in said else None),
    )


def _retry(config: StreamConfig) -> Retry | None:
    if config.retry_attempts <= 1:
        return None
    return Retry(
        config.retry_attempts, config.retry_delay, config.retry_backoff, config.retry_jitter
    )


def _read_ahead(config: StreamConfig) -> BackpressureConfig:
    """A plain buffer of `buffer_size` items: it never throttles, it only waits when full."""
    return BackpressureConfig(
        max_buffer_size=config.buffer_size, throttle_threshold=1.0, min_processing_time=0.0
    )


def refuse_other(config: object) -> None:
    """Refuse what is no configuration.

    Raises:
        TypeError: saying what was given.
    """
    if not isinstance(config, StreamConfig | BackpressureConfig):
        message = f"config must be a StreamConfig or a BackpressureConfig, got {describe(config)}"
        raise TypeError(message)
