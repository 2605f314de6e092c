"""The catalogue: published articles by path, section, language and kinship."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from search.catalogue import Catalogue, article_to_dict
from search.records import RecordFile, write_records
from search.taxonomy import Taxonomy
from search.types import Article, Heading, PolicyClause, Source

ROOT = Path(__file__).parent.parent
DAY = date(2026, 11, 22)


def _article(article_id: str, locale: str = "en", **fields: object) -> Article:
    article = Article(
        id=article_id, locale=locale, section="refunds", slug=article_id, title=article_id.title(),
        summary="S.", html=f"<p>{article_id}</p>", headings=(Heading(2, "a", "A"),), updated=DAY,
        verified_on=DAY, review_by=DAY, owner="O",
    )  # fmt: skip
    return dataclasses.replace(article, **fields)  # type: ignore[arg-type]


ARTICLES = (
    _article("timing", redirect_from=("/en/refunds/when", "/en/refunds/timing")),
    _article("labels", section="returns"),
    _article("methods"),
    _article("timing", "zh-Hans", html="<p>退款</p>"),
)


TAXONOMY = Taxonomy.from_dict(
    yaml.safe_load((ROOT / "articles" / "taxonomy.yaml").read_text("utf-8"))
)


@pytest.fixture
def taxonomy() -> Taxonomy:
    return TAXONOMY


@pytest.fixture
def catalogue(tmp_path: Path, taxonomy: Taxonomy) -> Catalogue:
    path = tmp_path / "articles.jsonl"
    write_records(path, map(article_to_dict, ARTICLES))
    return Catalogue(RecordFile(path), taxonomy, [[2, 1], [0], [0, 1], []])


def test_articles_come_in_their_order_without_their_html(catalogue: Catalogue) -> None:
    assert len(catalogue) == 4
    assert list(catalogue) == [dataclasses.replace(article, html="") for article in ARTICLES]
    assert [catalogue.at(row) for row in range(4)] == list(catalogue)


def test_the_complete_article_is_found_by_its_path(catalogue: Catalogue) -> None:
    for article in ARTICLES:
        assert catalogue.by_path(article.path) == article
    assert catalogue.by_path("/zh-Hans/refunds/timing") == ARTICLES[3]


@pytest.mark.parametrize(
    "path", ["", "/", "/en/refunds/none", "/en/refunds/timing/", "en/refunds/timing"]
)
def test_an_unknown_path_is_none(catalogue: Catalogue, path: str) -> None:
    assert catalogue.by_path(path) is None


def test_an_article_is_found_by_language_and_id(catalogue: Catalogue) -> None:
    found = catalogue.get("zh-Hans", "timing")
    assert found is not None
    assert found.path == "/zh-Hans/refunds/timing"
    assert catalogue.get("zh-Hans", "labels") is None


def test_a_former_path_leads_to_the_present_one_and_never_to_itself(catalogue: Catalogue) -> None:
    assert catalogue.moved_to("/en/refunds/when") == "/en/refunds/timing"
    assert catalogue.moved_to("/en/refunds/timing") is None
    assert catalogue.moved_to("/en/refunds/never") is None


def test_translations_by_language(catalogue: Catalogue) -> None:
    assert {k: v.path for k, v in catalogue.translations("timing").items()} == {
        "en": "/en/refunds/timing",
        "zh-Hans": "/zh-Hans/refunds/timing",
    }
    assert list(catalogue.translations("labels")) == ["en"]
    assert catalogue.translations("none") == {}


def test_sections_come_in_the_order_of_the_taxonomy_and_never_empty(catalogue: Catalogue) -> None:
    listed = [(label.key, [a.id for a in found]) for label, found in catalogue.sections("en")]
    assert listed == [("refunds", ["timing", "methods"]), ("returns", ["labels"])]
    assert [label.key for label, _ in catalogue.sections("zh-Hans")] == ["refunds"]
    assert catalogue.sections("fr") == []


def test_asking_for_a_section_leaves_no_trace(catalogue: Catalogue) -> None:
    before = catalogue.sections("en")
    catalogue.sections("zh-Hans")
    assert catalogue.sections("en") == before


def test_related_articles_nearest_first_and_limited(catalogue: Catalogue) -> None:
    assert [a.id for a in catalogue.related(ARTICLES[0])] == ["methods", "labels"]
    assert [a.id for a in catalogue.related(ARTICLES[0], limit=1)] == ["methods"]
    assert catalogue.related(ARTICLES[3]) == []
    assert catalogue.related(_article("stranger")) == []


def test_a_catalogue_without_kinship_has_no_related_articles(
    tmp_path: Path, taxonomy: Taxonomy
) -> None:
    write_records(tmp_path / "a.jsonl", map(article_to_dict, ARTICLES))
    assert Catalogue(RecordFile(tmp_path / "a.jsonl"), taxonomy).related(ARTICLES[0]) == []


def test_the_taxonomy_survives_being_stored(taxonomy: Taxonomy) -> None:
    stored = json.loads(json.dumps(taxonomy.to_dict()))
    assert Taxonomy.from_dict(stored) == taxonomy
    assert list(stored["sections"]) == list(taxonomy.sections)
    label = taxonomy.sections["refunds"]
    assert (label.title("en"), label.title("zh-Hans"), label.title("fr")) == (
        "Refunds", "退款", "Refunds",
    )  # fmt: skip
    assert label.description("en")
    assert label.description("fr") == ""


_TEXT = st.text(max_size=20)
_TEXTS = st.lists(_TEXT, max_size=3).map(tuple)
_DATES = st.dates(min_value=date(2000, 1, 1))
_CLAUSES = st.builds(
    PolicyClause, section=_TEXT, platforms=_TEXTS, reasons=_TEXTS,
    window_days=st.none() | st.integers(0, 999), window_from=st.none() | _TEXT,
    conditions=_TEXTS, evidence=_TEXTS,
)  # fmt: skip
_ARTICLES = st.builds(
    Article, id=_TEXT, locale=_TEXT, section=_TEXT, slug=_TEXT, title=_TEXT, summary=_TEXT,
    html=_TEXT, headings=st.lists(st.builds(Heading, st.integers(2, 4), _TEXT, _TEXT)).map(tuple),
    updated=_DATES, verified_on=_DATES, review_by=_DATES, owner=_TEXT, tags=_TEXTS, reasons=_TEXTS,
    platforms=_TEXTS, questions=_TEXTS, policy=st.lists(_CLAUSES, max_size=2).map(tuple),
    sources=st.lists(st.builds(Source, _TEXT, _TEXT, _DATES), max_size=2).map(tuple),
    redirect_from=_TEXTS,
)  # fmt: skip


@given(article=_ARTICLES)
@settings(max_examples=80, deadline=None)
def test_any_article_survives_being_stored(
    article: Article, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("stored") / "articles.jsonl"
    write_records(path, [article_to_dict(article)])
    catalogue = Catalogue(RecordFile(path), TAXONOMY)
    assert catalogue.by_path(article.path) == article
    assert catalogue.at(0) == dataclasses.replace(article, html="")
