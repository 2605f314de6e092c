"""What tests in a real browser share: Chromium, a server beside the tests, findings of axe."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from conftest import NOW, ROOT
from portal.config import Settings
from portal.event_types import Clock
from portal.services import Services, open_services
from search.types import Embedder

CHROMIUM = Path("/usr/bin/chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
_axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")

pytestmark = [
    pytest.mark.browser,
    # .ci/run says that a browser is required: then its absence is a failure, not a reason to skip.
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("KB_TEST_REQUIRE") != "browser",
        reason=f"{CHROMIUM} is not there",
    ),
]

_ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def open_portal(
    published: Path, embedder: Embedder, folder: Path, *, clock: Clock = lambda: NOW, **more: Any
) -> Iterator[Services]:
    """Real services of the published articles with a log of their own and no limits on asking."""
    settings = Settings(**{
        "articles": ROOT / "articles", "data": published, "secret_key": "x" * 40,
        "database_url": f"sqlite:///{folder / 'events.db'}",
        "rate_limit": "100000 per minute", "write_rate_limit": "100000 per minute", **more,
    })  # fmt: skip
    services = open_services(settings, clock=clock, embedder=embedder)
    yield services
    services.events.close()
    services.form_log.close()
    services.engine.dispose()


@contextlib.contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The address of a server in a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def axe_findings(page: Any) -> list[tuple[str, list[str]]]:
    """The rules that the page breaks, each with the elements that break it."""
    result = _axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": _RULES}})
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in result.response["violations"]]
