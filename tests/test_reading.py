"""Slips, pinyin and homophones are led back to words of the articles; what stands is untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import TODAY, ArticleWriter
from indexer.build import build_and_publish
from portal.rewording import reworded
from portal.services import Services
from search.errors import IndexDamaged
from search.generation import Generation, open_current
from search.library import open_searcher
from search.text import Tokeniser
from search.types import Change, Embedder
from search.vocabulary import Vocabulary, collect


@pytest.fixture(scope="module")
def generation(published: Path) -> Generation:
    return open_current(published)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("tuikuan", "退款"),
        ("tui kuan", "退款"),
        ("tuǐ kuǎn", "退款"),
        ("tui4kuan3", "退款"),
        ("TUIKUAN", "退款"),
        ("iPhone15 tuikuan", "iphone15 退款"),
        ("you hui quan", "优惠券"),
        ("wo yao tuikuan", "我要退款"),
        ("推款", "退款"),
        ("退欵", "退款"),
        ("我要推款怎么办", "我要退款怎么办"),
        ("運費顯", "运费险"),
        ("七天无里由", "七天无理由"),
        ("refnd statsu", "refund status"),
        ("my parcle", "my parcel"),
    ],
)
def test_what_was_meant(generation: Generation, text: str, read: str) -> None:
    assert generation.reader.read(text).text == read


@pytest.mark.parametrize(
    "text",
    [
        "refund", "退款", "女人不想要了可以退吗", "沙发太大搬不动", "床单等着用，很急",
        "WF-311-908-220", "WF311908220", "iPhone15 Pro Max", "order 48213", "a@b.example",
        "Zanussi", "women", "change", "can he pay me", "dating", "",
    ],
)  # fmt: skip
def test_what_is_left_as_it_stands(generation: Generation, text: str) -> None:
    reading = generation.reader.read(text)
    assert (reading.text, reading.changes) == (text, ())


def test_a_word_of_the_articles_is_never_changed(
    articles: Path, write_article: ArticleWriter, tmp_path: Path, embedder: Embedder
) -> None:
    """A product called Refnd, and an article that really says 推款: both stand as they are."""
    write_article("refnd", title="The Refnd kettle", body="The Refnd kettle boils water.\n")
    write_article("refund", title="Refunds", body="A refund takes five days.\n")
    write_article("tui", locale="zh-Hans", title="推款", body="推款是另一种东西。\n")
    write_article("kuan", locale="zh-Hans", title="退款", body="退款五天到账。\n")
    data = tmp_path / "data"
    build_and_publish(articles, data, embedder, today=TODAY)
    searcher = open_searcher(data, embedder)
    expected = {"refnd": "refnd", "refund": "refund", "推款": "tui", "退款": "kuan"}
    for query, wanted in expected.items():
        found = searcher.search(query)
        assert wanted in [result.article.id for result in found.results]
        assert not found.trace.changes
    for query in ("推款", "退款"):
        assert searcher.search(query).results[0].article.id == expected[query]


def test_the_search_names_its_changes_and_can_be_told_not_to(services: Services) -> None:
    found = services.library.search("refnd statsu")
    assert [(c.kind, c.found, c.used) for c in found.trace.changes] == [
        ("spelling", "refnd", "refund"), ("spelling", "statsu", "status"),
    ]  # fmt: skip
    assert found.results[0].article.id == "refund-statuses"
    assert not services.library.search("refnd statsu", exact=True).trace.changes


def test_a_doubtful_word_is_only_asked_about(services: Services) -> None:
    trace = services.library.search("cancel my oder").trace
    assert not trace.changes
    assert [(c.found, c.used) for c in trace.doubts] == [("oder", "order")]


@pytest.mark.parametrize(
    ("query", "change", "expected"),
    [
        ("My Refnd, please", Change("spelling", 3, 8, "refnd", "refund"), "My refund, please"),
        ("refnds refnd", Change("spelling", 7, 12, "refnd", "refund"), "refnds refund"),
        ("我要推款吗", Change("homophone", 2, 4, "推款", "退款"), "我要退款吗"),
        ("運費顯呢", Change("homophone", 0, 3, "运费显", "运费险"), "运费险呢"),
    ],
)
def test_rewording_keeps_the_rest(query: str, change: Change, expected: str) -> None:
    assert reworded(query, [change]) == expected


def test_vocabulary_survives_the_disk_and_refuses_damage(tmp_path: Path) -> None:
    made = collect(["Refund refund kettles", "退款到账，退款"], Tokeniser(["运费险"]))
    assert made.latin == {"kettles": 1, "refund": 2}
    assert made.han["退款"] == 2
    assert made.han["运费险"] == 1
    assert made.sounds["tuikuan"] == ("退款",)
    made.save(tmp_path)
    assert Vocabulary.open(tmp_path) == made
    (tmp_path / "vocabulary.json").write_text("{}", "utf-8")
    with pytest.raises(IndexDamaged, match=r"vocabulary\.json"):
        Vocabulary.open(tmp_path)
