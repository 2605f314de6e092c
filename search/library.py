"""The published generation as a running process sees it: swapped when the pointer moves."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from search.catalogue import Catalogue
from search.completion import Completer
from search.confidence import read_calibrations
from search.errors import KnowledgeBaseError
from search.generation import Generation, current_name, open_current
from search.ranking import read_ranking
from search.searcher import Searcher
from search.types import Embedder, Response

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


class PublishedLibrary:
    """Holds the current searcher. A request that has begun keeps the one it began with.

    A new generation is opened by the first thread that notices it while the others go on with
    the old one; if it cannot be opened, the old one stays and `problem` says why.
    """

    def __init__(self, data: Path, embedder: Embedder) -> None:
        self._data = data
        self._embedder = embedder
        self._searcher: Searcher | None = None
        self._looked = 0.0
        self._version: _Version = (None, ())
        self._refused: _Version | None = None
        self._swap = threading.Lock()
        self.problem: str | None = None

    @property
    def searcher(self) -> Searcher:
        """The current searcher. Raises `IndexMissing` and its kin while there is none at all."""
        if self._searcher is None:
            with self._swap:
                if self._searcher is None:
                    version = (current_name(self._data), self._tuned())
                    self._searcher = open_searcher(self._data, self._embedder)
                    self._version = version
                    self._looked = time.monotonic()
            return self._searcher
        if time.monotonic() - self._looked > _LOOK_EVERY and self._swap.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._swap.release()
        return self._searcher

    def _tuned(self) -> tuple[int, ...]:
        """When the site's own ranking and calibration were last written, 0 without one."""
        written = []
        for name in (RANKING, CALIBRATION):
            try:
                written.append((self._data / name).stat().st_mtime_ns)
            except OSError:
                written.append(0)
        return tuple(written)

    def _look(self) -> None:
        self._looked = time.monotonic()
        present = self._searcher
        name = None
        version: _Version = (None, ())
        try:
            name = current_name(self._data)
            version = (name, self._tuned())
            if present is not None and version == self._version:
                self._refused, self.problem = None, None  # put right, perhaps by a rollback
                return
            if present is None or name is None or version == self._refused:
                return
            self._searcher = open_searcher(self._data, self._embedder)
            self._version, self._refused, self.problem = version, None, None
            _log.info("generation %s is live", name)
        except (KnowledgeBaseError, OSError) as error:
            self._refused, self.problem = version, str(error)
            _log.error("generation %s is refused, the old one stays: %s", name, error)

    @property
    def catalogue(self) -> Catalogue:
        return self.searcher.generation.catalogue

    @property
    def generation(self) -> str:
        return self.searcher.generation.name

    @property
    def completer(self) -> Completer:
        return self.searcher.generation.completer

    def is_gone(self, path: str) -> bool:
        """Whether an article that once stood at this path has been archived."""
        return path in self.searcher.generation.gone

    def search(self, query: str, **options: Any) -> Response:
        """As `Searcher.search`, on the current generation."""
        return self.searcher.search(query, **options)
