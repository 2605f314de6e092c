"""The thread that refreshes the report: every hour, when asked, one at a time, never in the way."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from conftest import NOW
from editor_session import sign_in
from fakes import HashingEmbedder
from gap_support import Log
from portal.gaps.refresher import EVERY, GapRefresher
from portal.services import Services
from search.errors import IndexMissing
from search.reading import Reader


class _NoLibrary:
    """Nothing is published yet."""

    @property
    def generation(self) -> str:
        raise IndexMissing("nothing is published; run `kb index`")

    @property
    def reader(self) -> Reader:
        raise IndexMissing("nothing is published; run `kb index`")


@pytest.fixture
def now() -> list[Any]:
    return [NOW]


@pytest.fixture
def log() -> Log:
    made = Log()
    made.ask("velvet sofa", at=NOW - timedelta(hours=1), found=False)
    return made


def _refresher(log: Log, now: list[Any]) -> GapRefresher:
    library: Any = _NoLibrary()
    return GapRefresher(log.engine, library, HashingEmbedder(), lambda: now[0], cache=None)


@pytest.fixture
def refresher(log: Log, now: list[Any]) -> GapRefresher:
    return _refresher(log, now)


@pytest.fixture
def another(log: Log, now: list[Any]) -> GapRefresher:
    """That of another process."""
    return _refresher(log, now)


def test_it_runs_when_an_hour_has_passed_or_somebody_asks(
    refresher: GapRefresher, now: list[Any]
) -> None:
    first = refresher.run_due()
    assert first is not None
    assert (first.gaps, first.new, first.generation) == (1, 1, "")
    now[0] += EVERY - timedelta(seconds=1)
    assert refresher.run_due() is None
    now[0] += timedelta(seconds=1)
    again = refresher.run_due()
    assert again is not None
    assert again.new == 0


def test_progress_is_told_while_it_runs_and_the_claim_is_given_back(
    refresher: GapRefresher,
) -> None:
    seen = []

    def note(stage: str, _done: int, _total: int) -> None:
        if stage not in seen:
            seen.append(stage)
        progress = refresher.progress()
        assert progress is not None

    assert refresher.run_now(note) is not None
    # Without a published index there is nothing to propose kinds from.
    assert [stage for stage in seen if stage != "figures"] == ["read", "encode", "group", "name"]
    assert refresher.progress() is None


def test_a_failure_gives_the_claim_back_and_is_tried_again_an_hour_later(
    refresher: GapRefresher, now: list[Any]
) -> None:
    tried = []

    def fail(*_: object) -> None:
        tried.append(now[0])
        raise ValueError("no model")

    refresher.embedder.encode_queries = fail  # type: ignore[method-assign,assignment]
    assert refresher.run_due() is None
    assert refresher.progress() is None
    now[0] += EVERY - timedelta(seconds=1)
    assert refresher.run_due() is None
    assert len(tried) == 1
    now[0] += timedelta(seconds=1)
    refresher.run_due()
    assert len(tried) == 2
    assert refresher.failed_at() == now[0]


def test_what_failed_in_one_process_is_not_tried_by_the_next(
    refresher: GapRefresher, now: list[Any], another: GapRefresher
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no model")

    refresher.embedder.encode_queries = fail  # type: ignore[method-assign,assignment]
    refresher.run_due()
    now[0] += timedelta(minutes=5)
    assert another.failed_at() == now[0] - timedelta(minutes=5)
    assert another.run_due() is None
    assert another.run_now() is not None  # whoever asks for it gets it
    assert refresher.failed_at() is None


def test_the_thread_starts_and_stops(refresher: GapRefresher) -> None:
    refresher.start()
    refresher.start()
    assert [thread.name for thread in threading.enumerate()].count("gaps") == 1
    refresher.request()
    refresher.stop()
    assert "gaps" not in [thread.name for thread in threading.enumerate()]


def test_refresh_now_answers_at_once_and_progress_is_data(
    client: FlaskClient, services: Services
) -> None:
    sign_in(client, services)
    asked = threading.Event()
    services.gap_refresher.request = asked.set  # type: ignore[method-assign]
    assert client.post("/editor/gaps/refresh").location == "/editor/gaps"
    assert asked.is_set()
    answer = client.get("/editor/gaps/progress.json").json
    assert answer is not None
    assert answer["running"] is False
    assert answer["refreshed"] is None
