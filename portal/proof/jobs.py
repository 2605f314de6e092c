"""Runs in a thread beside the pages: one at a time over all processes, progress in the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from portal.drafts.facts import facts_of
from portal.proof.store import RunStore
from portal.proof.types import Outcome, Run
from search.errors import KnowledgeBaseError

Progress = Callable[[str, int, int], None]
Found = tuple[Mapping[str, Any], tuple[Outcome, ...]]
"""What a run came to, and of a proof the outcome of every question."""
Work = Callable[[Progress], Found]
Ended = Callable[[Run, bool], None]
"""Told of a run that is over and kept, and whether it came to something."""

_SAYS_EVERY = 0.5  # seconds between two notes of progress
_ALIVE_EVERY = 15.0  # seconds, less than a run may be silent
_WAITS = 15.0  # seconds for the run under way when the process ends
_UNEXPECTED = "Something went wrong here. The error has been logged."
_log = structlog.get_logger(__name__)


class Jobs:
    """The runs of this process."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._threads: dict[str, threading.Thread] = {}

    def start(self, run: Run, work: Work, ended: Ended | None = None) -> None:
        """Do the work of a run that has the turn, and come back at once."""
        thread = threading.Thread(
            target=self.do, args=(run, work, None, ended), name="proof", daemon=True
        )
        self._threads = {name: one for name, one in self._threads.items() if one.is_alive()}
        self._threads[run.id] = thread
        thread.start()

    def do(
        self, run: Run, work: Work, watch: Progress | None = None, ended: Ended | None = None
    ) -> None:
        """Do the work here and keep what it comes to, an error as well; `watch` is told too."""
        done = False
        told = _Told(self._store, run.id, watch)
        over = threading.Event()
        beat = threading.Thread(target=told.keep_alive, args=(over,), daemon=True)
        beat.start()
        try:
            result, outcomes = work(told)
        except KnowledgeBaseError as error:
            over.set()
            self._ended(run, str(error), facts_of(error))
        except Exception as error:
            over.set()
            _log.exception("run_failed", run=run.id, kind=run.kind, error=type(error).__name__)
            self._ended(run, _UNEXPECTED, {"code": "unexpected"})
        else:
            over.set()
            try:
                self._store.finish(run.id, result, outcomes)
                done = True
            except KnowledgeBaseError as error:
                self._ended(run, str(error), facts_of(error))
        beat.join()
        if ended:
            ended(run, done)

    def wait(self, name: str, seconds: float = _WAITS) -> bool:
        """Wait for a run of this process; gives whether it is over."""
        thread = self._threads.get(name)
        if thread is not None:
            thread.join(seconds)
            return not thread.is_alive()
        return True

    def finish(self, seconds: float = _WAITS) -> None:
        """Wait for every run of this process, `seconds` in all: it is about to end."""
        until = time.monotonic() + seconds
        for name in tuple(self._threads):
            if not self.wait(name, max(until - time.monotonic(), 0.0)):
                _log.warning("run_cut_off", run=name)

    def _ended(self, run: Run, error: str, facts: Mapping[str, Any]) -> None:
        try:
            self._store.fail(run.id, error, facts)
        except KnowledgeBaseError as lost:  # its turn lapses by itself
            _log.error("run_not_stored", run=run.id, detail=str(lost))


class _Told:
    """Progress on its way into the store; the store failing now and then stops no work."""

    def __init__(self, store: RunStore, name: str, watch: Progress | None) -> None:
        self._store = store
        self._name = name
        self._watch = watch
        self._last = ("", 0, 1)
        self._said = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        new = stage != self._last[0]
        self._last = (stage, done, total)
        if self._watch:
            self._watch(stage, done, total)
        if new or time.monotonic() - self._said >= _SAYS_EVERY:
            self._say()

    def keep_alive(self, over: threading.Event) -> None:
        """Say that the work goes on where a stage takes long."""
        while not over.wait(_ALIVE_EVERY):
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        try:
            self._store.alive(self._name, *self._last)
        except KnowledgeBaseError as error:
            _log.warning("run_progress_not_stored", run=self._name, detail=str(error))
