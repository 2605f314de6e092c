"""Takes the README's pictures of the editors' pages: `python benchmarks/screenshots_editor.py`.

Plays a log by `kb simulate`'s visitors and editors into a scratch database, signs in and
photographs; names of pictures choose some of them. Needs a published index (KB_DATA, as for `kb`)
and Chromium.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from portal.accounts.types import Role
from portal.app import create_app
from portal.config import load_settings
from portal.editor.access import COOKIE
from portal.figures.rollup import roll_up
from portal.gaps.store import GapFilter, GapStore
from portal.gaps.types import State
from portal.services import open_services
from portal.simulate import EDITORS
from portal.simulate.play import simulate
from search.embed import open_embedder
from search.library import open_searcher

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"


@dataclass(frozen=True, slots=True)
class _Shot:
    """A picture; `path` may name the gap that was reopened."""

    name: str
    path: str
    width: int = 1280
    height: int = 1000
    scheme: str = "light"
    to: str = ""
    """What is scrolled to, a selector."""


_SHOTS = (
    _Shot("overview-en.png", "/editor/overview?lang=en"),
    _Shot("overview-zh.png", "/editor/overview?lang=zh", 390),
    _Shot("gaps-en.png", "/editor/gaps?lang=en", height=900, to="#queue-title"),
    _Shot("gaps-zh.png", "/editor/gaps?lang=zh", 390, 844, to="#queue-title"),
    _Shot("gap-en.png", "/editor/gaps/{reopened}?lang=en", scheme="dark"),
    _Shot("proof-en.png", "/editor/proof?lang=en&days=90"),
    _Shot("proof-zh.png", "/editor/proof?lang=zh&days=90", 390, 844, to=".achieved"),
    _Shot("question-en.png", "/editor/questions?lang=en&reason=low_confidence"),
    _Shot("articles-en.png", "/editor/articles?lang=en", height=800),
)
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def main(names: Collection[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as scratch:
        settings = load_settings().model_copy(
            update={"database_url": f"sqlite:///{scratch}/events.db", "rate_limit": "off"}
        )
        embedder = open_embedder(settings.model, cache=settings.cache)
        services = open_services(settings, embedder=embedder)
        searcher = open_searcher(settings.data, embedder)
        simulate(services.engine, searcher, now=now, days=56, events=20_000, seed=1)
        roll_up(services.engine, now)
        user = services.accounts.users.add(EDITORS[0], Role.EDITOR)
        token = services.accounts.sessions.begin(user.id, way="password", agent="screenshots")
        server = make_server("127.0.0.1", 0, create_app(settings, services), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            _shoot(f"http://127.0.0.1:{server.port}", token, _reopened(services.gaps), names)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            services.engine.dispose()


def _reopened(gaps: GapStore) -> int:
    """A gap that has been all the way, else the most pressing one."""
    found = gaps.list(GapFilter(states=(State.REOPENED,))) or gaps.list()
    return found[0].number


def _shoot(base: str, token: str, reopened: int, names: Collection[str]) -> None:
    binary = next((path for path in _CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        for shot in _SHOTS:
            if names and shot.name not in names:
                continue
            context = browser.new_context(
                viewport={"width": shot.width, "height": shot.height},
                color_scheme="dark" if shot.scheme == "dark" else "light",
            )
            context.add_cookies([{"name": COOKIE, "value": token, "url": f"{base}/editor/"}])
            page = context.new_page()
            page.goto(base + shot.path.format(reopened=reopened), wait_until="networkidle")
            if shot.to:
                page.locator(shot.to).first.evaluate("one => one.scrollIntoView()")
            page.screenshot(path=FOLDER / shot.name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
