"""Takes the README's pictures of a running portal: `python benchmarks/screenshots.py URL`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
_SHOTS = (
    ("answer-en.png", "/en/search?q=how+long+until+my+refund+arrives", 1280, 800, "light"),
    ("answer-zh.png", "/zh-Hans/search?q=退款多久到账", 390, 800, "light"),
    ("unsure-en.png", "/en/search?q=can+I+bring+my+dog+to+your+warehouse", 390, 800, "dark"),
)
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def main(base: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    binary = next((path for path in _CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        for name, path, width, height, scheme in _SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(base.rstrip("/") + path, wait_until="networkidle")
            page.screenshot(path=FOLDER / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
