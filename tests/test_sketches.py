"""The sketched vector engine: finds what the exact one finds, and changes as the articles do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.embed import unit
from search.errors import IndexDamaged
from search.types import Vectors
from search.vectors import (
    EXACT_BELOW,
    Codes,
    FaissEngine,
    SketchEngine,
    build_engine,
    open_engine,
)


def _clustered(count: int, seed: int = 1, dimension: int = 64) -> Vectors:
    """Vectors around a few centres, as sentences of articles are."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(60, dimension))
    return unit(
        (centres[draw.integers(0, 60, count)] + 0.8 * draw.normal(size=(count, dimension))).astype(
            np.float32
        )
    )


@pytest.fixture(scope="module")
def stored() -> Vectors:
    return _clustered(6000)


@pytest.fixture(scope="module")
def engine(stored: Vectors) -> SketchEngine:
    return SketchEngine.build(stored)


def test_it_finds_nearly_all_of_what_the_exact_index_finds(
    stored: Vectors, engine: SketchEngine
) -> None:
    asked = _clustered(100, seed=1)[:100]
    found, similarities = engine.search(asked, limit=10)
    wanted, exact = FaissEngine.build(stored).search(asked, limit=10)
    shares = [
        len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), wanted.tolist(), strict=True)
    ]
    assert np.mean(shares) > 0.97
    assert (np.diff(similarities, axis=1) <= 0).all()
    np.testing.assert_allclose(similarities[:, 0], exact[:, 0], atol=0.01)


def test_which_engine_is_built_depends_on_the_number_of_vectors(
    stored: Vectors, tmp_path: Path
) -> None:
    for vectors, kind in ((stored[: EXACT_BELOW - 1], FaissEngine), (stored, SketchEngine)):
        path = tmp_path / kind.__name__ / "vectors.faiss"
        path.parent.mkdir()
        built = build_engine(vectors)
        assert type(built) is kind
        built.save(path)
        opened = open_engine(path)
        assert type(opened) is kind
        assert (opened.count, opened.dimension) == vectors.shape
        for one, other in zip(
            built.search(vectors[:5], limit=7), opened.search(vectors[:5], limit=7), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_after_a_change_it_is_as_if_it_had_been_made_of_what_there_is_now(
    stored: Vectors, engine: SketchEngine
) -> None:
    added = _clustered(50, seed=9)
    kept = np.setdiff1d(np.arange(len(stored)), np.arange(100, 180))
    order = np.concatenate([kept[:3000], len(stored) + np.arange(50), kept[3000:]])
    changed = engine.changed(order, added)
    now = np.concatenate([stored, added])[order]
    assert changed.count == len(now)
    every = np.arange(len(now))
    np.testing.assert_allclose(changed.vectors(every), now, atol=0.005)
    rows, similarities = changed.search(now[2990:3060], limit=1)
    assert (rows[:, 0] == np.arange(2990, 3060)).all()
    np.testing.assert_allclose(similarities, 1, atol=0.01)


def test_quantising_what_was_quantised_changes_nothing(stored: Vectors) -> None:
    once = Codes.of(stored[:500])
    again = Codes.of(once.vectors())
    np.testing.assert_array_equal(once.codes, again.codes)
    np.testing.assert_allclose(once.scales, again.scales, rtol=1e-6)
    np.testing.assert_allclose(once.products(stored[:3]), stored[:500] @ stored[:3].T, atol=0.01)


def test_empty_questions_and_limits_find_nothing(engine: SketchEngine, stored: Vectors) -> None:
    rows, similarities = engine.search(stored[:0], limit=5)
    assert rows.shape == similarities.shape == (0, 0)
    assert engine.search(stored[:2], limit=0)[0].shape == (2, 0)
    rows, _ = engine.search(np.zeros((1, 64), np.float32), limit=4)
    assert len(set(rows[0].tolist())) == 4


@pytest.mark.parametrize("name", ["vectors.faiss", "vectors.codes"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 30])
def test_a_file_that_cannot_be_read_is_damage(
    engine: SketchEngine, tmp_path: Path, name: str, content: bytes
) -> None:
    engine.save(tmp_path / "vectors.faiss")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IndexDamaged, match=name):
        open_engine(tmp_path / "vectors.faiss")


def test_parts_of_different_sizes_are_damage(
    engine: SketchEngine, stored: Vectors, tmp_path: Path
) -> None:
    engine.save(tmp_path / "vectors.faiss")
    SketchEngine.build(stored[:5000]).save(tmp_path / "other.faiss")
    (tmp_path / "other.codes").replace(tmp_path / "vectors.codes")
    with pytest.raises(IndexDamaged, match="does not fit"):
        open_engine(tmp_path / "vectors.faiss")
