"""Completion tables and vocabulary made with a cache are, byte for byte, those made without."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT, TODAY
from indexer import completion, vocabulary
from indexer.blob_cache import BlobCache
from indexer.check import check_folder
from indexer.completion import write_completions
from indexer.content import Content, gather
from indexer.fingerprint import version_of
from indexer.vocabulary import write_vocabulary
from search.text import Tokeniser, normalise
from search.types import Article
from search.vocabulary import count_words


@pytest.fixture(scope="module")
def content() -> Content:
    """A few of the shipped articles of both languages."""
    library, _ = check_folder(ROOT / "articles", today=TODAY)
    return _only(gather(library), range(0, 100, 5))


def _only(content: Content, rows: Sequence[int]) -> Content:
    own = content.only(rows)
    return dataclasses.replace(
        content,
        articles=tuple(article for article, _ in own),
        passages=tuple(passage for _, passages in own for passage in passages),
        passage_article=tuple(row for row, (_, passages) in enumerate(own) for _ in passages),
        keys=tuple(content.keys[row] for row in rows),
    )


def _edited(content: Content, row: int) -> Content:
    """One article asks something else in other words, which no other article has."""
    article = content.articles[row]
    asked = ("Can I pay in zorkmids?", "能用佐克币付款吗", *article.questions[1:])
    articles = list(content.articles)
    articles[row] = dataclasses.replace(article, questions=asked)
    keys = list(content.keys)
    keys[row] = "0f" * 16
    return dataclasses.replace(content, articles=tuple(articles), keys=tuple(keys))


def _written(folder: Path, content: Content, cache: Path | None) -> dict[str, bytes]:
    """What both write, by the name of the file; `cache` is a folder."""
    tokeniser = Tokeniser(content.words)
    write_completions(
        folder / "completion", content.articles, tokeniser, cache=cache and cache / "c.sqlite"
    )
    write_vocabulary(folder, content, tokeniser, cache=cache and cache / "v.sqlite")
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were normalised, cut and spelt."""
    texts: list[str] = []
    prepare = completion.prepare

    def recorded(text: str, *args: object) -> object:
        texts.append(text)
        return prepare(text, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(completion, "prepare", recorded)
    return texts


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the articles whose words were counted."""
    titles: list[str] = []
    texts_of = vocabulary.texts_of

    def recorded(article: Article, *args: object) -> object:
        titles.append(article.title)
        return texts_of(article, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(vocabulary, "texts_of", recorded)
    return titles


def test_one_changed_article_is_prepared_and_counted_alone_and_nothing_differs(
    content: Content, tmp_path: Path, prepared: list[str], counted: list[str]
) -> None:
    first = _written(tmp_path / "1", content, tmp_path)
    assert set(first) == {"en.arrays", "zh-Hans.arrays", "vocabulary.json"}
    assert _written(tmp_path / "2", content, None) == first
    edited = _edited(content, 3)
    prepared.clear()
    counted.clear()
    second = _written(tmp_path / "3", edited, tmp_path)
    changed = edited.articles[3]
    assert set(prepared) <= {changed.title, *changed.questions}
    assert counted == [changed.title]
    assert second == _written(tmp_path / "4", edited, None)
    assert all(second[name] != first[name] for name in ("vocabulary.json", "en.arrays"))
    assert _written(tmp_path / "5", content, tmp_path) == first


def test_a_language_gets_the_table_it_had_while_its_titles_and_questions_stay(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _written(tmp_path / "1", content, tmp_path)
    assembled: list[str] = []
    assemble = completion.assemble_table

    def recorded(entries: object) -> object:
        assembled.append("table")
        return assemble(entries)  # type: ignore[arg-type]

    monkeypatch.setattr(completion, "assemble_table", recorded)
    articles = [dataclasses.replace(article, summary="New.") for article in content.articles]
    rewritten = dataclasses.replace(content, articles=tuple(articles), keys=())
    second = _written(tmp_path / "2", rewritten, tmp_path)
    assert assembled == []
    assert second == first
    assert content.articles[3].locale == "en"
    third = _written(tmp_path / "3", _edited(content, 3), tmp_path)
    assert assembled == ["table"]
    assert third["zh-Hans.arrays"] == first["zh-Hans.arrays"]


def test_the_order_and_number_of_articles_may_change(content: Content, tmp_path: Path) -> None:
    _written(tmp_path / "1", content, tmp_path)
    other = _only(content, [7, 2, 11, 5, 0])
    assert _written(tmp_path / "2", other, tmp_path) == _written(tmp_path / "3", other, None)


def test_other_words_of_the_domain_cut_everything_anew(
    content: Content, tmp_path: Path, counted: list[str]
) -> None:
    _written(tmp_path / "1", content, tmp_path)
    counted.clear()
    other = dataclasses.replace(content, words=("退款多久", "kettle"))
    found = _written(tmp_path / "2", other, tmp_path)
    assert len(counted) == len(content.articles)
    assert found == _written(tmp_path / "3", other, None)


def test_counts_without_their_words_are_not_believed(content: Content, tmp_path: Path) -> None:
    first = _written(tmp_path / "1", content, tmp_path)
    words = Tokeniser(content.words).words
    version = version_of(vocabulary.MODULES, words)
    with BlobCache(tmp_path / "v.sqlite", version=version) as blobs:
        assert b"words" in blobs.load()
        blobs.update({}, [b"words"])
    fewer = _only(content, range(10, 20))
    assert _written(tmp_path / "2", fewer, tmp_path) == _written(tmp_path / "3", fewer, None)
    assert _written(tmp_path / "4", content, tmp_path) == first


def test_articles_without_keys_are_counted_each_time(
    content: Content, tmp_path: Path, counted: list[str]
) -> None:
    nameless = dataclasses.replace(content, keys=())
    first = _written(tmp_path / "1", nameless, tmp_path)
    assert _written(tmp_path / "2", nameless, tmp_path) == first
    assert len(counted) == 2 * len(content.articles)
    assert not (tmp_path / "v.sqlite").exists()


_TOKENISER = Tokeniser(["仅退款", "iphone15"])
_WORDS = st.sampled_from(
    ["iPhone15", "don't", "a'b'c", "x1y2", "O'Brien's", "'tis", "3d", "café", "仅退款", "Größe",
     "ø15", "_a_b", "a_b", "e-mail", "1'2a", "ﬁne", "Ⅷ", "straße's", "привет", "退款"]
)  # fmt: skip


@given(
    st.lists(
        st.one_of(st.text(max_size=10), st.lists(_WORDS, max_size=5).map(" ".join),
                  st.lists(_WORDS, max_size=4).map("".join)),
        max_size=4,
    )
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_words_are_counted_as_the_tokeniser_cuts_them(texts: list[str]) -> None:
    wanted: Counter[str] = Counter()
    for text in map(normalise, texts):
        for token in _TOKENISER.tokens(text):
            word = text[token.start : token.end]
            if word.isalpha() if word.isascii() else word == token.text:
                wanted[word] += 1
    assert count_words(texts, _TOKENISER) == wanted


def test_a_great_many_counts_add_up_exactly(tmp_path: Path) -> None:
    words = vocabulary._Words(b"")
    pairs = np.array([[words.number("refund"), 2**32 - 1], [words.number("a"), 1]], np.uint32)
    again = vocabulary._Words(words.encode())
    assert again.number("a") == 1
    assert again.totals([pairs.tobytes()] * 1000) == {"refund": (2**32 - 1) * 1000, "a": 1000}
