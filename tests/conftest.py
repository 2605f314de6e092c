"""Fixtures: a small folder of articles, and the shipped ones published once a session."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from search.embed import open_embedder
from search.types import Embedder

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

ArticleWriter = Callable[..., Path]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """An empty folder of articles with the shipped taxonomy and words."""
    folder = tmp_path / "articles"
    for locale in ("en", "zh-Hans"):
        (folder / locale).mkdir(parents=True)
    for name in ("taxonomy.yaml", "words.txt"):
        shutil.copy(ROOT / "articles" / name, folder / name)
    return folder


@pytest.fixture
def write_article(articles: Path) -> ArticleWriter:
    """Writes a valid article; `front` overrides lines of its front matter, None removes one."""

    def write(
        slug: str = "refund-timing",
        *,
        locale: str = "en",
        section: str = "refunds",
        body: str = "A refund takes 5 days.\n\n## By card {#card}\nA card refund takes 10 days.\n",
        **front: object,
    ) -> Path:
        fields: dict[str, object] = {
            "id": slug,
            "title": f"Title of {slug}",
            "summary": "A summary.",
            "section": section,
            "status": "published",
            "owner": "Refunds team",
            "updated": "2026-11-01",
            "verified_on": "2026-11-01",
            "review_by": "2027-05-01",
            **front,
        }
        lines = [f"{key}: {value}" for key, value in fields.items() if value is not None]
        path = articles / locale / section / f"{slug}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "\n".join(["---", *lines, "---", textwrap.dedent(body)]), encoding="utf-8"
        )
        return path

    return write


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The bundled model, loaded once."""
    return open_embedder()


@pytest.fixture(scope="session")
def published(
    embedder: Embedder, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """A data folder with the shipped articles published by the bundled model.

    Vectors are kept in pytest's cache, so that only the first run on a machine encodes them.
    """
    from indexer.build import build_and_publish

    data = tmp_path_factory.mktemp("published")
    kept = Path(request.config.cache.mkdir("kb-vectors"))  # type: ignore[union-attr]
    (data / "cache").mkdir()
    for file in kept.glob("vectors.sqlite*"):
        shutil.copy(file, data / "cache" / file.name)
    build_and_publish(ROOT / "articles", data, embedder, today=TODAY)
    for file in (data / "cache").glob("vectors.sqlite*"):
        shutil.copy(file, kept / file.name)
    yield data
