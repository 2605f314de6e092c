"""The widget in a real browser with the real portal, and with a help centre that is killed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from browser_support import (
    axe_findings,
    chromium,
    open_page,
    open_portal,
    pytestmark,
    site,
)
from portal.services import Services
from portal.tables import FORM_EVENTS
from search.types import Embedder
from widget_sites import (
    TEXTS,
    help_centre,
    send_and_check,
    shop,
    suggested,
    wait_until,
    write,
)

__all__ = ["chromium", "pytestmark", "site"]


@pytest.fixture(scope="module")
def portal(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services that forms at any port of this machine may ask."""
    folder = tmp_path_factory.mktemp("widget")
    with open_portal(
        published, embedder, folder, widget_demo_origins="http://127.0.0.1:*"
    ) as services:
        yield services


@pytest.mark.parametrize(("lang", "theme"), [("en", "dark"), ("zh", "light")])
def test_the_demo_page_suggests_and_is_clean_to_axe(
    chromium: Any, site: str, lang: str, theme: str
) -> None:
    page = open_page(chromium, missing=False, color_scheme=theme)
    page.goto(f"{site}/widget/demo?lang={lang}")
    page.locator("#demo-examples button").first.click()
    page.locator("kb-suggestions .toggle").first.click()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#demo-heard li").first.text_content().startswith("kb:opened")
    page.fill("#demo-order", "WF-77")
    page.click(".send")
    page.locator("#sent").wait_for()
    assert "WF-77" in page.locator("#sent").text_content()
    assert page.complaints == []
    page.context.close()


def stored_kinds(portal: Services, session: str) -> list[str]:
    """The kinds of the events the portal's log has of a session."""
    wanted = sa.select(FORM_EVENTS.c.kind).where(FORM_EVENTS.c.session == session)
    with portal.engine.connect() as connection:
        return sorted(connection.scalars(wanted))


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_a_shop_at_another_origin_uses_the_real_portal(
    chromium: Any, site: str, portal: Services, lang: str
) -> None:
    with shop(site) as there:
        there.lang = lang
        there.attributes = (
            'data-form="#refund" data-text="#text" data-reason="#reason" data-key="demo"'
        )
        page = chromium.new_page()
        answered: list[tuple[str, int]] = []
        page.on("response", lambda answer: answered.append((answer.url, answer.status)))
        page.goto(there.address)
        wait_until(lambda: page.evaluate("!!window.kbWidget"), page)
        page.fill(
            "#text",
            {"en": "the lamp arrived damaged, how do I get my money back",
             "zh-Hans": "收到的台灯破损了，怎么才能退款"}[lang],
        )  # fmt: skip
        page.locator(".toggle").first.click()
        page.locator(".choice button").first.click()
        session = page.evaluate("sessionStorage.getItem('kb:demo:refund')")
        page.click("#send")
        page.locator("#sent").wait_for()
        wait_until(lambda: "submitted" in stored_kinds(portal, session), page)
        assert stored_kinds(portal, session) == ["helpful", "opened", "shown", "submitted"]
        statuses = {status for url, status in answered if "/api/v1/" in url}
        assert statuses <= {200, 202, 204}
        assert len(there.received) == 1
        trail = portal.form_log.trail("demo", session)
        assert set(trail.opened) < set(trail.shown) or trail.opened == trail.shown
        assert len(trail.opened) == 1
        page.close()


def test_a_portal_that_is_killed_takes_nothing_with_it(chromium: Any) -> None:
    with contextlib.ExitStack() as alive:
        there = alive.enter_context(help_centre())
        with shop(there.address) as shop_site:
            page = chromium.new_page()
            page.goto(shop_site.address)
            wait_until(lambda: page.evaluate("!!window.kbWidget"), page)
            write(page)
            suggested(page)
            alive.close()
            write(page, TEXTS["en"] + " again")
            page.locator(".panel").wait_for(state="hidden")
            write(page)
            send_and_check(page, shop_site)
            shop_site.received.clear()
            page.goto(shop_site.address)  # now the script itself is not to be had
            write(page)
            send_and_check(page, shop_site)
            page.close()
