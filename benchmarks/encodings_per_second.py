"""How many questions processes encode a second when they do nothing else."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence


def encodings_per_second(texts: Sequence[str], *, processes: int, seconds: float) -> float:
    """The sum over processes that each encode one text after the other with one thread."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(processes)
    counts = context.SimpleQueue()
    workers = [
        context.Process(target=_encode, args=(list(texts), start, seconds, counts))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    rates = [counts.get() for _ in workers]
    for worker in workers:
        worker.join()
    return float(sum(rates))


def _encode(
    texts: list[str],
    start: multiprocessing.synchronize.Barrier,
    seconds: float,
    counts: multiprocessing.queues.SimpleQueue[float],
) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    from portal.config import load_settings
    from search.embed import open_embedder
    from search.threads import limit_threads

    limit_threads()
    settings = load_settings()
    embedder = open_embedder(settings.model, cache=settings.cache)
    embedder.encode_queries(texts[:2])
    start.wait()
    began = time.perf_counter()
    done = 0
    while time.perf_counter() - began < seconds:
        embedder.encode_queries([texts[done % len(texts)]])
        done += 1
    counts.put(done / (time.perf_counter() - began))
