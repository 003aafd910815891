"""Watching pipelines: the public path of what `rivusio.observe` has for users."""

from rivusio.observe.metrics import MetricValue, MetricWindow
from rivusio.observe.monitoring import MetricsCollector, PipelineMonitor

__all__ = ["MetricValue", "MetricWindow", "MetricsCollector", "PipelineMonitor"]
