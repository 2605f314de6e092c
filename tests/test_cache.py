"""What is remembered of questions: bounded, counted, and never of another generation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from fakes import HashingEmbedder
from indexer.build import build_and_publish
from portal.app import create_app
from portal.config import Settings
from portal.services import Services
from search.cache import Cache, CacheCounts, RememberingEmbedder
from search.library import PublishedLibrary
from search.types import Filters, Response, Vectors

TODAY = date(2026, 11, 22)


# --- the cache itself ------------------------------------------------------------------------


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=60))
def test_it_holds_the_values_used_last(size: int, steps: list[tuple[bool, int]]) -> None:
    counts = CacheCounts()
    cache: Cache[int, str] = Cache(size, counts)
    used: list[int] = []  # least recently first
    hits = misses = 0
    for is_put, key in steps:
        if is_put:
            cache.put(key, str(key))
        else:
            found = cache.get(key)
            assert found == (str(key) if key in used else None)
            hits, misses = hits + (key in used), misses + (key not in used)
        if is_put or key in used:
            used = [other for other in used if other != key] + [key]
        used = used[-size:]
    assert len(cache) == len(used) == counts.entries
    assert (counts.hits, counts.misses) == (hits, misses)


def test_what_makes_room_is_counted_and_forgetting_is_not_dropping() -> None:
    cache: Cache[int, str] = Cache(2)
    for key in range(5):
        cache.put(key, "x")
    assert cache.meter == CacheCounts(dropped=3, entries=2)
    cache.clear()
    assert cache.meter == CacheCounts(dropped=3, entries=0)
    assert cache.get(4) is None


def test_size_0_remembers_and_counts_nothing() -> None:
    cache: Cache[int, str] = Cache(0)
    cache.put(1, "x")
    assert cache.get(1) is None
    assert cache.meter == CacheCounts()


def test_threads_share_it() -> None:
    cache: Cache[int, int] = Cache(50)
    wrong: list[int] = []

    def work(seed: int) -> None:
        for step in range(3000):
            key = (seed * step) % 97
            found = cache.get(key)
            if found is None:
                cache.put(key, key)
            elif found != key:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = cache.meter
    assert isinstance(counts, CacheCounts)
    assert not wrong
    assert len(cache) == 50
    assert counts.hits + counts.misses == 4 * 3000


# --- vectors ---------------------------------------------------------------------------------


class CountingEmbedder(HashingEmbedder):
    """Writes down which queries it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[str] = []

    def encode_queries(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        self.queries.extend(texts)
        return super().encode_queries(texts)


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=5), max_size=8))
def test_remembered_vectors_are_those_of_the_embedder(batches: list[list[str]]) -> None:
    inner = CountingEmbedder()
    remembering = RememberingEmbedder(inner, Cache(100))
    for batch in batches:
        found = remembering.encode_queries(batch)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, HashingEmbedder().encode_queries(batch))
    assert sorted(inner.queries) == sorted({text for batch in batches for text in batch})


def test_what_is_handed_out_may_be_changed_without_harm() -> None:
    remembering = RememberingEmbedder(HashingEmbedder(), Cache(10))
    first = remembering.encode_queries(["refund"])
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(remembering.encode_queries(["refund"]), kept)


# --- responses -------------------------------------------------------------------------------


@pytest.fixture
def publish(
    articles: Path, tmp_path: Path, write_article: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[int], str]:  # fmt: skip
    monkeypatch.setattr("search.library._LOOK_EVERY", -1.0)

    def act(number: int) -> str:
        write_article(body=f"A refund takes {number} days.\n")
        return build_and_publish(articles, tmp_path / "data", HashingEmbedder(), today=TODAY).name

    return act


@pytest.fixture
def counts() -> dict[str, CacheCounts]:
    return {"results": CacheCounts(), "vectors": CacheCounts()}


@pytest.fixture
def library(tmp_path: Path, counts: dict[str, CacheCounts]) -> PublishedLibrary:
    return PublishedLibrary(
        tmp_path / "data", HashingEmbedder(), results=10, vectors=10, meters=counts
    )


def _untimed(response: Response) -> Response:
    return replace(response, trace=replace(response.trace, timings_ms={}))


def test_a_repeated_question_gets_the_same_response_and_says_where_from(
    library: PublishedLibrary, publish: Callable[[int], str], counts: dict[str, CacheCounts]
) -> None:
    publish(5)
    first, second = library.search("refund days"), library.search("refund days")
    assert _untimed(first) == _untimed(second)
    assert {"analyse", "keyword", "encode", "vector", "rank", "present"} <= set(
        first.trace.timings_ms
    )
    assert set(second.trace.timings_ms) == {"cache"}
    assert (counts["results"].hits, counts["results"].misses) == (1, 1)
    assert second.forms is first.forms


def test_every_option_makes_another_response(
    library: PublishedLibrary, publish: Callable[[int], str], counts: dict[str, CacheCounts]
) -> None:
    publish(5)
    asked: list[dict[str, object]] = [
        {}, {"locale": "en"}, {"locale": "zh-Hans"}, {"limit": 3}, {"mode": "keyword"},
        {"exact": True}, {"filters": Filters(section="refunds")}, {"filters": Filters(locale="en")},
    ]  # fmt: skip
    for options in asked:
        library.search("refund days", **options)  # type: ignore[arg-type]
    assert (counts["results"].hits, counts["results"].misses) == (0, len(asked))


def test_a_new_generation_forgets_the_answers_of_the_old_one_but_no_vectors(
    library: PublishedLibrary, publish: Callable[[int], str], counts: dict[str, CacheCounts]
) -> None:
    publish(5)
    library.search("refund days")
    encoded = counts["vectors"].misses
    second = publish(7)
    assert counts["results"].entries == 1
    response = library.search("refund days")
    assert response.generation == second
    assert response.results[0].passage.text == "A refund takes 7 days."
    assert counts["results"].hits == 0
    assert counts["results"].entries == 1
    assert counts["vectors"].misses == encoded


def test_a_response_with_explanations_is_always_computed(
    library: PublishedLibrary, publish: Callable[[int], str], counts: dict[str, CacheCounts]
) -> None:
    publish(5)
    for _ in range(2):
        assert library.search("refund days", explain=True).results[0].explanation
    assert library.search("refund days").results[0].explanation is None
    assert counts["results"].entries == 1


def test_what_a_failing_engine_left_over_is_not_remembered(
    library: PublishedLibrary, publish: Callable[[int], str], counts: dict[str, CacheCounts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    publish(5)

    def broken(*_args: object) -> None:
        raise RuntimeError("broken on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(HashingEmbedder, "encode_queries", broken)
        assert library.search("refund days").trace.degraded
    assert not library.search("refund days").trace.degraded


# --- the portal ------------------------------------------------------------------------------


def test_the_api_answers_the_same_from_the_cache(client: FlaskClient) -> None:
    question = "/api/v1/search?q=refund+to+gift+card"
    first, second = client.get(question).json, client.get(question).json
    assert first.pop("search_id") != second.pop("search_id")
    assert first == second
    text = client.get("/metrics").get_data(as_text=True)
    assert 'kb_cache_hits_total{cache="results"} 1.0' in text
    assert 'kb_cache_misses_total{cache="results"} 1.0' in text
    assert 'kb_cache_entries{cache="results"} 1.0' in text
    assert 'kb_search_stage_seconds_count{stage="cache"} 1.0' in text


def test_editors_are_told_what_each_stage_took_and_visitors_are_not(
    client: FlaskClient, settings: Settings, services: Services
) -> None:
    assert "Server-Timing" not in client.get("/api/v1/search?q=refund").headers
    editors = create_app(settings.model_copy(update={"explain_pages": True}), services)
    for page in ("/en/search?q=parcel+lost", "/api/v1/search?q=gift+card+refund"):
        stages = [
            [part.partition(";")[0] for part in answer.headers["Server-Timing"].split(", ")]
            for answer in (editors.test_client().get(page) for _ in range(2))
        ]
        assert stages == [
            ["analyse", "keyword", "encode", "vector", "rank", "present", "log", "total"],
            ["cache", "log", "total"],
        ]
    assert "Server-Timing" not in editors.test_client().get("/healthz").headers
