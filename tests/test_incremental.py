"""A generation made from the one before must be what it would have been if made anew."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from fakes import HashingEmbedder
from indexer import previous, write
from indexer.build import build_and_publish
from indexer.previous import BASE, Previous
from indexer.published import Published
from indexer.related import Related, article_means, relate
from search.bm25 import FIELDS
from search.generation import Generation, open_current
from search.library import open_searcher
from search.types import Rows

TODAY = date(2026, 11, 22)
WORDS = [
    "refund",
    "card",
    "parcel",
    "courier",
    "label",
    "voucher",
    "damaged",
    "late",
    "return",
    "invoice",
    "seal",
    "battery",
]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few articles are a large share of a small folder."""
    monkeypatch.setattr(previous, "_MOST_CHANGED", 1.0)
    monkeypatch.setattr(previous, "_MOST_DRIFT", 1000.0)


def _body(draw: random.Random) -> str:
    def sentence() -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(3, 9))).capitalize() + "."

    parts = [" ".join(sentence() for _ in range(draw.randint(1, 3)))]
    parts += [
        f"## Part {number} {{#part-{number}}}\n{sentence()} {sentence()}"
        for number in range(draw.randint(0, 2))
    ]
    return "\n\n".join(parts) + "\n"


def _edits(write: Write, draw: random.Random, known: dict[str, Path]) -> Iterator[str]:
    """Change, add and remove articles at random, one at a time, naming each edit."""
    for step in range(6):
        kind = draw.choice(("add", "change", "remove", "change"))
        if kind == "remove" and len(known) > 2:
            known.pop(draw.choice(sorted(known))).unlink()
        elif kind == "change" and known:
            slug = draw.choice(sorted(known))
            known[slug] = write(slug, title=f"About {slug}", body=_body(draw))
        else:
            slug = f"{draw.choice('abcxyz')}-{step}"
            known[slug] = write(slug, title=f"About {slug}", body=_body(draw), questions="[how so]")
        yield kind


def _publish(articles: Path, data: Path, **options: bool) -> Published:
    return build_and_publish(articles, data, HashingEmbedder(), today=TODAY, **options)


def _assert_same(made: Generation, anew: Generation) -> None:
    assert [article.id for article in made.catalogue] == [a.id for a in anew.catalogue]
    count = anew.manifest.passages
    assert [made.passage(row) for row in range(count)] == [anew.passage(r) for r in range(count)]
    for table, other in ((made.folded, anew.folded), (made.titles, anew.titles)):
        assert [table.text(row) for row in range(len(table))] == [
            other.text(row) for row in range(len(other))
        ]
    for name in FIELDS:
        for word in ("refund", "card", "seal", "courier"):
            np.testing.assert_allclose(
                made.keyword.scores(name, {word: 1.0}), anew.keyword.scores(name, {word: 1.0}),
                rtol=1e-5, err_msg=f"{name} {word}",
            )  # fmt: skip
    np.testing.assert_array_equal(made.passage_article, anew.passage_article)
    np.testing.assert_array_equal(made.units.passage, anew.units.passage)
    np.testing.assert_array_equal(made.units.kind, anew.units.kind)
    np.testing.assert_allclose(made.units.title, anew.units.title, atol=1e-5)
    every = np.arange(made.vectors.count)
    np.testing.assert_allclose(made.vectors.vectors(every), anew.vectors.vectors(every), atol=1e-5)
    np.testing.assert_array_equal(made.units.sentence, anew.units.sentence)
    np.testing.assert_allclose(made.title_mass, anew.title_mass, rtol=1e-5)
    assert made.manifest.article_length == anew.manifest.article_length
    assert made.whoosh.size("passage") == count


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_edits_gives_what_building_anew_gives(
    tmp_path: Path,
    articles: Path,
    write_article: Write,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The one thing that is kept on purpose where building anew would fit it again.
    monkeypatch.setattr(write, "fit_whitening", lambda vectors: np.eye(vectors.shape[1]))
    draw = random.Random(seed)
    known = {
        slug: write_article(slug, title=f"About {slug}", body=_body(draw), questions="[what now]")
        for slug in ("b-one", "m-two", "w-three")
    }
    data = tmp_path / "data"
    _publish(articles, data)
    for number, _edit in enumerate(_edits(write_article, draw, known)):
        _publish(articles, data)
        fresh = tmp_path / f"fresh{number}"
        _publish(articles, fresh)
        made, anew = open_current(data, HashingEmbedder()), open_current(fresh, HashingEmbedder())
        _assert_same(made, anew)
    assert made.manifest.drift > 0


def test_only_what_changed_is_encoded(tmp_path: Path, articles: Path, write_article: Write) -> None:
    for slug in ("one", "two", "three"):
        write_article(slug, title=f"About {slug}", body=f"This is {slug}. That is all.\n")
    embedder = HashingEmbedder()
    build_and_publish(articles, tmp_path, embedder, today=TODAY)
    embedder.encoded.clear()
    write_article("two", title="About two", body="This is new. That is all.\n")
    build_and_publish(articles, tmp_path, embedder, today=TODAY)
    assert embedder.encoded
    assert all("three" not in text and "one" not in text for text in embedder.encoded)
    found = open_searcher(tmp_path, embedder).search("this is new", locale="en")
    assert found.results[0].article.slug == "two"


@pytest.mark.parametrize("damage", [b"garbage", None])
def test_a_base_that_is_damaged_is_not_built_on(
    tmp_path: Path, articles: Path, write_article: Write, damage: bytes | None
) -> None:
    for slug in ("one", "two", "three"):
        write_article(slug, title=f"About {slug}", body=f"This is {slug}.\n")
    first = _publish(articles, tmp_path)
    base = tmp_path / "generations" / first.name / BASE
    for number, name in enumerate(sorted(path.name for path in base.iterdir())):
        path = base / name
        path.unlink() if damage is None else path.write_bytes(damage)
        write_article("two", title="About two", body=f"This is version {number}.\n")
        second = _publish(articles, tmp_path)
        assert open_current(tmp_path, HashingEmbedder()).manifest.drift == 0, name
        base = tmp_path / "generations" / second.name / BASE


def test_much_change_is_built_anew(
    tmp_path: Path, articles: Path, write_article: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previous, "_MOST_DRIFT", 0.5)
    slugs = [f"a-{number}" for number in range(6)]
    for slug in slugs:
        write_article(slug, title=f"About {slug}", body=f"This is {slug}.\n")
    _publish(articles, tmp_path)
    drifts = []
    for slug in slugs:
        write_article(slug, title=f"About {slug}", body=f"This is another {slug}.\n")
        _publish(articles, tmp_path)
        drifts.append(open_current(tmp_path, HashingEmbedder()).manifest.drift)
    assert drifts[:2] == [3, 6]
    assert 0 in drifts


def _random_related(draw: np.random.Generator, count: int) -> tuple[np.ndarray, list[str]]:
    vectors = draw.normal(size=(count, 8)).astype(np.float32)
    return article_means(vectors, np.ones(count, np.int64)), [
        ("en", "zh-Hans")[number] for number in draw.integers(0, 2, count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_related_articles_brought_up_to_date_are_those_of_all_compared_anew(seed: int) -> None:
    draw = np.random.default_rng(seed)
    means, locales = _random_related(draw, 30)
    before = relate(means, locales, previous=None, kept=np.full(30, -1))
    kept: Rows = np.sort(draw.choice(30, 25, replace=False))
    kept = np.insert(kept, [0, 7, 25], -1)
    fresh, spoken = _random_related(draw, 3)
    new = iter(zip(fresh, spoken, strict=True))
    rows = [next(new) if row < 0 else (means[row], locales[row]) for row in kept.tolist()]
    now, spoken_now = np.stack([row[0] for row in rows]), [row[1] for row in rows]
    updated = relate(now, spoken_now, previous=before, kept=kept)
    anew: Related = relate(now, spoken_now, previous=None, kept=np.full(len(now), -1))
    np.testing.assert_array_equal(updated.rows, anew.rows)
    np.testing.assert_allclose(updated.scores, anew.scores, atol=1e-6)


def test_a_previous_generation_of_another_kind_is_not_built_on(
    tmp_path: Path, articles: Path, write_article: Write
) -> None:
    from indexer.check import check_folder
    from indexer.content import gather

    write_article("one", title="About one", body="This is one.\n")
    first = _publish(articles, tmp_path)
    folder = tmp_path / "generations" / first.name
    content = gather(check_folder(articles, today=TODAY)[0])
    assert Previous.open(folder, content, HashingEmbedder()) is not None
    assert Previous.open(folder, content, HashingEmbedder(model_id="another")) is None
    (articles / "words.txt").write_text("仅退款\n运费险\n", "utf-8")
    content = gather(check_folder(articles, today=TODAY)[0])
    assert Previous.open(folder, content, HashingEmbedder()) is None
