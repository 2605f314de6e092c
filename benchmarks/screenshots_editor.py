"""Takes the README's pictures of the editors' pages: `python benchmarks/screenshots_editor.py`.

Plays a log by `kb simulate`'s visitors into a scratch database, brings the gap report up to date,
signs in and photographs. Needs a published index (KB_DATA, as for `kb`) and Chromium.
"""

from __future__ import annotations

import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from portal.accounts.types import Role
from portal.app import create_app
from portal.config import load_settings
from portal.editor.access import COOKIE
from portal.figures.rollup import roll_up
from portal.services import open_services
from portal.simulate.play import simulate
from search.embed import open_embedder
from search.library import open_searcher

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
_SHOTS = (
    ("overview-en.png", "/editor/overview?lang=en", 1280, 1000, "light"),
    ("overview-zh.png", "/editor/overview?lang=zh", 390, 1000, "light"),
    ("gaps-en.png", "/editor/gaps?lang=en", 1280, 1000, "light"),
    ("gaps-zh.png", "/editor/gaps?lang=zh", 390, 844, "light"),
    ("gap-en.png", "/editor/gaps/1?lang=en", 1280, 1000, "dark"),
    ("question-en.png", "/editor/questions?lang=en&reason=low_confidence", 1280, 1000, "light"),
    ("articles-en.png", "/editor/articles?lang=en", 1280, 800, "light"),
)
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def main() -> None:
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
        services.gap_refresher.run_now()
        user = services.accounts.users.add("anna", Role.EDITOR)
        token = services.accounts.sessions.begin(user.id, way="password", agent="screenshots")
        server = make_server("127.0.0.1", 0, create_app(settings, services), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            _shoot(f"http://127.0.0.1:{server.port}", token)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            services.engine.dispose()


def _shoot(base: str, token: str) -> None:
    binary = next((path for path in _CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        for name, path, width, height, scheme in _SHOTS:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            context.add_cookies([{"name": COOKIE, "value": token, "url": f"{base}/editor/"}])
            page = context.new_page()
            page.goto(base + path, wait_until="networkidle")
            page.screenshot(path=FOLDER / name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
