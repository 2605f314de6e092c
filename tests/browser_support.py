"""What tests in a real browser share: Chromium, a portal beside the tests, findings of axe.

A test file imports the fixtures it uses, and always `pytestmark`.
"""

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
from portal.app import create_app
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


@pytest.fixture(scope="module")
def portal(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services of the shipped articles with nothing in their log."""
    with open_portal(published, embedder, tmp_path_factory.mktemp("portal")) as services:
        yield services


@pytest.fixture(scope="module")
def site(portal: Services) -> Iterator[str]:
    """The address at which the test file's `portal` is served."""
    with serving(create_app(portal.settings, portal)) as address:
        yield address


@contextlib.contextmanager
def open_portal(
    published: Path, embedder: Embedder, folder: Path, *, clock: Clock = lambda: NOW, **more: Any
) -> Iterator[Services]:
    """Real services of the published articles with a log of their own and no limits on asking."""
    settings = Settings(**{
        "articles": ROOT / "articles", "data": published, "secret_key": "x" * 40,
        "database_url": f"sqlite:///{folder / 'events.db'}",
        "rate_limit": "off", "write_rate_limit": "off", "lookup_rate_limit": "off", **more,
    })  # fmt: skip
    services = open_services(settings, clock=clock, embedder=embedder)
    try:
        yield services
    finally:
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


def open_page(browser: Any, *, width: int = 390, missing: bool = True, **options: Any) -> Any:
    """A page of its own visitor; `complaints` collects what the console and the scripts report.

    Without `missing`, what is not found (404) is one of them.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 844}, user_agent="Mozilla/5.0 (test)", **options
    )
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))

    def said(message: Any) -> None:
        if message.type == "error" and not (missing and "404" in message.text):
            page.complaints.append(message.text)

    page.on("console", said)
    return page


def axe_findings(page: Any, *, within: str = "") -> list[tuple[str, list[str]]]:
    """The rules that the page breaks, each with the elements that break it.

    With `within`, only elements in one whose selector holds that.
    """
    result = _axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": _RULES}})
    broken = [
        (rule["id"], [node["html"] for node in rule["nodes"] if within in str(node["target"])])
        for rule in result.response["violations"]
    ]
    return [(rule, elements) for rule, elements in broken if elements or not within]
