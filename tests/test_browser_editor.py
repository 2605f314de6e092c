"""The pages for editors in a real browser: accessible, narrow, dark, usable without script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser_support import axe_findings, chromium, pytestmark, site
from editor_browser import open_page, portal, token

__all__ = ["chromium", "portal", "pytestmark", "site", "token"]


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
    assert axe_findings(page) == []
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
