"""Prometheus metrics of the portal, summed over workers when it runs in several."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import ValueClass

from search.cache import CacheMeter

_STAGE_SECONDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
)  # fmt: skip
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class _CacheMeter:
    """What a cache does, in the counters labelled with its name."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.hit = metrics.cache_hits.labels(name).inc
        self.miss = metrics.cache_misses.labels(name).inc
        self.drop = metrics.cache_dropped.labels(name).inc
        self.hold = metrics.cache_entries.labels(name).set


class Metrics:
    """The counters of this process, or its share of those that `kb serve`'s workers sum up."""

    def __init__(self) -> None:
        # The library decides at its import, from the folder `portal.server` sets.
        several = self._several = bool(getattr(ValueClass, "_multiprocess", False))
        self._registry = CollectorRegistry()
        registry = None if several else self._registry
        self.requests = Counter(
            "kb_requests_total", "HTTP requests answered.", ["endpoint", "status"],
            registry=registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "kb_request_seconds", "Time to answer a request.", ["endpoint"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.searches = Counter(
            "kb_searches_total", "Settled searches.", ["channel", "locale", "outcome"],
            registry=registry,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "kb_search_stage_seconds", "Time a stage of a search took.", ["stage"],
            buckets=_STAGE_SECONDS, registry=registry,
        )  # fmt: skip
        self.degraded = Counter(
            "kb_searches_degraded_total", "Searches answered without the vector engine.",
            registry=registry,
        )  # fmt: skip
        self.event_failures = Counter(
            "kb_event_failures_total", "Attempts to store events that failed, and searches lost.",
            ["operation"], registry=registry,
        )  # fmt: skip
        self.cache_hits = Counter(
            "kb_cache_hits_total", "What was asked of a cache and found.", ["cache"],
            registry=registry,
        )  # fmt: skip
        self.cache_misses = Counter(
            "kb_cache_misses_total", "What was asked of a cache and not found.", ["cache"],
            registry=registry,
        )  # fmt: skip
        self.cache_dropped = Counter(
            "kb_cache_dropped_total", "Entries of a cache that made room for others.", ["cache"],
            registry=registry,
        )  # fmt: skip
        self.cache_entries = Gauge(
            "kb_cache_entries", "Entries of a cache, in all workers together.", ["cache"],
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self.index_problem = Gauge(
            "kb_index_problem", "1 while a newer generation is refused.", registry=registry,
            multiprocess_mode="max",
        )  # fmt: skip

    def cache(self, name: str) -> CacheMeter:
        """The meter of a cache."""
        return _CacheMeter(self, name)

    def render(self) -> bytes:
        """The text format, for `/metrics`."""
        if not self._several:
            return generate_latest(self._registry)
        collected = CollectorRegistry()
        MultiProcessCollector(collected)  # type: ignore[no-untyped-call]
        return generate_latest(collected)
