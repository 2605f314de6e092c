"""Signing in, people and audit in a real browser: by keyboard, without script, narrow, to axe."""

from __future__ import annotations

from typing import Any

import pytest

from browser_support import axe_findings, chromium, pytestmark, site
from editor_browser import PASSWORD, open_page, portal, token
from portal.accounts.types import Role
from portal.services import Services

__all__ = ["chromium", "portal", "pytestmark", "site", "token"]


@pytest.mark.parametrize("script", [True, False])
def test_somebody_signs_in_works_and_signs_out_by_keyboard(
    chromium: Any, site: str, portal: Services, script: bool
) -> None:
    page = open_page(chromium, site, "", width=1280, java_script_enabled=script)
    page.goto(f"{site}/editor/forms?days=7&lang=en")
    assert page.title().startswith("Sign in")
    page.locator("#name").focus()
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("main [role=alert]")
    assert "Name or password is wrong" in page.locator("main [role=alert]").inner_text()
    assert page.locator("#name").input_value() == "anna"
    page.locator("#password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/editor/forms?days=7&lang=en")
    assert page.locator(".editor-nav [aria-current=page]").inner_text() == "Forms"
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/editor/sign-in")
    assert "You are signed out." in page.locator(".notices").inner_text()
    page.go_back()  # the page before is kept by nobody
    page.reload()
    assert page.title().startswith("Sign in")
    page.context.close()


def test_an_admin_invites_somebody_who_chooses_a_password(
    chromium: Any, site: str, token: str, portal: Services
) -> None:
    page = open_page(chromium, site, token, width=1280)
    page.goto(f"{site}/editor/people?lang=en")
    page.fill("#name", "王芳")
    page.get_by_role("radio", name="Reader").check()
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("#link").input_value()
    guest = open_page(chromium, site, "", width=390, locale="zh-CN")
    guest.goto(link)
    assert "王芳" in guest.locator("main").inner_text()
    for field in ("#new", "#again"):
        guest.fill(field, "一 句 很 长 的 话 只 有 我 懂")
    guest.locator("main form button").click()
    guest.wait_for_load_state()
    assert guest.locator(".editor-self").inner_text().startswith("王芳")
    assert guest.locator(".editor-nav").get_by_text("成员").count() == 0
    assert portal.accounts.users.named("王芳").role is Role.READER
    assert page.complaints == guest.complaints == []
    for one in (page, guest):
        one.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en", 1280), ("en", 320), ("zh-Hans", 390)])
def test_pages_of_accounts_are_clean_to_axe_and_no_wider_than_the_screen(
    chromium: Any, site: str, token: str, locale: str, width: int, theme: str
) -> None:
    for path, who in (("sign-in", ""), ("invitation/x", ""), ("account", token),
                      ("people", token), ("audit", token)):  # fmt: skip
        page = open_page(chromium, site, who, width=width, color_scheme=theme)
        page.goto(f"{site}/editor/{path}?lang={locale}")
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert axe_findings(page) == [], path
        page.context.close()
