"""The whole loop in a real browser: a question nobody answers, its article, and the proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser_support import axe_findings, chromium, open_portal, pytestmark, serving, sync_api
from drafts_support import few_golden, own_articles, own_data, telescope
from editor_browser import begin_session, give, open_page
from editor_session import account
from moved_clock import MovedClock
from portal.app import create_app
from portal.gaps.types import State
from portal.services import Services
from search.types import Embedder

__all__ = ["chromium", "pytestmark"]

expect = sync_api.expect
ASKED = (
    "can I rent a telescope for a week", "telescope rental", "renting a telescope",
    "how much is it to rent a telescope", "rent a telescope", "is it possible to rent a telescope",
)  # fmt: skip
_RUN_MS = 120_000


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def portal(
    published: Path, embedder: Embedder, tmp_path: Path, clock: MovedClock
) -> Iterator[Services]:
    """Services of articles and an index of their own, which the test changes."""
    with open_portal(
        own_data(tmp_path, published), embedder, tmp_path, clock=clock,
        articles=own_articles(tmp_path), golden=few_golden(tmp_path),
    ) as services:  # fmt: skip
        yield services


@pytest.fixture
def site(portal: Services) -> Iterator[str]:
    with serving(create_app(portal.settings, portal)) as address:
        yield address


def visitors_ask(portal: Services, times: int) -> None:
    """Visitors with browsers of their own, each with one question."""
    app = create_app(portal.settings, portal)
    for number in range(times):
        client = app.test_client()
        agent = f"Mozilla/5.0 (visitor {number})"
        question = ASKED[number % len(ASKED)]
        answer = client.get(
            "/en/search", query_string={"q": question}, headers={"User-Agent": agent}
        )
        assert answer.status_code == 200
    portal.events.flush()


def sign_in(context: Any, site: str, portal: Services) -> None:
    """Give the browser the cookie of an editor."""
    give(context, site, begin_session(portal, account(portal)))


def is_clean(page: Any) -> None:
    """No finding of axe, nothing wider than the screen, no error in the console."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_findings(page) == []
    assert page.complaints == []


def test_from_an_unanswered_question_to_its_article_and_proof(
    chromium: Any, site: str, portal: Services, clock: MovedClock
) -> None:
    page = open_page(chromium, site, "", width=1280)

    # A customer finds no answer, and so do others.
    page.goto(f"{site}/en/search?q=can+I+rent+a+telescope+for+a+week")
    assert page.locator(".answer").count() == 0
    visitors_ask(portal, 12)
    clock.pass_by(hours=1)
    portal.gap_refresher.run_now()

    # An editor finds the gap and drafts an article from it.
    sign_in(page.context, site, portal)
    page.goto(f"{site}/editor/gaps")
    page.get_by_role("link", name="telescope").first.click()
    number = int(page.url.rstrip("/").rpartition("/")[2].partition("?")[0])
    is_clean(page)
    page.get_by_label("Title").fill("Telescope rental")
    page.get_by_label("Section").select_option("orders")
    page.get_by_role("button", name="Write the draft").click()
    expect(page.locator("#draft-problems")).to_contain_text("still to be written")
    assert portal.gaps.get(number).state == State.DRAFTED
    is_clean(page)

    # Writing is checked and shown while one types.
    field = page.locator("#text")
    field.fill(field.input_value() + "\n<script>window.hacked = 1</script>\n")
    expect(page.locator("#draft-preview")).to_contain_text("What to do")
    written = telescope(gap=number)
    field.fill(written.replace("section: orders", "section: nowhere"))
    expect(page.locator("#draft-problems")).to_contain_text("nowhere")
    field.fill(written)
    expect(page.locator("#draft-problems")).to_contain_text("Nothing is wrong with it.")
    expect(page.locator("#draft-preview")).to_contain_text("rent a telescope for a week for 40")
    assert page.evaluate("window.hacked") is None
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".notices")).to_contain_text("Saved.")
    draft = page.url

    # What publishing would change is known before.
    page.get_by_role("link", name="See first what publishing would change").click()
    page.get_by_role("button", name="Make the proof").click()
    expect(page.locator(".proof-table").first).to_contain_text("held out", timeout=_RUN_MS)
    is_clean(page)
    _run, proof = portal.proof.proof_of(number)
    assert proof is not None
    assert all(not tally.before.count for tally in proof.tallies.values() if tally.before)
    by_article = [tally.by_article for tally in proof.tallies.values() if tally.by_article]
    assert sum(share.count for share in by_article) >= len(ASKED) - 1

    # Published, the question is answered.
    page.goto(draft)
    page.get_by_role("button", name="Save and publish").click()
    expect(page.locator(".run-done")).to_contain_text("Published by editor.", timeout=_RUN_MS)
    is_clean(page)
    assert portal.gaps.get(number).state == State.PUBLISHED
    page.goto(f"{site}/en/search?q=can+I+rent+a+telescope+for+a+week")
    expect(page.locator(".answer").first).to_contain_text("telescope", timeout=_RUN_MS)

    # Closed by those who ask from then on, and by nothing else.
    clock.pass_by(days=1)
    visitors_ask(portal, 12)
    clock.pass_by(hours=1)
    portal.gap_refresher.run_now()
    assert portal.gaps.get(number).state == State.CLOSED
    sign_in(page.context, site, portal)  # sessions end over night
    page.goto(f"{site}/editor/proof")
    expect(page.locator(".achieved")).to_contain_text("Gaps closed")
    expect(page.locator("tbody tr").first).to_contain_text(f"gap-{number}")
    is_clean(page)
    page.goto(f"{site}/editor/gaps/{number}")
    expect(page.locator("#proof")).to_contain_text("Closed by evidence")
    page.context.close()
