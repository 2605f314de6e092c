"""Overview, questions and articles in a real browser: charts, policy, axe, phone, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser_support import axe_findings, chromium, pytestmark, site
from editor_browser import open_page, portal, token
from figures_support import handover, search, view, vote
from portal.services import Services

__all__ = ["chromium", "portal", "pytestmark", "site", "token"]

HOSTILE = "<img src=x onerror=window.harmed=1><script>window.harmed=1</script>"


@pytest.fixture(scope="module")
def asked(portal: Services) -> Iterator[Any]:
    """A month of questions; the last one is hostile. Pages take what time they need."""
    for number in range(90):
        one = search(
            ("where is my refund", "退款多久到账", "can I bring my dog")[number % 3], number / 3, 0,
            f"v{number}", locale=("en", "zh-Hans", "en")[number % 3], resolved=number % 3 != 2,
        )  # fmt: skip
        portal.events.record_search(one)
        if number % 4 == 0:
            portal.events.record_view(view(one))
            portal.events.record_vote(vote(one, number % 8 == 0))
        if number % 20 == 0:
            portal.events.record_handover(handover(one))
    hostile = search(HOSTILE, 0.1, visitor="h", resolved=False)
    portal.events.record_search(hostile)
    portal.events.record_vote(vote(hostile, False, comment=HOSTILE))
    portal.events.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.editor.questions._SECONDS", 60)
        yield hostile


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en", 1280), ("zh-Hans", 320)])
@pytest.mark.parametrize("name", ["overview", "questions", "question", "articles"])
def test_pages_are_clean_to_axe_and_no_wider_than_the_screen(
    chromium: Any, site: str, token: str, asked: Any, name: str, locale: str, width: int, theme: str
) -> None:
    page = open_page(chromium, site, token, width=width, color_scheme=theme)
    path = f"questions/{asked.id}" if name == "question" else name
    page.goto(f"{site}/editor/{path}?lang={locale}")
    for folded in page.locator("main details:not(.fold) > summary").all()[:3]:
        folded.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe_findings(page) == []
    assert page.evaluate("window.harmed") is None
    assert page.complaints == [], "the policy allows all that the page does"
    page.context.close()


def test_charts_are_drawn_from_the_table_and_follow_the_pointer(
    chromium: Any, site: str, token: str, asked: Any
) -> None:
    page = open_page(chromium, site, token, width=1280)
    page.goto(f"{site}/editor/overview?lang=en")
    page.wait_for_selector(".multiple canvas")
    assert page.locator(".multiple canvas").count() == 8
    painted = page.evaluate("""() => {
        const canvas = document.querySelector('[data-chart="answered"] canvas');
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
    }""")
    assert painted
    label = page.locator('[data-chart="questions"] [data-value]')
    before = label.inner_text()
    page.locator('[data-chart="questions"] .u-over').hover(position={"x": 1, "y": 40})
    page.wait_for_function("before => document.querySelector("
                           "'[data-chart=questions] [data-value]').textContent !== before",
                           arg=before)  # fmt: skip
    first = page.locator("#trend tbody tr").last.locator("th").text_content()
    assert label.inner_text().startswith(first)
    assert page.complaints == []
    page.context.close()


def test_charts_are_drawn_anew_for_another_theme_and_width(
    chromium: Any, site: str, token: str, asked: Any
) -> None:
    page = open_page(chromium, site, token, width=1280, color_scheme="light")
    page.goto(f"{site}/editor/overview?lang=en")
    page.wait_for_selector(".multiple canvas")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.querySelector('.multiple canvas').clientWidth <= 400")
    assert page.locator(".multiple canvas").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.context.close()


def test_everything_can_be_read_and_filtered_without_script(
    chromium: Any, site: str, token: str, asked: Any
) -> None:
    page = open_page(chromium, site, token, width=1280, java_script_enabled=False)
    page.goto(f"{site}/editor/overview?lang=en")
    assert page.locator(".multiples").is_hidden()
    page.locator("#trend-table").click()
    assert page.locator("#trend tbody tr").count() == 30
    page.select_option("#locale", "zh-Hans")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**locale=zh-Hans**")
    page.locator(".tallies a").first.click()
    page.wait_for_url("**/editor/questions**")
    assert page.locator(".log-list li").count() >= 30
    page.locator(".log-list a").first.click()
    assert page.locator("h1").inner_text() == "退款多久到账"
    page.context.close()


def test_every_table_can_be_downloaded(chromium: Any, site: str, token: str, asked: Any) -> None:
    page = open_page(chromium, site, token, width=1280)
    names = []
    for path in ("overview", "questions", "articles"):
        page.goto(f"{site}/editor/{path}?lang=en")
        for link in page.locator(".downloads a").all():
            with page.expect_download() as waiting:
                link.click()
            names.append(waiting.value.suggested_filename)
            assert Path(waiting.value.path()).stat().st_size > 100
    assert names == [
        "overview.csv", "overview-groups.csv", "overview-questions.csv", "overview.json",
        "questions.csv", "questions.json", "articles.csv", "articles.json",
    ]  # fmt: skip
    page.context.close()
