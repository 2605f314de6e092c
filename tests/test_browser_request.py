"""The refund request in a real browser: phone, keyboard, without script, accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from browser_support import axe_findings, chromium, open_page, portal, pytestmark, serving
from portal.app import create_app
from portal.services import Services
from requests_support import MAIL, NUMBER, without_waiting

__all__ = ["chromium", "portal", "pytestmark"]

TEXT = {
    "en": "The teapot has a crack and the lid is broken. It was like this when I opened the box.",
    "zh-Hans": "壶盖碎了，收到就是坏的，外箱一侧也压扁了。",
}


@pytest.fixture(scope="module")
def site(portal: Services) -> Iterator[str]:
    """The address of a server whose orders answer at once."""
    services = without_waiting(portal)
    with serving(create_app(services.settings, services)) as address:
        yield address


def go_on(page: Any) -> None:
    """Continue, passing over a page of articles."""
    page.click(".form .form-actions .button >> nth=0")
    if page.locator(".offers").count():
        page.click(".request > .form-actions .button")


def find(page: Any, site: str, locale: str) -> None:
    page.goto(f"{site}/{locale}/requests/new")
    page.fill("#field-number", NUMBER)
    page.fill("#field-contact", MAIL)
    page.click(".form .button")


def walk(page: Any, site: str, locale: str) -> Iterator[str]:
    """Fill the form in; stops at every page before it is left."""
    find(page, site, locale)
    page.check("input[value=WF-TEA-07]")
    yield "items"
    go_on(page)
    page.check("input[value=damaged]")
    yield "reason"
    page.click(".form .form-actions .button >> nth=0")
    if page.locator(".offers").count():
        yield "articles"
        page.click(".request > .form-actions .button")
    page.check("input[value=refund]")
    yield "wish"
    go_on(page)
    page.fill("#field-comments", TEXT[locale])
    yield "comments"
    go_on(page)
    yield "check"
    page.click(".form .form-actions .button >> nth=0")
    page.locator(".reference").wait_for()
    yield "status"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_every_step_is_clean_to_axe_and_fits_a_phone_and_a_finger(
    chromium: Any, site: str, locale: str, theme: str
) -> None:
    page = open_page(chromium, width=320, color_scheme=theme, java_script_enabled=True)
    page.route("**/widget.js", lambda route: route.abort())  # so that the articles have a page
    seen = []
    for name in walk(page, site, locale):
        seen.append(name)
        assert axe_findings(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        small = page.evaluate(
            """[...document.querySelectorAll("button, select, .option-label, .request .button,"
               + ".summary-change a, .offer-title a, input[type=text]")]
               .filter(node => node.checkVisibility())
               .filter(node => node.getBoundingClientRect().height < 39.5)
               .map(node => node.outerHTML.slice(0, 90))"""
        )
        assert small == [], name
    assert seen == ["items", "reason", "articles", "wish", "comments", "check", "status"]
    page.context.close()


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_the_whole_journey_needs_no_script(chromium: Any, site: str, locale: str) -> None:
    page = open_page(chromium, java_script_enabled=False)
    for name in walk(page, site, locale):
        if name == "comments":  # back and on again, with what was typed
            page.click("button[value=back]")
            assert page.is_checked("input[value=refund]")
            go_on(page)
            assert page.input_value("#field-comments") == TEXT[locale]
    assert "RR-" in page.text_content(".reference")
    assert TEXT[locale] in page.text_content(".summary")
    page.context.close()


def test_the_whole_journey_by_keyboard_alone(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    press = page.keyboard.press
    page.goto(f"{site}/en/requests/new")
    page.route("**/widget.js", lambda route: route.abort())

    def tab_to(selector: str) -> None:
        for _ in range(40):
            press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                outline = page.evaluate(
                    """() => [document.activeElement, document.activeElement.closest('.option')]
                       .some(node => node && getComputedStyle(node).outlineStyle === 'solid')"""
                )
                assert outline, f"{selector} has no visible focus"
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    tab_to("#field-number")
    page.keyboard.type(NUMBER)
    press("Enter")  # too early: the contact is missing
    page.locator(".error-summary").wait_for()
    tab_to(".error-summary a")
    press("Enter")
    page.locator("#field-contact:focus").wait_for()  # the link's target, reached in a moment
    page.keyboard.type(MAIL)
    press("Enter")
    page.locator("input[name=item]").first.wait_for()
    tab_to("input[value=WF-TEA-07]")
    press("Space")
    press("Enter")
    page.locator("#reasons").wait_for()
    tab_to("input[name=reason]")
    press("ArrowDown")
    press("Enter")
    page.wait_for_url(lambda address: "/reason" not in address or "/articles/" in address)
    if "/articles/" in page.url:
        tab_to(".request > .form-actions .button")
        press("Enter")
    page.locator("input[name=wish]").first.wait_for()
    tab_to("input[name=wish]")
    press("Space")
    press("Enter")
    page.locator("#field-comments").wait_for()
    tab_to("#field-comments")
    page.keyboard.type("It is one size too small.")
    tab_to(".form-actions .button")
    press("Enter")
    page.wait_for_url(lambda address: not address.endswith("/comments") or "/articles/" in address)
    if "/articles/" in page.url:
        tab_to(".request > .form-actions .button")
        press("Enter")
    page.locator(".summary-check").wait_for()
    tab_to(".form .form-actions .button")
    press("Enter")
    page.locator(".reference").wait_for()
    assert "It is one size too small." in page.text_content(".summary")
    page.context.close()


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_articles_appear_beside_reason_and_comments_and_go_with_the_request(
    chromium: Any, site: str, portal: Services, locale: str
) -> None:
    page = open_page(chromium)
    find(page, site, locale)
    page.check("input[value=WF-TEA-07]")
    go_on(page)
    page.check("input[value=damaged]")
    panel = page.locator("#beside [role=region], #beside section, #beside h2").first
    panel.wait_for()
    go_on(page)
    page.locator("input[name=wish]").first.wait_for()
    page.check("input[value=refund]")
    go_on(page)
    page.locator("#field-comments").press_sequentially(TEXT[locale], delay=2)
    page.locator("#beside [role=region], #beside section, #beside h2").first.wait_for()
    go_on(page)
    page.locator(".summary-check").wait_for()
    go_on(page)
    page.locator(".reference").wait_for()
    number = page.text_content(".reference").strip()
    sent = portal.requests.store.by_number(number)
    assert sent is not None
    assert f"{locale}:damaged-on-arrival" in sent.shown
    assert page.complaints == []
    page.context.close()
