"""In a real browser: two changes put together, and a draft deleted, without script, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser_support import axe_findings, chromium, open_portal, pytestmark, serving, sync_api
from drafts_support import TELESCOPE, own_articles, telescope, write
from editor_browser import begin_session, open_page
from editor_session import account
from portal.app import create_app
from portal.services import Services
from search.types import Embedder

__all__ = ["chromium", "pytestmark"]

expect = sync_api.expect
AT = "/editor/drafts/en/orders/telescope-rental"


@pytest.fixture
def portal(published: Path, embedder: Embedder, tmp_path: Path) -> Iterator[Services]:
    """Services of articles of their own, which the test changes."""
    with open_portal(
        published, embedder, tmp_path, articles=own_articles(tmp_path)
    ) as services:  # fmt: skip
        write(services.settings.articles, TELESCOPE, telescope())
        yield services


@pytest.fixture
def site(portal: Services) -> Iterator[str]:
    with serving(create_app(portal.settings, portal)) as address:
        yield address


@pytest.mark.parametrize(("width", "lang"), [(390, "zh-Hans"), (1280, "en")])
def test_both_changes_are_saved_together_and_the_draft_is_deleted_without_script(
    chromium: object, portal: Services, site: str, width: int, lang: str
) -> None:
    token = begin_session(portal, account(portal))
    seen = open_page(chromium, site, token, width=width)
    page = open_page(chromium, site, token, width=width, java_script_enabled=False)
    root = portal.settings.articles
    for one in (page, seen):
        write(root, TELESCOPE, telescope())
        one.goto(f"{site}{AT}?lang={lang}")
        write(root, TELESCOPE, telescope().replace("Orders team", "Ann"))
        one.locator("#text").fill(one.locator("#text").input_value() + "Mine.\n")
        one.locator("button[value=save]").click()
        expect(one.locator(".compare-in")).to_have_count(2)
    assert axe_findings(seen) == []
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".draft-form .button:not(.button-quiet)").first.click()
    text = (root / str(TELESCOPE)).read_text("utf-8")
    assert text == telescope().replace("Orders team", "Ann") + "Mine.\n"
    seen.goto(f"{site}{AT}/delete?lang={lang}")
    assert axe_findings(seen) == []
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{site}{AT}?lang={lang}")
    page.locator(f'a[href$="{AT}/delete"]').click()
    page.locator(".draft-actions form .button").click()
    expect(page.locator(".notice-done").first).to_be_visible()
    assert not (root / str(TELESCOPE)).exists()
