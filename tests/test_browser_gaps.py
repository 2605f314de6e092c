"""The queue of gaps in a real browser: by keyboard, accessible, narrow, dark, without script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from browser_support import axe_findings, chromium, open_portal, pytestmark, site
from conftest import NOW
from editor_browser import begin_session, give
from gap_support import Log
from portal.accounts.types import Role
from portal.gaps.refresh import refresh
from portal.gaps.types import State
from portal.services import Services
from search.types import Embedder

__all__ = ["chromium", "pytestmark", "site"]

_QUESTIONS = (
    "do you sell velvet sofas", "which shops are open on bank holidays", "皮靴淋湿了怎么晾",
    "<script>alert(1)</script> my app crashes",
)  # fmt: skip


@pytest.fixture(scope="module")
def portal(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services with four gaps, asked about by 6, 5, 4 and 3 visitors."""
    with open_portal(published, embedder, tmp_path_factory.mktemp("gaps")) as services:
        log = Log(services.engine)
        for place, text in enumerate(_QUESTIONS):
            for visitor in range(6 - place):
                at = NOW - timedelta(hours=2, minutes=visitor)
                log.ask(text, visitor=f"{place}-{visitor}", at=at, found=False)
        refresh(services.engine, services.library, embedder, services.clock)
        services.accounts.users.add("anna", Role.EDITOR)
        yield services


def _open(chromium: Any, portal: Services, site: str, path: str, **options: Any) -> Any:
    """A page as anna sees it; whatever the console says is an error."""
    context = chromium.new_context(**options)
    give(context, site, begin_session(portal, portal.accounts.users.named("anna")))
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("dialog", lambda dialog: page.said.append(dialog.message))
    page.goto(f"{site}{path}")
    return page


def _current(page: Any) -> str:
    return str(page.locator("tr.current").get_attribute("data-gap"))


def test_the_queue_is_worked_by_keyboard(chromium: Any, portal: Services, site: str) -> None:
    page = _open(chromium, portal, site, "/editor/gaps?lang=en")
    numbers = [row.get_attribute("data-gap") for row in page.locator("[data-queue] tbody tr").all()]
    assert len(numbers) >= 3
    page.keyboard.press("k")
    assert _current(page) == numbers[0]
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert _current(page) == numbers[2]
    page.keyboard.press("k")
    assert _current(page) == numbers[1]
    number = int(numbers[1] or "")

    page.keyboard.press("i")
    field = page.locator("[data-because] input")
    page.keyboard.press("Enter")  # without a reason nothing is ignored
    assert field.is_visible()
    page.keyboard.press("Escape")
    assert field.is_hidden()
    assert _current(page) == numbers[1]
    assert portal.gaps.get(number).state is State.OPEN
    page.keyboard.press("i")
    page.keyboard.type("sold in june")
    page.keyboard.press("Enter")
    toast = page.locator("[data-toast]")
    toast.wait_for()
    assert portal.gaps.get(number).ignored_because == "sold in june"
    assert portal.gaps.get(number).state is State.IGNORED
    assert "Ignored:" in toast.inner_text()
    row = page.locator(f"#gap-{number}")
    assert row.locator("[data-state]").inner_text() == "Ignored"
    assert page.locator("[data-total]").inner_text() == f"{len(numbers) - 1} gaps"
    # Scrolled away from under the toast, which may take a moment.
    page.wait_for_function(
        """([row, toast]) => document.querySelector(row).getBoundingClientRect().bottom
        <= document.querySelector(toast).getBoundingClientRect().top""",
        arg=[f"#gap-{number}", "[data-toast]"],
    )
    page.keyboard.press("u")
    page.get_by_text("Back on the queue:").wait_for()
    assert row.locator("[data-state]").inner_text() == "Open"
    assert page.locator("[data-total]").inner_text() == f"{len(numbers)} gaps"
    assert portal.gaps.get(number).state is State.OPEN

    page.locator("#owner").focus()
    page.keyboard.press("i")  # typing in a field is typing
    assert portal.gaps.get(number).state is State.OPEN
    page.locator("[data-queue] tbody tr").first.locator(".queue-name").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/editor/gaps/{number}")
    assert page.said == []
    page.context.close()


def test_ignoring_what_somebody_else_changed_is_refused(
    chromium: Any, portal: Services, site: str
) -> None:
    page = _open(chromium, portal, site, "/editor/gaps?lang=en")
    number = int(page.locator("[data-queue] tbody tr").first.get_attribute("data-gap"))
    version = portal.gaps.get(number).version
    portal.gaps.note(number, "seen", by="ben", version=version)
    page.keyboard.press("j")
    page.keyboard.press("i")
    page.keyboard.type("not ours")
    page.keyboard.press("Enter")
    page.get_by_text("Somebody else changed this gap.").wait_for()
    assert portal.gaps.get(number).state is State.OPEN
    assert page.locator("tr.gone").count() == 0
    page.context.close()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ],
    ids=["wide", "narrow dark"],
)
def test_the_pages_are_accessible_and_fit(
    chromium: Any, portal: Services, site: str, language: str, options: dict[str, Any]
) -> None:
    gaps = portal.gaps.list()
    for path in ("/editor/gaps", f"/editor/gaps/{gaps[0].number}",
                 f"/editor/gaps/{gaps[0].number}/asked"):  # fmt: skip
        page = _open(chromium, portal, site, f"{path}?lang={language}", **options)
        assert axe_findings(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        assert page.said == [], path
        page.context.close()


def test_without_script_a_gap_is_ignored_by_its_form(
    chromium: Any, portal: Services, site: str
) -> None:
    gap = portal.gaps.list()[-1]
    page = _open(chromium, portal, site, f"/editor/gaps/{gap.number}?lang=en",
                 java_script_enabled=False)  # fmt: skip
    page.get_by_label("Ignore it because").fill("not ours")
    page.get_by_role("button", name="Ignore", exact=True).click()
    assert portal.gaps.get(gap.number).ignored_because == "not ours"
    page.get_by_role("button", name="Reopen").click()
    assert portal.gaps.get(gap.number).state is State.OPEN
    page.context.close()


def test_on_a_phone_gaps_are_cards_and_parts_of_a_gap_fold(
    chromium: Any, portal: Services, site: str
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = _open(chromium, portal, site, "/editor/gaps?lang=en", **phone)
    row = page.locator("[data-queue] tbody tr").first
    for part in ("Score", "Visitors", "State"):
        cell = row.locator(f"td[data-label={part}]")
        assert cell.bounding_box()["x"] + cell.bounding_box()["width"] <= 390, part
    assert page.locator("[data-keys]").is_hidden()
    assert page.locator("#owner").is_hidden()
    page.get_by_text("Choose which gaps").click()
    assert page.locator("#owner").is_visible()
    row.locator(".queue-score a").click()  # leads into a part that is folded else
    page.wait_for_url("**#score")
    assert page.locator("#score dl").first.is_visible()
    assert page.locator("#due").is_hidden()
    page.get_by_role("heading", name="Who does it").click()
    assert page.locator("#due").is_visible()
    assert page.said == []
    page.context.close()
