"""Dictionaries, postings and texts on disk."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import dictionary
from search.array_file import write_arrays
from search.bm25 import FIELDS, TABLES, Terms
from search.dictionary import Dictionary, write_dictionary
from search.errors import IndexDamaged
from search.impacts import ImpactEngine
from search.postings import Postings
from search.texts import TextTable, as_row, write_texts

_WORDS = ["refund", "card", "退款", "到账", "é", "a" * 40]
_DOCUMENTS = st.lists(st.lists(st.sampled_from(_WORDS), max_size=6), min_size=1, max_size=6)


def _terms(documents: list[list[str]], table: str) -> list[Terms]:
    names = [name for name, field in FIELDS.items() if field.table == table]
    return [dict.fromkeys(names, terms) for terms in documents]


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)))
@settings(max_examples=60, deadline=None)
def test_every_term_is_found_under_its_number_and_no_other_is(
    tmp_path_factory: pytest.TempPathFactory, terms: set[str]
) -> None:
    path = tmp_path_factory.mktemp("d") / "words.terms"
    ordered = sorted(terms)
    write_dictionary(path, ordered)
    known = Dictionary(path)
    assert [known.find(term) for term in ordered] == list(range(len(ordered)))
    assert known.terms() == ordered
    assert len(known) == len(ordered)
    assert known.find("none of these terms") == -1


def test_terms_of_one_hash_are_told_apart(tmp_path: Path) -> None:
    with patch.object(dictionary, "_hash", lambda term: len(term)):
        write_dictionary(tmp_path / "t", ["ab", "cd", "e", "fg"])
        known = Dictionary(tmp_path / "t")
        assert [known.find(term) for term in ("fg", "e", "ab", "cd", "zz")] == [3, 2, 0, 1, -1]


@given(_DOCUMENTS, _DOCUMENTS, st.data())
@settings(max_examples=30, deadline=None)
def test_changed_postings_score_as_those_made_anew(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[list[str]],
    added: list[list[str]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("p")
    everything = before + added
    order = data.draw(st.permutations(range(len(everything))))[: max(1, len(everything) - 1)]
    rows = np.array(order)
    whole = {table: np.arange(len(before)) for table in TABLES}
    first = Postings.empty().changed(whole, {table: _terms(before, table) for table in TABLES})
    ImpactEngine.compile(folder / "one", first)
    first.save(folder / "base")
    changed = Postings.open(folder / "base", folder / "one").changed(
        dict.fromkeys(TABLES, rows), {table: _terms(added, table) for table in TABLES}
    )
    made = ImpactEngine.compile(folder / "two", changed)
    now = [everything[row] for row in order]
    anew = ImpactEngine.build(
        folder / "three", passages=_terms(now, "passages"), articles=_terms(now, "articles")
    )
    for name in FIELDS:
        for word in _WORDS:
            np.testing.assert_allclose(
                made.scores(name, {word: 1.5}), anew.scores(name, {word: 1.5}), rtol=1e-6
            )
            assert made.document_frequency(name, word) == anew.document_frequency(name, word)


@given(
    st.lists(st.text("ab退款 é", max_size=8), max_size=8),
    st.text("ab退款 é", min_size=1, max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_texts_are_found_by_any_stretch_and_never_across_rows(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], wanted: str
) -> None:
    path = tmp_path_factory.mktemp("t") / "titles.texts"
    rows = map(as_row, texts)
    write_texts(path, ((row, np.array([len(row)])) for row in rows))
    table = TextTable(path)
    assert len(table) == len(texts)
    assert [table.text(row).decode() for row in range(len(texts))] == texts
    holders = [row for row, text in enumerate(texts) if wanted in text]
    assert table.rows_with(wanted).tolist() == holders
    assert [row for row in range(len(texts)) if table.has(row, wanted)] == holders


def test_files_without_their_parts_are_damage(tmp_path: Path) -> None:
    for kind in (TextTable, Dictionary):
        write_arrays(tmp_path / "a", {"something": np.arange(3)})
        with pytest.raises(IndexDamaged, match="run `kb index --rebuild`"):
            kind(tmp_path / "a")
    write_arrays(tmp_path / "b", {"offsets": np.array([0, 9]), "letters": np.zeros(3, np.uint8)})
    with pytest.raises(IndexDamaged, match="do not fit"):
        TextTable(tmp_path / "b")
