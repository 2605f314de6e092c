"""The published generation as a running process sees it: swapped when the pointer moves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from search.cache import Cache, CacheMeter, RememberingEmbedder
from search.catalogue import Catalogue
from search.completion import Completer
from search.confidence import read_calibrations
from search.errors import KnowledgeBaseError
from search.generation import Generation, current_name, open_current
from search.ranking import read_ranking
from search.reading import Reader
from search.searcher import Searcher
from search.suggest import MOST, THRESHOLD, Suggestions, suggest
from search.types import Embedder, Filters, Response, Vectors

CALIBRATION = "confidence.json"
RANKING = "ranking.json"
_Version = tuple[str | None, tuple[int, ...]]
_LOOK_EVERY = 0.5  # seconds
_log = logging.getLogger(__name__)


def open_searcher(data: Path, embedder: Embedder) -> Searcher:
    """A searcher over the current generation, tuned by what `kb calibrate` has written."""
    return tuned(data, open_current(data, embedder), embedder)


def tuned(data: Path, generation: Generation, embedder: Embedder) -> Searcher:
    """A searcher over any generation with a site's own ranking and calibration, if it has them."""
    return Searcher(
        generation, embedder,
        ranking=read_ranking(data / RANKING), calibrations=read_calibrations(data / CALIBRATION),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Live:
    """A searcher and what it has answered: a new searcher knows nothing of the old answers."""

    searcher: Searcher
    answers: Cache[Hashable, Response]


class PublishedLibrary:
    """Holds the current searcher. A request that has begun keeps the one it began with.

    A new generation is opened by the first thread that notices it while the others go on with
    the old one; if it cannot be opened, the old one stays and `problem` says why.

    The last `results` responses are remembered until the generation or its tuning changes, and
    the vectors of the last `vectors` texts that were asked; 0 remembers none. `meters` hear of
    the caches named `results` and `vectors`.
    """

    def __init__(
        self,
        data: Path,
        embedder: Embedder,
        *,
        results: int = 0,
        vectors: int = 0,
        meters: Mapping[str, CacheMeter] | None = None,
    ) -> None:
        meters = meters or {}
        self._data = data
        self._vectors: Cache[str, Vectors] = Cache(vectors, meters.get("vectors"))
        self._embedder = RememberingEmbedder(embedder, self._vectors) if vectors else embedder
        self._results = results
        self._results_meter = meters.get("results")
        self._live: _Live | None = None
        self._looked = 0.0
        self._version: _Version = (None, ())
        self._refused: _Version | None = None
        self._swap = threading.Lock()
        self.problem: str | None = None

    @property
    def searcher(self) -> Searcher:
        """The current searcher. Raises `IndexMissing` and its kin while there is none at all."""
        return self._current().searcher

    def _current(self) -> _Live:
        live = self._live
        if live is None:
            with self._swap:
                if self._live is None:
                    version = (current_name(self._data), self._tuned())
                    self._live = self._open()
                    self._version = version
                    self._looked = time.monotonic()
                return self._live
        if time.monotonic() - self._looked > _LOOK_EVERY and self._swap.acquire(blocking=False):
            try:
                return self._look(live)
            finally:
                self._swap.release()
        return live

    def _open(self) -> _Live:
        """Raises `IndexMissing` and its kin."""
        searcher = open_searcher(self._data, self._embedder)
        return _Live(searcher, Cache(self._results, self._results_meter))

    def _tuned(self) -> tuple[int, ...]:
        """When the site's own ranking and calibration were last written, 0 without one."""
        written = []
        for name in (RANKING, CALIBRATION):
            try:
                written.append((self._data / name).stat().st_mtime_ns)
            except OSError:
                written.append(0)
        return tuple(written)

    def _look(self, present: _Live) -> _Live:
        """Swap where there is something newer; gives what is live afterwards."""
        self._looked = time.monotonic()
        name = None
        version: _Version = (None, ())
        try:
            name = current_name(self._data)
            version = (name, self._tuned())
            if version == self._version:
                self._refused, self.problem = None, None  # put right, perhaps by a rollback
            elif name is not None and version != self._refused:
                self._live = self._open()
                self._version, self._refused, self.problem = version, None, None
                _log.info("generation %s is live", name)
        except (KnowledgeBaseError, OSError) as error:
            self._refused, self.problem = version, str(error)
            _log.error("generation %s is refused, the old one stays: %s", name, error)
        return self._live or present

    @property
    def catalogue(self) -> Catalogue:
        return self.searcher.generation.catalogue

    @property
    def generation(self) -> str:
        return self.searcher.generation.name

    @property
    def reader(self) -> Reader:
        """Reads what was meant, with the words of the current generation."""
        return self.searcher.generation.reader

    @property
    def completer(self) -> Completer:
        return self.searcher.generation.completer

    def is_gone(self, path: str) -> bool:
        """Whether an article that once stood at this path has been archived."""
        return path in self.searcher.generation.gone

    def search(
        self,
        query: str,
        *,
        locale: str | None = None,
        filters: Filters = Filters(),  # noqa: B008 (frozen)
        limit: int = 10,
        mode: str = "hybrid",
        explain: bool = False,
        exact: bool = False,
    ) -> Response:
        """As `Searcher.search`, on the current generation; what was asked before is remembered.

        A response that was remembered has the time it took to find it as the stage `cache` of its
        timings, and no other. One with explanations, or without the vector engine because it
        failed, is computed each time.
        """
        started = time.perf_counter()
        live = self._current()
        key = (query, locale, filters, limit, mode, exact)
        known = None if explain else live.answers.get(key)
        if known is not None:
            timings = {"cache": (time.perf_counter() - started) * 1000}
            return replace(known, trace=replace(known.trace, timings_ms=timings))
        response = live.searcher.search(
            query, locale=locale, filters=filters, limit=limit, mode=mode, explain=explain,
            exact=exact,
        )  # fmt: skip
        if not explain and not response.trace.degraded:
            live.answers.put(key, response)
        return response

    def suggest(
        self,
        text: str,
        *,
        locale: str | None = None,
        reason: str | None = None,
        platform: str | None = None,
        limit: int = MOST,
        threshold: float = THRESHOLD,
    ) -> Suggestions:
        """As `search.suggest.suggest`, on the current generation."""
        return suggest(
            self.searcher, text, locale=locale, reason=reason, platform=platform, limit=limit,
            threshold=threshold,
        )  # fmt: skip

    def forget(self) -> None:
        """Empty the caches, as before a fork: each process has its own."""
        self._vectors.clear()
        if self._live is not None:
            self._live.answers.clear()
