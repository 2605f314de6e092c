"""The pages for editors in a real browser: accessible, narrow, dark, usable without script."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from conftest import NOW, ROOT
from portal.accounts.types import Role
from portal.app import create_app
from portal.config import Settings
from portal.editor.access import COOKIE
from portal.services import Services, open_services
from search.types import Embedder
from test_browser_customer import _RULES, axe_api, chromium, pytestmark
from test_form_outcomes import happened, typed

__all__ = ["chromium", "pytestmark"]

PASSWORD = "correct horse 电池 staple"


@pytest.fixture(scope="module")
def portal(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services whose forms have been filled in for a month, and who signs in to them."""
    database = tmp_path_factory.mktemp("editor") / "events.db"
    settings = Settings(
        articles=ROOT / "articles", data=published, database_url=f"sqlite:///{database}",
        secret_key="x" * 40, rate_limit="100000 per minute",
    )  # fmt: skip
    services = open_services(settings, clock=lambda: NOW, embedder=embedder)
    for number in range(60):
        shared: dict[str, Any] = {
            "session": f"session-{number}", "visitor": f"v{number}",
            "form": ("request", "demo")[number % 2], "locale": ("en", "zh-Hans")[number % 3 == 0],
        }  # fmt: skip
        start = -60 * 11 * number
        services.form_log.record_suggestion(typed(start, held_out=number % 10 == 0, **shared))
        kinds = ("shown", "resolved", "submitted", "not_helpful", "opened")
        for kind in {"shown", kinds[number % 5]} if number % 10 else {"submitted"}:
            services.form_log.record_event(happened(kind, start + 1, **shared))
    services.form_log.flush()
    services.accounts.users.add("anna", Role.ADMIN, PASSWORD)
    yield services
    services.form_log.close()
    services.engine.dispose()


@pytest.fixture(scope="module")
def site(portal: Services) -> Iterator[str]:
    """The address of a server in a thread of this process."""
    app = create_app(portal.settings, portal)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token(portal: Services) -> str:
    """What the cookie of somebody signed in holds."""
    anna = portal.accounts.users.named("anna")
    return portal.accounts.sessions.begin(anna.id, way="password", agent="Mozilla/5.0 (test)")


def open_page(browser: Any, site: str, token: str, *, width: int, **options: Any) -> Any:
    """A page of somebody signed in; without a token of somebody who is not."""
    context = browser.new_context(
        viewport={"width": width, "height": 844}, user_agent="Mozilla/5.0 (test)", **options
    )
    if token:
        context.add_cookies([{"name": COOKIE, "value": token, "url": f"{site}/editor/"}])
    page = context.new_page()
    page.complaints = []
    page.on(
        "console",
        lambda said: page.complaints.append(said.text) if said.type == "error" else None,
    )
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("locale", "width"), [("en", 1280), ("en", 320), ("zh-Hans", 1280), ("zh-Hans", 320)]
)
def test_the_page_is_clean_to_axe_and_no_wider_than_the_screen(
    chromium: Any, site: str, token: str, locale: str, width: int, theme: str
) -> None:
    page = open_page(chromium, site, token, width=width, color_scheme=theme)
    page.goto(f"{site}/editor/forms?lang={locale}")
    page.locator("summary").click()
    assert page.locator("svg.stack rect").count() > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    result = axe_api.Axe().run(page, options={"runOnly": {"type": "tag", "values": _RULES}})
    found = [(v["id"], v["nodes"][0]["html"]) for v in result.response["violations"]]
    assert found == []
    assert page.complaints == []
    page.context.close()


def test_filters_work_without_script_and_by_keyboard(chromium: Any, site: str, token: str) -> None:
    page = open_page(chromium, site, token, width=1280, java_script_enabled=False)
    page.goto(f"{site}/editor/forms?lang=en")
    page.select_option("#form", "demo")
    page.locator("#locale").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**form=demo**")
    assert page.locator("html").get_attribute("lang") == "en"  # the switch is remembered
    assert page.locator("#form option:checked").inner_text() == "Widget demo"
    rows = page.locator(".groups tbody tr")
    assert rows.count() == 2
    page.context.close()


def test_every_download_arrives(chromium: Any, site: str, token: str) -> None:
    page = open_page(chromium, site, token, width=1280)
    page.goto(f"{site}/editor/forms?lang=en")
    names = []
    for link in page.locator(".downloads a").all():
        with page.expect_download() as waiting:
            link.click()
        names.append(waiting.value.suggested_filename)
        assert Path(waiting.value.path()).stat().st_size > 100
    assert names == ["forms.csv", "forms-trend.csv", "forms.json"]
    page.context.close()
