"""The customer pages in a real browser: typing, keyboard, accessibility, narrow screens."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from browser_support import axe_findings, chromium, open_page, portal, pytestmark, site, sync_api
from portal.services import Services

__all__ = ["chromium", "portal", "pytestmark", "site"]

_QUESTIONS = {
    "en": ("how long until I get my money back", "bitcoin lecture on quantum gravity"),
    "zh-Hans": ("运费险赔多少钱", "用比特币付款听量子力学讲座"),
}
_UNTRANSLATED = {
    "en": "/zh-Hans/returns/shipping-insurance",
    "zh-Hans": "/en/payments/invoices-vat",
}


def pages(locale: str) -> list[str]:
    known, unknown = (quote(question) for question in _QUESTIONS[locale])
    return [
        f"/{locale}/",
        f"/{locale}/search",
        f"/{locale}/search?q={known}",
        f"/{locale}/search?q={known}&answer=no&s=1",
        f"/{locale}/search?q={unknown}",
        f"/{locale}/search?q={known}&section=rights&platform=pinecart",
        f"/{locale}/returns/",
        f"/{locale}/refunds/refund-timing",
        f"/{locale}/refunds/refund-timing?voted=no",
        f"/{locale}/marketplaces/buying-service-returns",
        f"/{locale}/rights/legal-guarantee",
        f"/{locale}/still-stuck?q={known}",
        f"/{locale}/language?from={_UNTRANSLATED[locale]}",
        f"/{locale}/refunds/no-such-page",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_every_page_is_clean_to_axe(chromium: Any, site: str, locale: str, theme: str) -> None:
    page = open_page(chromium, color_scheme=theme)
    found = []
    for path in pages(locale):
        page.goto(site + path)
        found += [(path, finding) for finding in axe_findings(page)]
    assert found == []
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_nothing_is_wider_than_a_narrow_screen_and_targets_fit_a_finger(
    chromium: Any, site: str, locale: str
) -> None:
    page = open_page(chromium, width=320)
    for path in pages(locale):
        page.goto(site + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        small = page.evaluate(
            """[...document.querySelectorAll("button, select, summary, input:not([type=hidden]),"
               + ".link-list a, .contents a, .result-title a, .examples a, .crumbs a")]
               .filter(node => node.checkVisibility() && !node.closest(".choice"))
               .filter(node => node.getBoundingClientRect().height < 43.5)
               .map(node => node.outerHTML.slice(0, 90))"""
        )
        assert small == [], path
    page.context.close()


def test_results_appear_while_typing_and_nothing_moves(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/")
    before = page.locator("#topics-title").bounding_box()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("refund", delay=20)
    page.locator(".typed a").first.wait_for()
    assert page.locator("#topics-title").bounding_box() == before
    page.locator(".typed-link").first.wait_for()
    assert page.locator("#topics-title").bounding_box() == before
    assert "articles found" in page.locator("[aria-live=polite]").first.text_content()
    page.keyboard.press("Escape")
    assert not page.locator(".typed").is_visible()
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.input_value("#q") == "refund"
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/search?q=refund")
    assert page.complaints == []
    page.context.close()


def test_old_results_stay_until_the_next_ones_are_there(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/")
    page.locator("#q").press_sequentially("refund", delay=20)
    page.locator(".typed a").first.wait_for()
    held: list[Any] = []
    page.route("**/api/v1/search*", lambda route: held.append(route))  # no answer comes
    page.locator("#q").press_sequentially(" late", delay=20)
    page.locator("form[aria-busy=true]").wait_for()
    assert page.locator(".typed a").first.is_visible()
    for route in held:
        route.abort()
    page.context.close()


def test_an_unfinished_chinese_word_is_not_searched(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/zh-Hans/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else 0)
    compose = """(type) => {
      const field = document.querySelector("#q");
      if (type === "input") {
        field.value = "tui kuan";
        field.dispatchEvent(new InputEvent("input", { isComposing: true, bubbles: true }));
      } else {
        if (type === "compositionend") field.value = "退款";
        field.dispatchEvent(new CompositionEvent(type, { bubbles: true }));
      }
    }"""
    page.evaluate(compose, "compositionstart")
    page.evaluate(compose, "input")
    page.wait_for_timeout(400)
    assert asked == []
    page.evaluate(compose, "compositionend")
    page.locator(".typed-link").first.wait_for()
    paths = sorted(urlsplit(address).path for address in asked)
    assert paths == ["/api/v1/complete", "/api/v1/search"]
    page.context.close()


def active_option(page: Any) -> str | None:
    """The text of the option the field points at; focus itself never leaves the field."""
    found: str | None = page.evaluate(
        """() => {
          const field = document.activeElement;
          if (field.getAttribute("role") !== "combobox") throw new Error("focus left the field");
          const selected = document.querySelectorAll(".typed [aria-selected=true]");
          const id = field.getAttribute("aria-activedescendant");
          if (!id) return selected.length ? "two minds" : null;
          const option = document.getElementById(id);
          return selected.length === 1 && selected[0] === option ? option.textContent : "two minds";
        }"""
    )
    return found


def type_and_wait(page: Any, text: str) -> Any:
    """Type into the field; gives the options once both completions and results are there."""
    page.locator("#q").press_sequentially(text, delay=20)
    page.locator(".typed-completion").first.wait_for()
    page.locator(".typed-all").wait_for()
    page.wait_for_timeout(400)
    return page.locator(".typed [role=option]")


def test_one_keyboard_model_leads_through_completions_and_results(chromium: Any, site: str) -> None:
    page = open_page(chromium, width=1280)
    page.goto(f"{site}/en/")
    field = page.locator("#q")
    assert field.get_attribute("role") == "combobox"
    assert field.get_attribute("aria-expanded") == "false"
    options = type_and_wait(page, "refund t")
    assert field.get_attribute("aria-expanded") == "true"
    list_id = field.get_attribute("aria-controls")
    assert page.locator(f"#{list_id}").get_attribute("role") == "listbox"
    texts = options.all_text_contents()
    completions = page.locator(".typed-completion").all_text_contents()
    assert 0 < len(completions) <= 4
    assert texts[: len(completions)] == completions
    assert len(texts) > len(completions) + 1
    assert active_option(page) is None
    walked = []
    for _ in texts:
        page.keyboard.press("ArrowDown")
        walked.append(active_option(page))
    assert walked == texts
    page.keyboard.press("ArrowDown")
    assert active_option(page) is None
    page.keyboard.press("ArrowUp")
    assert active_option(page) == texts[-1]
    page.keyboard.press("Home")
    assert active_option(page) is None
    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert page.input_value("#q") == "refund t"
    page.keyboard.press("ArrowDown")
    assert active_option(page) == texts[0]
    assert page.complaints == []
    page.context.close()


def test_no_article_is_offered_twice(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/")
    type_and_wait(page, "refund")
    links = page.evaluate(
        """[...document.querySelectorAll(".typed-completion.typed-title, .typed [data-article]")]
           .map(link => new URL(link.href).pathname)"""
    )
    assert len(links) == len(set(links)) > 1
    page.context.close()


def test_a_chosen_question_is_searched_and_a_chosen_title_opened(
    chromium: Any, site: str, portal: Services
) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/zh-Hans/")
    before = portal.events.counts()
    type_and_wait(page, "tkdj")
    assert page.locator(".typed-title b").first.text_content() == "退款多久"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zh-Hans/refunds/refund-timing")
    page.wait_for_timeout(300)
    after = portal.events.counts()
    assert (after.searches - before.searches, after.views - before.views) == (0, 1)
    page.goto(f"{site}/zh-Hans/")
    type_and_wait(page, "运费")
    question = page.locator(".typed-question .typed-completion-text").first
    text = question.text_content()
    question.click()
    page.wait_for_url(f"**/zh-Hans/search?q={quote(text)}")
    assert page.input_value("#q") == text
    page.context.close()


def test_an_outdated_completion_is_never_shown(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/")
    held: list[Any] = []
    page.route("**/api/v1/complete?q=gift&*", lambda route: held.append(route))
    page.locator("#q").press_sequentially("gift", delay=20)
    page.wait_for_timeout(400)
    assert len(held) == 1
    page.locator("#q").fill("how long")
    page.locator(".typed-completion").first.wait_for()
    for route in held:
        with contextlib.suppress(sync_api.Error):  # the page has cancelled it
            route.fulfill(json={"completions": [{"text": "OLD", "kind": "question", "locale": "en",
                                                 "url": "/en/", "highlight": []}]})  # fmt: skip
    page.wait_for_timeout(300)
    assert "OLD" not in page.locator(".typed").text_content()
    page.context.close()


@pytest.mark.parametrize("failing", ["complete", "search"])
def test_completions_and_results_do_without_each_other(
    chromium: Any, site: str, failing: str
) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/")
    page.route(f"**/api/v1/{failing}?*", lambda route: route.abort())
    page.locator("#q").press_sequentially("refund", delay=20)
    page.locator(".typed-link" if failing == "complete" else ".typed-completion").first.wait_for()
    page.wait_for_timeout(400)
    present = page.locator(".typed-completion, .typed-link").evaluate_all(
        "found => new Set(found.map(each => each.classList[0])).size"
    )
    assert present == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/search?q=refund")
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("locale", "text"), [("en", "refund"), ("zh-Hans", "退款"), ("en", "tuik")]
)
def test_the_open_panel_is_clean_to_axe_and_fits_a_finger(
    chromium: Any, site: str, locale: str, text: str, theme: str
) -> None:
    page = open_page(chromium, width=320, color_scheme=theme)
    page.goto(f"{site}/{locale}/")
    options = type_and_wait(page, text)
    page.keyboard.press("ArrowDown")
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert all(box["height"] >= 43.5 for box in (option.bounding_box() for option in options.all()))
    page.context.close()


@pytest.mark.parametrize("settled", [False, True])
def test_a_typed_search_and_its_click_are_counted_once(
    chromium: Any, site: str, portal: Services, settled: bool
) -> None:
    page = open_page(chromium)
    before = portal.events.counts()
    page.goto(f"{site}/en/")
    page.evaluate("window.noTimers = window.setTimeout")
    if not settled:  # a slow machine must not settle it
        page.evaluate("window.setTimeout = (f, ms) => ms < 2000 ? window.noTimers(f, ms) : 0")
    page.locator("#q").press_sequentially("gift card", delay=20)
    page.locator(".typed-link").first.wait_for()
    if settled:
        page.wait_for_timeout(3500)
    page.locator(".typed-link").first.click()
    page.wait_for_selector("article")
    assert page.evaluate("location.search") == ""
    page.wait_for_timeout(800)
    after = portal.events.counts()
    assert after.searches - before.searches == 1
    assert after.views - before.views == after.clicks - before.clicks == 1
    page.context.close()


def test_votes_need_no_new_page(chromium: Any, site: str) -> None:
    page = open_page(chromium)
    page.goto(f"{site}/en/refunds/refund-methods")
    page.click(".vote-ask button[value=no]")
    page.check(".vote-why input[value=outdated]")
    page.click(".vote-why .button")
    page.locator(".vote-thanks").wait_for()
    assert page.url == f"{site}/en/refunds/refund-methods"
    assert page.complaints == []
    page.context.close()


def test_everything_works_without_script(chromium: Any, site: str) -> None:
    page = open_page(chromium, java_script_enabled=False)
    page.goto(f"{site}/zh-Hans/")
    page.fill("#q", "退款多久到账")
    page.click(".search-button")
    page.locator(".result-title a, .answer-source a").first.click()
    page.click(".vote-ask button[value=no]")
    page.check(".vote-why input[value=not-clear]")
    page.click(".vote-why .button")
    assert page.locator(".vote-thanks").is_visible()
    page.click(".person a[href*='still-stuck']")
    page.fill("#field-message", "退款还没到")
    page.click(".form .button")
    assert page.locator(".reference").is_visible()
    page.context.close()


@pytest.mark.parametrize("path", ["/en/", "/en/refunds/refund-timing", "/zh-Hans/search?q=退款"])
def test_the_layout_does_not_shift_while_loading(chromium: Any, site: str, path: str) -> None:
    page = open_page(chromium)
    page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver(list => list.getEntries().forEach(e => window.shift += e.value))
          .observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto(site + path)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.01
    page.context.close()
