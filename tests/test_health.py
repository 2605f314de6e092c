"""What machines ask of the portal."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from portal.app import create_app
from portal.config import Settings
from portal.services import open_services
from search.types import Embedder


def test_health_says_ok(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_ready_names_the_generation(client: FlaskClient) -> None:
    body = client.get("/readyz").json
    assert body["status"] == "ok"
    assert body["articles"] > 90


def test_without_an_index_the_portal_starts_and_is_not_ready(
    tmp_path: Path, embedder: Embedder
) -> None:
    settings = Settings(data=tmp_path / "empty", secret_key="x" * 40)
    services = open_services(settings, embedder=embedder)
    client = create_app(settings, services).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    page = client.get("/en/")
    assert page.status_code == 503
    assert "Retry-After" in page.headers
    api = client.get("/api/v1/search?q=refund")
    assert api.status_code == 503
    assert str(tmp_path) not in api.get_data(as_text=True)
    services.engine.dispose()


def test_metrics_count_requests_and_outcomes(client: FlaskClient) -> None:
    client.get("/api/v1/search?q=refund+to+gift+card")
    client.get("/api/v1/search?q=who+won+the+world+cup")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'kb_searches_total{channel="api",locale="en",outcome="answered"} 1.0' in text
    assert 'kb_searches_total{channel="api",locale="en",outcome="unsure"} 1.0' in text
    assert 'kb_requests_total{endpoint="api.search",status="200"} 2.0' in text
    assert 'kb_search_stage_seconds_count{stage="encode"} 2.0' in text


def test_maintenance_closes_pages_but_not_the_probes(
    settings: Settings, services: object, embedder: Embedder
) -> None:
    closed = settings.model_copy(update={"maintenance": True})
    client = create_app(closed, services).test_client()  # type: ignore[arg-type]
    assert client.get("/en/").status_code == 503
    assert client.get("/api/v1/search?q=refund").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
