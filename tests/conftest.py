"""Fixtures: a small folder of articles, and the shipped ones published once a session."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from portal.app import create_app
from portal.config import Settings
from portal.services import Services, open_services
from search.embed import open_embedder
from search.threads import limit_threads
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
        path.write_text("\n".join(["---", *lines, "---", textwrap.dedent(body)]), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The bundled model, loaded once, with one thread as everywhere else."""
    limit_threads()
    return open_embedder()


@pytest.fixture(scope="session")
def published(
    embedder: Embedder, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
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
    return data


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    """The shipped articles with a log of the test's own."""
    return Settings(
        articles=ROOT / "articles",
        data=published,
        database_url=f"sqlite:///{tmp_path / 'events.db'}",
        secret_key="x" * 40,
        rate_limit="100000 per minute",
        write_rate_limit="100000 per minute",
    )


@pytest.fixture
def services(settings: Settings, embedder: Embedder) -> Iterator[Services]:
    """Real services at a fixed time."""
    made = open_services(settings, clock=lambda: NOW, embedder=embedder)
    yield made
    made.events.close()
    made.form_log.close()
    made.engine.dispose()


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    made = create_app(settings, services)
    made.testing = True
    made.config["WTF_CSRF_ENABLED"] = False  # test_security.py turns it on
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    made = app.test_client()
    made.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (test)"
    return made


@pytest.fixture
def runner(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Runs `kb` with the environment the settings describe."""
    for name, value in {
        "KB_ARTICLES": settings.articles,
        "KB_DATA": settings.data,
        "KB_DATABASE_URL": settings.database_url,
    }.items():
        monkeypatch.setenv(name, str(value))
    return CliRunner()
