"""A portal with a month of forms for tests of editors' pages in a browser, and who signs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import browser_support
from browser_support import open_portal
from portal.accounts.types import Role, User
from portal.editor.access import COOKIE
from portal.services import Services
from search.types import Embedder
from test_form_outcomes import happened, typed

PASSWORD = "correct horse 电池 staple"


@pytest.fixture(scope="module")
def portal(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services whose forms have been filled in for a month, and who signs in to them."""
    with open_portal(published, embedder, tmp_path_factory.mktemp("editor")) as services:
        for number in range(60):
            shared: dict[str, Any] = {
                "session": f"session-{number}", "visitor": f"v{number}",
                "form": ("request", "demo")[number % 2],
                "locale": ("en", "zh-Hans")[number % 3 == 0],
            }  # fmt: skip
            start = -60 * 11 * number
            services.form_log.record_suggestion(typed(start, held_out=number % 10 == 0, **shared))
            kinds = ("shown", "resolved", "submitted", "not_helpful", "opened")
            for kind in {"shown", kinds[number % 5]} if number % 10 else {"submitted"}:
                services.form_log.record_event(happened(kind, start + 1, **shared))
        services.form_log.flush()
        services.accounts.users.add("anna", Role.ADMIN, PASSWORD)
        yield services


@pytest.fixture
def token(portal: Services) -> str:
    """What the cookie of somebody signed in holds."""
    return begin_session(portal, portal.accounts.users.named("anna"))


def begin_session(services: Services, user: User) -> str:
    """The token of a session that `user` begins."""
    return services.accounts.sessions.begin(user.id, way="password", agent="Mozilla/5.0 (test)")


def give(context: Any, site: str, token: str) -> None:
    """Have the browser send a session's token."""
    context.add_cookies([{"name": COOKIE, "value": token, "url": f"{site}/editor/"}])


def open_page(browser: Any, site: str, token: str, *, width: int, **options: Any) -> Any:
    """A page of somebody signed in; without a token of somebody who is not."""
    page = browser_support.open_page(browser, width=width, missing=False, **options)
    if token:
        give(page.context, site, token)
    return page
