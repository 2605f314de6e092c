"""The index as a running process sees it: swapped whole, never in the middle of a request."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fakes import HashingEmbedder
from indexer.build import build_and_publish
from indexer.publish import prune, roll_back
from search.errors import IndexDamaged, IndexMismatch, IndexMissing
from search.library import PublishedLibrary
from search.types import Response

TODAY = date(2026, 11, 22)
Write = Callable[..., Path]
Publish = Callable[[int], str]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pointer is looked at before every request, and no test waits for the disk."""
    monkeypatch.setattr("search.library._LOOK_EVERY", -1.0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def publish(articles: Path, data: Path, write_article: Write) -> Publish:
    """Publishes one article whose text says the number; gives the generation's name."""

    def act(number: int) -> str:
        write_article(body=f"A refund takes {number} days.\n")
        return build_and_publish(articles, data, HashingEmbedder(), today=TODAY).name

    return act


@pytest.fixture
def library(data: Path) -> PublishedLibrary:
    return PublishedLibrary(data, HashingEmbedder())


def _text(response: Response) -> str:
    return response.results[0].passage.text


def test_before_the_first_publish_the_index_is_missing_and_then_it_is_there(
    library: PublishedLibrary, publish: Publish
) -> None:
    for _ in range(2):
        with pytest.raises(IndexMissing, match="nothing has been published yet; run `kb index`"):
            library.search("refund")
    name = publish(5)
    assert library.search("refund").generation == name
    assert library.problem is None


def test_a_new_generation_is_served_without_a_restart(
    library: PublishedLibrary, publish: Publish
) -> None:
    first = publish(5)
    assert _text(library.search("refund days")) == "A refund takes 5 days."
    second = publish(7)
    response = library.search("refund days")
    assert (response.generation, _text(response)) == (second, "A refund takes 7 days.")
    assert library.generation == second != first


def test_a_reader_holds_its_generation_while_others_come_and_it_is_removed(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    first = publish(5)
    held = library.searcher
    last = [publish(number) for number in (7, 9, 11)][-1]
    prune(data, keep=1)
    assert not (data / "generations" / first).exists()
    assert library.generation == last
    response = held.search("refund days", explain=True)
    assert (response.generation, _text(response)) == (first, "A refund takes 5 days.")
    article = held.generation.catalogue.by_path("/en/refunds/refund-timing")
    assert article is not None
    assert "5 days" in article.html


def test_the_catalogue_and_what_is_gone_follow_the_generation(
    library: PublishedLibrary, publish: Publish, write_article: Write
) -> None:
    write_article("old-one")
    publish(5)
    assert [article.id for article in library.catalogue] == ["old-one", "refund-timing"]
    assert not library.is_gone("/en/refunds/old-one")
    write_article("old-one", status="archived")
    publish(5)
    assert [article.id for article in library.catalogue] == ["refund-timing"]
    assert library.is_gone("/en/refunds/old-one")


def test_a_rollback_is_served_as_well(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    first = publish(5)
    publish(7)
    assert _text(library.search("refund")) == "A refund takes 7 days."
    roll_back(data)
    assert library.search("refund").generation == first


def test_the_pointer_is_not_read_for_every_request(
    library: PublishedLibrary, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.library._LOOK_EVERY", 0.3)
    first = publish(5)
    assert library.generation == first
    second = publish(7)
    monkeypatch.setattr(library, "_looked", time.monotonic())
    assert library.generation == first
    time.sleep(0.35)
    assert library.generation == second


# --- damage


def test_a_damaged_new_generation_is_refused_and_the_old_one_stays(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    first = publish(5)
    assert library.generation == first
    second = publish(7)
    (data / "generations" / second / "vectors.faiss").write_bytes(b"garbage")
    response = library.search("refund")
    assert (response.generation, _text(response)) == (first, "A refund takes 5 days.")
    assert library.problem is not None
    assert second in library.problem
    assert "vectors.faiss" in library.problem


def test_a_refused_generation_is_not_tried_again_for_every_request(
    library: PublishedLibrary,
    publish: Publish,
    data: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish(5)
    library.search("refund")
    second = publish(7)
    (data / "generations" / second / "manifest.json").unlink()
    for _ in range(5):
        library.search("refund")
    refused = [record for record in caplog.records if "is refused" in record.getMessage()]
    assert len(refused) == 1


def test_the_next_good_generation_ends_the_problem(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    publish(5)
    library.search("refund")
    (data / "generations" / publish(7) / "site.json").unlink()
    library.search("refund")
    assert library.problem is not None
    third = publish(9)
    assert library.search("refund").generation == third
    assert library.problem is None


def test_a_rollback_to_what_is_served_ends_the_problem(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    first = publish(5)
    library.search("refund")
    (data / "generations" / publish(7) / "site.json").unlink()
    library.search("refund")
    assert library.problem is not None
    roll_back(data, first)
    assert library.search("refund").generation == first
    assert library.problem is None


@pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff", b"no-such-generation\n"])
def test_a_garbled_pointer_changes_nothing_but_is_told(
    library: PublishedLibrary, publish: Publish, data: Path, content: bytes
) -> None:
    first = publish(5)
    library.search("refund")
    (data / "current").write_bytes(content)
    assert library.search("refund").generation == first
    assert library.problem is not None
    (data / "current").write_text(first + "\n")
    assert library.search("refund").generation == first
    assert library.problem is None


def test_a_removed_data_folder_changes_nothing_for_who_has_begun(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    first = publish(5)
    library.search("refund")
    shutil.rmtree(data)
    assert library.search("refund").generation == first


def test_a_damaged_first_generation_is_an_error_with_its_path(
    library: PublishedLibrary, publish: Publish, data: Path
) -> None:
    name = publish(5)
    (data / "generations" / name / "passages.jsonl").unlink()
    with pytest.raises(IndexDamaged, match=name):
        library.search("refund")
    publish(7)
    assert _text(library.search("refund")) == "A refund takes 7 days."


def test_another_model_than_the_indexs_is_an_error_that_names_the_setting(
    publish: Publish, data: Path
) -> None:
    publish(5)
    with pytest.raises(IndexMismatch, match="KB_MODEL is other"):
        PublishedLibrary(data, HashingEmbedder(model_id="other")).search("refund")


# --- threads


def test_searching_threads_see_every_generation_whole_while_new_ones_are_published(
    library: PublishedLibrary, publish: Publish
) -> None:
    numbers = {publish(1): 1}
    stop = threading.Event()
    seen: list[tuple[str, str, str]] = []
    errors: list[BaseException] = []

    def search() -> None:
        try:
            while not stop.is_set():
                response = library.search("how many days does a refund take", explain=True)
                result = response.results[0]
                spans = "".join(span.text for span in result.snippet)
                seen.append((response.generation, result.passage.text, spans))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 8):
        numbers[publish(number)] = number
        wanted = len(seen) + 8
        deadline = time.monotonic() + 10
        while len(seen) < wanted and not errors and time.monotonic() < deadline:
            time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join(timeout=20)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)
    for generation, text, spans in seen:
        assert text == spans == f"A refund takes {numbers[generation]} days."
    assert {numbers[generation] for generation, _, _ in seen} >= {1, 7}
    assert library.problem is None


def test_threads_that_come_first_together_share_one_searcher(
    library: PublishedLibrary, publish: Publish
) -> None:
    publish(5)
    barrier = threading.Barrier(6)
    found: list[int] = []

    def ask() -> None:
        barrier.wait()
        found.append(id(library.searcher))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(found) == 6
    assert len(set(found)) == 1
