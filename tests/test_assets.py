"""Static files: addresses that change with the content, and a small budget."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from editor_session import sign_in
from portal.assets import STATIC, static_url, templates_folder
from portal.services import Services

_BUDGET = 100_000  # bytes of script and style a first view may load
_EDITORS_BUDGET = 160_000  # likewise, with the charts


def test_templates_lie_where_the_app_looks() -> None:
    assert (templates_folder() / "base.html").is_file()


def test_a_file_is_kept_for_a_year_under_the_hash_of_its_content(
    app: Flask, client: FlaskClient
) -> None:
    with app.test_request_context("/en/"):
        address = static_url("css/site.css")
    assert re.fullmatch(r"/static/[0-9a-f]{12}/css/site\.css", address)
    with client.get(address) as answer:
        assert answer.status_code == 200
        assert answer.cache_control.immutable
        assert answer.cache_control.max_age == 365 * 24 * 3600


def test_an_old_address_still_serves_but_is_not_kept(client: FlaskClient) -> None:
    with client.get("/static/000000000000/css/site.css") as answer:
        assert answer.status_code == 200
        assert not answer.cache_control.immutable


def test_nothing_outside_the_folder_is_served(client: FlaskClient) -> None:
    assert client.get("/static/x/../assets.py").status_code == 404
    assert client.get("/static/x/%2e%2e/assets.py").status_code == 404
    with client.get("/favicon.ico") as answer:
        assert answer.mimetype == "image/svg+xml"


def loaded_by(client: FlaskClient, address: str) -> set[Path]:
    """The script and style files a page loads, with the modules that those import."""
    answer = client.get(address, follow_redirects=True)
    assert answer.status_code == 200, address
    names = re.findall(r'(?:href|src)="/static/[0-9a-f]{12}/([^"?]+\.(?:js|css))"', answer.text)
    found: set[Path] = set()
    waiting = [STATIC / name for name in names]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            imports = re.findall(r'from "(\./[^"]+)"', file.read_text("utf-8"))
            waiting += [file.parent / name for name in imports]
    return found


@pytest.mark.parametrize(
    "address", ["/en/", "/en/search?q=refund", "/zh-Hans/search?q=退款",
                "/en/refunds/refund-timing", "/en/requests/new"],
)  # fmt: skip
def test_script_and_style_of_a_page_stay_within_the_budget(
    client: FlaskClient, address: str
) -> None:
    files = loaded_by(client, address)
    assert any(file.suffix == ".js" for file in files)
    assert any(file.suffix == ".css" for file in files)
    assert sum(file.stat().st_size for file in files) < _BUDGET


@pytest.mark.parametrize("address", ["/editor/", "/editor/gaps", "/editor/questions"])
def test_pages_for_editors_have_a_budget_too(
    client: FlaskClient, services: Services, address: str
) -> None:
    sign_in(client, services)
    assert sum(file.stat().st_size for file in loaded_by(client, address)) < _EDITORS_BUDGET


def test_modules_import_only_files_that_exist() -> None:
    for module in (STATIC / "js").glob("*.js"):
        for name in re.findall(r'from "(\./[^"]+)"', module.read_text("utf-8")):
            assert (module.parent / name).is_file(), f"{module.name} imports {name}"


def test_data_never_becomes_markup_in_the_browser() -> None:
    for module in (STATIC / "js").glob("*.js"):
        text = module.read_text("utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, f"{module.name} uses {word}"


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    for template in Path(templates_folder()).rglob("*.html"):
        text = template.read_text("utf-8")
        assert "style=" not in text.replace("text-style=", ""), template
        assert not re.search(r"\son[a-z]+=", text), template
        for tag in re.findall(r"<script[^>]*>", text):
            assert "src=" in tag or "application/ld+json" in tag, template
