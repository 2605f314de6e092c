"""The widget's script as it is served, and the demo page."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.app import create_app
from portal.assets import STATIC
from portal.config import Settings
from portal.services import Services
from portal.widget import shrink
from tests_support import ROOT

SOURCE = (STATIC / "widget" / "widget.js").read_text("utf-8")
DOCUMENTED = (ROOT / "docs" / "widget.md").read_text("utf-8")
MOST_COMPRESSED = 12_000  # bytes, as the issue has it: under 12 KB
DATA_AS_MARKUP = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
    "setAttribute(\"style\"", ".style.", ".cssText", "srcdoc",
)  # fmt: skip


def test_the_script_is_small_on_its_way(client: FlaskClient) -> None:
    answer = client.get("/widget.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer.content_encoding == "gzip"
    assert len(answer.data) < MOST_COMPRESSED
    assert len(gzip.compress(answer.data, 9)) > 0.9 * len(answer.data)  # it is packed already
    plain = client.get("/widget.js", headers={"Accept-Encoding": "identity"})
    assert plain.content_encoding is None
    assert gzip.decompress(answer.data) == plain.data


def test_pages_of_any_site_may_load_the_script(client: FlaskClient) -> None:
    answer = client.get("/widget.js", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers.getlist("Cross-Origin-Resource-Policy") == ["cross-origin"]
    assert "Set-Cookie" not in answer.headers


def test_the_script_is_kept_shortly_and_then_only_asked_after(client: FlaskClient) -> None:
    first = client.get("/widget.js")
    assert first.cache_control.public
    assert 0 < (first.cache_control.max_age or 0) <= 3600
    assert "Accept-Encoding" in first.headers["Vary"]
    again = client.get("/widget.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = client.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["ETag"] != first.headers["ETag"]


def test_reading_the_script_uses_up_no_limit(settings: Settings, services: Services) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": "2 per minute"}), services)
    codes = {app.test_client().get("/widget.js").status_code for _ in range(5)}
    assert codes == {200}


def test_shrinking_leaves_out_comments_and_indentation_only() -> None:
    assert shrink('// one\n  const a = "// b"; // c\n    // two\nd();\n') == (
        'const a = "// b"; // c\nd();\n'
    )
    served = shrink(SOURCE)
    assert not re.search(r"^\s*//", served, re.MULTILINE)
    assert "https" in served
    assert "/*" not in SOURCE


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not there")
def test_the_served_script_can_be_parsed(tmp_path: Path) -> None:
    file = tmp_path / "widget.js"
    file.write_text(shrink(SOURCE), "utf-8")
    subprocess.run(["node", "--check", str(file)], check=True)


def test_what_a_server_sends_never_becomes_markup_code_or_style() -> None:
    for file in (STATIC / "widget").glob("*.js"):
        text = file.read_text("utf-8")
        assert [word for word in DATA_AS_MARKUP if word in text] == [], file.name


def labels_of(locale: str) -> dict[str, str]:
    """The labels of one language, read from the script."""
    block = re.search(rf'^    "?{locale}"?: {{$(.*?)^    }},$', SOURCE, re.DOTALL | re.MULTILINE)
    assert block
    pairs = re.findall(r'^      (\w+): ("(?:[^"\\]|\\.)*"),$', block[1], re.MULTILINE)
    assert len(pairs) == block[1].strip().count("\n") + 1
    return {name: json.loads(text) for name, text in pairs}


def test_both_languages_have_every_label_and_placeholder() -> None:
    english, chinese = labels_of("en"), labels_of("zh-Hans")
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[name])), name
        assert re.search(r"[\u4e00-\u9fff、]", chinese[name]), name


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        (r"options\.(\w+)", "`data-{}`"),
        (r"var\(--kb-([\w-]+)", "`--kb-{}`"),
        (r'"(kb:\w+)"', "`{}`"),
    ],
)
def test_everything_a_page_can_use_is_documented(pattern: str, written: str) -> None:
    unseen = {"base", "lang", "nonce"}  # of the script element, or inside only
    found = set(re.findall(pattern, SOURCE)) - unseen - {""}
    assert found
    for name in found:
        dashed = re.sub(r"[A-Z]", lambda letter: "-" + letter[0].lower(), name)
        assert written.format(dashed) in DOCUMENTED, name


def test_every_label_colour_and_function_is_documented() -> None:
    colours = re.search(r"const COLOURS = {(.*?)};", SOURCE, re.DOTALL)
    assert colours
    for name in re.findall(r'^    "?([\w-]+)"?: \[', colours[1], re.MULTILINE):
        assert f"`--kb-{name}`" in DOCUMENTED, name
    for name in labels_of("en"):
        assert f"`{name}`" in DOCUMENTED, name
    functions = re.search(r"window\.kbWidget = Object\.freeze\({(.*?)\n  }\);", SOURCE, re.DOTALL)
    assert functions
    for name in re.findall(r"^    (\w+)[:,]", functions[1], re.MULTILINE):
        assert f"`{name}(" in DOCUMENTED, name


@pytest.mark.parametrize(
    ("path", "headers", "heading", "lang"),
    [
        ("/widget/demo?lang=en", {"Accept-Language": "zh"}, "Ask for a refund", "en"),
        ("/widget/demo?lang=zh", {"Accept-Language": "en"}, "申请退款", "zh-Hans"),
        ("/widget/demo", {"Accept-Language": "zh-CN"}, "申请退款", "zh-Hans"),
        ("/widget/demo?lang=xx", {"Accept-Language": "en"}, "Ask for a refund", "en"),
    ],
)
def test_the_demo_speaks_the_language_asked_for(
    client: FlaskClient, path: str, headers: dict[str, str], heading: str, lang: str
) -> None:
    answer = client.get(path, headers=headers)
    assert f"<h1>{heading}</h1>" in answer.text
    assert f'<html lang="{lang}">' in answer.text
    assert {"accept-language", "cookie"} <= {name.lower() for name in answer.vary}
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert 'src="/widget.js"' in answer.text


def test_sending_the_demo_shows_what_was_sent_and_stores_nothing(
    client: FlaskClient, services: Services
) -> None:
    def rows() -> dict[str, int]:
        names = sa.inspect(services.engine).get_table_names()
        with services.engine.connect() as connection:
            return {
                name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0
                for name in names
            }

    client.get("/widget/demo")
    before = rows()
    answer = client.post(
        "/widget/demo?lang=en",
        data={"order": "<WF-1>", "reason": "damaged", "platform": "", "text": "It is\nbroken"},
    )
    assert answer.status_code == 200
    told = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", answer.text, re.DOTALL)
    assert told == [
        ("Order number", "&lt;WF-1&gt;"),
        ("Where did you buy it?", "(left empty)"),
        ("Why do you want to return it?", "It arrived damaged"),
        ("What happened?", "It is\nbroken"),
    ]
    assert '<option value="damaged" selected>' in answer.text
    assert "It is\nbroken</textarea>" in answer.text
    assert rows() == before


def test_the_demo_takes_no_form_of_another_site(settings: Settings, services: Services) -> None:
    app = create_app(settings, services)
    answer = app.test_client().post("/widget/demo", data={"text": "x"})
    assert answer.status_code == 400
