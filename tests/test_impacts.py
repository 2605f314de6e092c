"""The compiled keyword index gives the scores Whoosh's own searcher gives."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.bm25 import FIELDS, Terms
from search.impacts import ImpactEngine
from search.keyword import WHOOSH_FIELDS, WhooshEngine

_WORD = st.sampled_from(
    ["refund", "card", "gift", "late", "退款", "到账", "iphone15", "a'b", "ﬀ", "x"]
)
_DOCUMENT = st.lists(_WORD, max_size=30)


def _terms(documents: list[list[str]], table: str) -> list[Terms]:
    """The same words in every field of a table; grams get a slice, to differ in length."""
    names = [name for name, field in FIELDS.items() if field.table == table]
    return [
        defaultdict(list, {n: words[::2] if "grams" in n else words for n in names})
        for words in documents
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    passages=st.lists(_DOCUMENT, min_size=1, max_size=12),
    articles=st.lists(_DOCUMENT, min_size=1, max_size=6),
    question=st.dictionaries(_WORD, st.sampled_from([1.0, 4 / 3, 1.5]), max_size=6),
)
def test_scores_equal_whooshs(
    passages: list[list[str]], articles: list[list[str]], question: dict[str, float]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        documents = {
            "passages": _terms(passages, "passages"),
            "articles": _terms(articles, "articles"),
        }
        whoosh = WhooshEngine.build(Path(folder) / "whoosh", **documents)
        impacts = ImpactEngine.build(Path(folder) / "impacts", **documents)
        for name in WHOOSH_FIELDS:
            np.testing.assert_allclose(
                impacts.scores(name, question), whoosh.scores(name, question), rtol=1e-5
            )
            assert impacts.size(name) == whoosh.size(name)
            for term in question:
                assert impacts.document_frequency(name, term) == whoosh.document_frequency(
                    name, term
                )
            for row in range(impacts.size(name)):
                ours, theirs = (
                    impacts.explain(name, question, row),
                    whoosh.explain(name, question, row),
                )
                assert ours == pytest.approx(theirs, rel=1e-5)
                assert sum(ours.values()) == pytest.approx(
                    impacts.scores(name, question)[row], rel=1e-4
                )


def test_scores_equal_whooshs_on_the_shipped_articles(published: Path) -> None:
    from search.generation import open_current
    from search.query import analyse

    generation = open_current(published)
    folder = published / "generations" / generation.name
    whoosh = WhooshEngine(folder / "keyword")
    for text in ("refund to gift card", "退款多久到账", "iPhone15 退款 carton arrived wet", "zzz"):
        question = analyse(text, generation.tokeniser)
        for name in WHOOSH_FIELDS:
            terms = question.grams if name.endswith("_grams") else question.terms
            np.testing.assert_allclose(
                generation.keyword.scores(name, terms), whoosh.scores(name, terms), rtol=1e-5
            )


@pytest.mark.parametrize(
    "damage",
    ["words.terms", "grams.terms", "passage.impacts", "title_pieces.impacts"],
)
def test_a_damaged_table_is_named(tmp_path: Path, damage: str) -> None:
    from search.errors import IndexDamaged

    documents = {
        "passages": _terms([["refund"]], "passages"),
        "articles": _terms([["card"]], "articles"),
    }
    ImpactEngine.build(tmp_path, **documents)
    path = tmp_path / damage
    path.write_bytes(b"garbage")
    with pytest.raises(IndexDamaged, match=damage.partition(".")[0]):
        ImpactEngine(tmp_path)
