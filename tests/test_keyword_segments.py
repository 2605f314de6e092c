"""The Whoosh index in segments: written straight, taken on from generation to generation."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh import analysis, fields, index

from search.bm25 import FIELDS, Terms
from search.errors import IndexDamaged
from search.keyword import WHOOSH_FIELDS, WhooshEngine
from search.keyword_documents import TABLES, fields_of
from search.posting_lists import group
from search.segments import open_table, read_segment, segments_of, write_segment

_WORDS = [
    "refund",
    "card",
    "gift",
    "late",
    "退款",
    "到账",
    "iphone15",
    "a'b",
    "ﬀ",
    "x",
    "\U00020000",
]
_LATIN = st.sampled_from([word for word in _WORDS if word.isascii()])
_DOCUMENT = st.lists(_LATIN, max_size=4) | st.lists(st.sampled_from(_WORDS), max_size=4)
_TABLE = st.dictionaries(st.sampled_from("abcdefgh"), _DOCUMENT, max_size=7)


@dataclass(frozen=True)
class _Corpus:
    """The words of every document by id, in the order of the rows."""

    passages: Mapping[str, list[str]]
    articles: Mapping[str, list[str]]

    def terms(self, table: str) -> dict[str, Terms]:
        """The fields of a table differ in length, and many documents have only some of them."""
        documents: Mapping[str, list[str]] = getattr(self, table)
        return {
            id_: {
                name: [word for word in words if not word.isascii()] if "grams" in name else words
                for name, field in FIELDS.items()
                if field.table == table
            }
            for id_, words in documents.items()
        }


def _build(folder: Path, corpus: _Corpus) -> WhooshEngine:
    passages, articles = corpus.terms("passages"), corpus.terms("articles")
    return WhooshEngine.build(
        folder,
        passages=list(passages.values()),
        articles=list(articles.values()),
        passage_ids=list(passages),
        article_ids=list(articles),
    )


def _update(folder: Path, previous: Path, before: _Corpus, after: _Corpus) -> WhooshEngine:
    changed = {
        table: {
            id_: terms
            for id_, terms in after.terms(table).items()
            if getattr(before, table).get(id_) != getattr(after, table)[id_]
        }
        for table in TABLES
    }
    return WhooshEngine.update(
        folder,
        previous=previous,
        passage_ids=list(after.passages),
        article_ids=list(after.articles),
        **changed,
    )


def _assert_equal(found: WhooshEngine, wanted: WhooshEngine) -> None:
    question = {word: 1 + place / 3 for place, word in enumerate([*_WORDS, "absent"])}
    for name in WHOOSH_FIELDS:
        assert found.size(name) == wanted.size(name)
        np.testing.assert_allclose(
            found.scores(name, question), wanted.scores(name, question), rtol=1e-6
        )
        for word in question:
            assert found.document_frequency(name, word) == wanted.document_frequency(name, word)
        for row in range(found.size(name)):
            assert found.explain(name, question, row) == pytest.approx(
                wanted.explain(name, question, row)
            )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.builds(_Corpus, _TABLE, _TABLE), min_size=2, max_size=4))
def test_after_any_updates_the_index_equals_one_built_of_the_same_documents(
    corpora: list[_Corpus],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = _build(folder / "0", corpora[0])
        for step, (before, after) in enumerate(pairwise(corpora), start=1):
            engine = _update(folder / str(step), folder / str(step - 1), before, after)
        _assert_equal(engine, _build(folder / "fresh", corpora[-1]))


_CORPUS = _Corpus(
    {f"p{n}": ["refund", "card", f"word{n}", "退款"] for n in range(30)},
    {f"a{n}": ["refund", f"word{n}"] for n in range(12)},
)


def _with(corpus: _Corpus, **articles: list[str]) -> _Corpus:
    return replace(corpus, articles={**corpus.articles, **articles})


def _sizes(folder: Path, table: str) -> list[int]:
    return [segment.doc_count_all() for segment in segments_of(folder, table)]


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_what_did_not_change_is_linked_and_the_earlier_index_stays_as_it_was(
    tmp_path: Path,
) -> None:
    _build(tmp_path / "0", _CORPUS)
    before = _digests(tmp_path / "0")
    _update(tmp_path / "1", tmp_path / "0", _CORPUS, _with(_CORPUS, a3=["late"]))
    assert _digests(tmp_path / "0") == before
    assert _sizes(tmp_path / "1", "articles") == [12, 1]
    assert _sizes(tmp_path / "1", "passages") == [30]
    base = segments_of(tmp_path / "0", "articles")[0].segment_id()
    linked = [path for path in (tmp_path / "1").iterdir() if path.name.startswith(base)]
    assert linked
    assert all(path.samefile(tmp_path / "0" / path.name) for path in linked)


def test_without_hard_links_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Path) -> None:
        raise OSError("no links on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    _build(tmp_path / "0", _CORPUS)
    after = _with(_CORPUS, a3=["late"])
    found = _update(tmp_path / "1", tmp_path / "0", _CORPUS, after)
    _assert_equal(found, _build(tmp_path / "fresh", after))


def test_many_small_changes_leave_few_segments_and_do_not_rewrite_the_large_one(
    tmp_path: Path,
) -> None:
    base = _Corpus({}, {f"a{n}": ["refund"] for n in range(300)})
    _build(tmp_path / "0", base)
    before = base
    for step in range(1, 61):
        after = _with(before, **{f"new{step}": ["card"]})
        _update(tmp_path / str(step), tmp_path / str(step - 1), before, after)
        before = after
    sizes = _sizes(tmp_path / "60", "articles")
    assert sizes[0] == 300
    assert sum(sizes[1:]) == 60
    assert len(sizes) <= 5


def test_a_segment_with_many_deleted_documents_is_written_anew_and_an_empty_one_goes(
    tmp_path: Path,
) -> None:
    _build(tmp_path / "0", _CORPUS)
    fewer = replace(_CORPUS, articles=dict(list(_CORPUS.articles.items())[:9]))
    _update(tmp_path / "1", tmp_path / "0", _CORPUS, fewer)
    assert _sizes(tmp_path / "1", "articles") == [12]  # 3 of 12 deleted
    few = replace(_CORPUS, articles=dict(list(_CORPUS.articles.items())[:5]))
    _update(tmp_path / "2", tmp_path / "1", fewer, few)
    assert _sizes(tmp_path / "2", "articles") == [5]
    none = replace(_CORPUS, articles={})
    _update(tmp_path / "3", tmp_path / "2", few, none)
    assert _sizes(tmp_path / "3", "articles") == []
    assert not [path for path in (tmp_path / "3").iterdir() if path.name.startswith("articles_")]


def test_another_order_of_the_rows_needs_no_segment(tmp_path: Path) -> None:
    _build(tmp_path / "0", _CORPUS)
    turned = replace(_CORPUS, articles=dict(reversed(_CORPUS.articles.items())))
    found = _update(tmp_path / "1", tmp_path / "0", _CORPUS, turned)
    assert _sizes(tmp_path / "1", "articles") == [12]
    assert np.flatnonzero(found.scores("article", {"word0": 1.0})).tolist() == [11]


def test_an_id_without_terms_or_given_twice_is_refused(tmp_path: Path) -> None:
    _build(tmp_path / "0", _CORPUS)
    ids = list(_CORPUS.articles)

    def update(article_ids: list[str]) -> None:
        WhooshEngine.update(
            tmp_path / "1", previous=tmp_path / "0", passages={}, articles={},
            passage_ids=list(_CORPUS.passages), article_ids=article_ids,
        )  # fmt: skip

    with pytest.raises(ValueError, match="new: neither are its terms given"):
        update([*ids, "new"])
    with pytest.raises(ValueError, match="two documents have the id a3"):
        update([*ids, "a3"])


def test_damage_is_told_when_opened_or_before_the_first_answer(tmp_path: Path) -> None:
    _build(tmp_path / "0", _CORPUS)
    for path in sorted((tmp_path / "0").iterdir()):
        content = path.read_bytes()
        if not content:
            continue
        path.write_bytes(content[:-1])
        with pytest.raises(IndexDamaged, match=rf"{path.name}.*run `kb index --rebuild`"):
            WhooshEngine(tmp_path / "0")
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        with pytest.raises(IndexDamaged, match=rf"{path.name}.*run `kb index --rebuild`"):
            WhooshEngine(tmp_path / "0").scores("title", {"refund": 1.0})
        path.write_bytes(content)
    assert WhooshEngine(tmp_path / "0").scores("title", {"refund": 1.0}).all()


def test_an_update_does_not_build_on_damage(tmp_path: Path) -> None:
    _build(tmp_path / "0", _CORPUS)
    half = _with(_CORPUS, **{f"a{n}": ["late"] for n in range(6)})  # merges all segments
    for name in ("articles.ids.json", "articles.documents.npy", "_articles_1.toc", "*.pst"):
        (path,) = (found for found in (tmp_path / "0").glob(name) if "passages" not in found.name)
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(IndexDamaged, match=path.name):
            _update(tmp_path / f"after {name[-4:]}", tmp_path / "0", _CORPUS, half)
        path.write_bytes(content)


def test_opening_does_not_import_whoosh(tmp_path: Path) -> None:
    _build(tmp_path / "0", _CORPUS)
    code = (
        "import sys; from pathlib import Path; from search.keyword import WhooshEngine\n"
        "engine = WhooshEngine(Path(sys.argv[1]))\n"
        "sys.exit(engine.size('article') - 12 or 'whoosh' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "0"], cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0


# --- the files themselves


def _whooshs_own(folder: Path, documents: list[list[str]]) -> Any:
    """A reader of an index that Whoosh's writer wrote."""
    folder.mkdir()
    text = fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=True)
    schema = fields.Schema(**dict.fromkeys(fields_of("articles"), text))
    writer = index.create_in(str(folder), schema, indexname="articles").writer()
    for words in documents:
        writer.add_document(**{name: list(words) for name in fields_of("articles")})
    writer.commit()
    return index.open_dir(str(folder), indexname="articles").reader()


def _postings(reader: Any, name: str, word: bytes) -> list[tuple[int, float, object]]:
    matcher = reader.postings(name, word)
    found = []
    while matcher.is_active():
        places = matcher.value_as("positions") if matcher.supports("positions") else None
        found.append((matcher.id(), matcher.weight(), places))
        matcher.next()
    return found


@pytest.mark.parametrize(("documents", "words", "length"), [(1, 1, 3), (40, 30, 60), (700, 9, 12)])
def test_what_is_written_is_what_whoosh_itself_would_have_written(
    tmp_path: Path, documents: int, words: int, length: int
) -> None:
    random = Random(documents)
    vocabulary = [f"w{n}" for n in range(words - 1)] + ["退款"]
    texts = [
        [*random.choices(vocabulary, k=random.randrange(length)), "end"] for _ in range(documents)
    ]
    texts[0] += ["often"] * 300
    terms = [dict.fromkeys(fields_of("articles"), words) for words in texts]
    WhooshEngine.build(tmp_path / "ours", passages=[], articles=terms)
    ours = open_table(tmp_path / "ours", "articles").reader()
    theirs = _whooshs_own(tmp_path / "theirs", texts)
    assert list(ours.all_terms()) == list(theirs.all_terms())
    for name in fields_of("articles"):
        assert ours.field_length(name) == theirs.field_length(name)
        for word in ours.lexicon(name):
            found, wanted = ours.term_info(name, word), theirs.term_info(name, word)
            for what in (
                "weight", "doc_frequency", "min_length", "max_length", "max_weight", "min_id",
                "max_id",
            ):  # fmt: skip
                assert getattr(found, what)() == getattr(wanted, what)(), what
            postings = _postings(theirs, name, word)
            if not ours.schema[name].format.supports("positions"):
                postings = [(number, weight, None) for number, weight, _ in postings]
            assert _postings(ours, name, word) == postings
        for number in range(documents):
            assert ours.doc_field_length(number, name) == theirs.doc_field_length(number, name)
    ours.close()
    theirs.close()


def test_every_word_of_a_large_vocabulary_is_found_again(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(3000)]
    engine = WhooshEngine.build(
        tmp_path, passages=[], articles=[dict.fromkeys(fields_of("articles"), words)]
    )
    assert all(engine.document_frequency("title", word) == 1 for word in words)
    assert not any(engine.document_frequency("title", f"{word}x") for word in words)


def test_document_numbers_and_frequencies_beyond_two_bytes_are_kept(tmp_path: Path) -> None:
    texts: list[list[str]] = [[] for _ in range(70_000)]
    texts[0], texts[-1] = ["often"] * 70_000, ["often", "once"]
    wanted = group(texts, positions=True)
    lengths = np.array([len(words) for words in texts])
    segment = write_segment(tmp_path, "articles", {"article": lengths}, [("article", wanted)])
    found = read_segment(tmp_path, segment)["article"]
    assert found.terms == wanted.terms
    for name in ("starts", "documents", "frequencies", "positions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
