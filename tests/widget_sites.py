"""Two sites for the widget's tests: a help centre that misbehaves on demand, and a shop.

With what a customer does at the shop.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from portal.widget import _make

JSON = "application/json"
TEXTS = {
    "en": "the lamp arrived with a cracked shade",
    "zh-Hans": "收到的台灯灯罩裂了怎么退款",
}
ANSWERS = {
    "en": [
        {
            "id": "damaged-items", "url": "/en/problems/damaged-items#claim",
            "title": "My item arrived damaged", "locale": "en", "confidence": 0.93,
            "excerpt": "Send us a photo within 7 days of delivery. We refund or replace the item "
            "and pay for the return. You need not wait until we have it back: the refund is "
            "started as soon as the photo has been seen, which takes one working day.",
            "policy": {
                "window": "7 days from delivery", "postage": "We pay",
                "refund": "Within 2 working days of approval",
                "evidence": ["Photos of the item", "Photos of the packaging and label"],
                "conditions": ["Keep the packaging until the claim is settled"],
                "section_url": "/en/problems/damaged-items#policy",
            },
        },
        {
            "id": "refund-timing", "url": "/en/refunds/refund-timing",
            "title": "When will my refund arrive?", "locale": "en", "confidence": 0.71,
            "excerpt": "A card refund takes up to 10 working days.",
        },
    ],
    "zh-Hans": [
        {
            "id": "damaged-items", "url": "/zh-Hans/problems/damaged-items#claim",
            "title": "收到的商品破损了怎么办？", "locale": "zh-Hans", "confidence": 0.93,
            "excerpt": "签收后7天内上传照片，我们退款或补发，退货运费由我们承担。照片审核通过后"
            "1个工作日内发起退款，不用等退货到仓。",
            "policy": {
                "window": "签收后7天", "postage": "我们承担", "refund": "审核通过后2个工作日内",
                "evidence": ["商品照片", "外包装与面单照片"],
                "conditions": ["理赔完成前请保留外包装"],
                "section_url": "/zh-Hans/problems/damaged-items#claim",
            },
        },
    ],
}  # fmt: skip


@dataclass
class HelpCentre:
    """A help centre at an address of its own, answering as it is told."""

    port: int = 0
    behave: Callable[[BaseHTTPRequestHandler, dict[str, Any]], None] | None = None
    """Answers a question in place of the usual answer."""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: ANSWERS)
    questions: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def handle(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.path.endswith("/events"):
            self.events.append(json.loads(body))
            reply(request, 202, JSON, "{}")
            return
        question = json.loads(body)
        self.questions.append(question)
        if self.behave:
            self.behave(request, question)
        else:
            reply(request, 200, JSON, json.dumps(self.answer(question)))

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        quiet = "nothing" in question["text"] or "没有" in question["text"]
        found = [] if quiet else self.answers[question.get("locale", "en")]
        number = f"suggestion-{len(self.questions)}"
        return {
            "suggestion_id": number, "suggestions": found, "resolved": bool(found),
            "held_out": False,
        }  # fmt: skip


def reply(request: BaseHTTPRequestHandler, status: int, kind: str, text: str, **more: str) -> None:
    """Answer a request of any origin."""
    body = text.encode()
    request.send_response(status)
    for name, value in {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Expose-Headers": "Retry-After",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def help_centre() -> Iterator[HelpCentre]:
    """A help centre that is served while the block runs."""
    made = HelpCentre()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            script = _make().text.decode()
            reply(self, 200, "text/javascript", script)

        def do_OPTIONS(self) -> None:
            reply(self, 204, "text/plain", "")

        def do_POST(self) -> None:
            made.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

    with _served(Handler) as port:
        made.port = port
        yield made


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: pytest shows what failed."""


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


FORM = """
<form id="refund" method="post" action="/sent">
  <label for="order">Order</label><input id="order" name="order" value="WF-1">
  <label for="reason">Reason</label>
  <select id="reason" name="reason">
    <option value="">–</option><option value="R7" data-kb-reason="damaged">Damaged</option>
    <option value="late">Late</option>
  </select>
  <label for="text">What happened?</label><textarea id="text" name="text" rows="5"></textarea>
  <button id="send">Send</button>
</form>
"""
ATTRIBUTES = (
    'data-form="#refund" data-text="#text" data-reason="#reason" data-platform="pinecart" '
    'data-key="shop"'
)


@dataclass
class Shop:
    """A shop's site under a strict policy; `received` are the forms it was sent."""

    help: str
    port: int = 0
    lang: str = "en"
    attributes: str = ATTRIBUTES
    form: str = FORM
    style: str = ""
    html: str = ""
    nonce: str = ""
    """Allows the script in place of the help centre's address."""
    received: list[dict[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def policy(self) -> str:
        scripts = f"'nonce-{self.nonce}'" if self.nonce else self.help
        return (
            f"default-src 'none'; script-src {scripts}; connect-src {self.help}; "
            "style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def page(self) -> str:
        nonce = f'nonce="{self.nonce}"' if self.nonce else ""
        script = f'<script src="{self.help}/widget.js" {nonce} {self.attributes} async></script>'
        return (
            f'<!doctype html><html lang="{escape(self.lang)}" {self.html}><head>'
            '<meta charset="utf-8"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width">'
            f'<link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">{script}'
            f"</head><body><main><h1>Refund</h1>{self.form}</main></body></html>"
        )


@contextmanager
def shop(help_address: str) -> Iterator[Shop]:
    """A shop whose pages load the widget from `help_address`."""
    made = Shop(help_address)

    class Handler(_Quiet):
        def do_GET(self) -> None:
            if self.path == "/shop.css":
                reply(self, 200, "text/css", made.style)
            else:
                reply(
                    self, 200, "text/html; charset=utf-8", made.page(),
                    Content_Security_Policy=made.policy,
                )  # fmt: skip

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.received.append(dict(parse_qsl(body, keep_blank_values=True)))
            reply(self, 200, "text/html; charset=utf-8", "<title>Sent</title><p id=sent>Sent")

    with _served(Handler) as port:
        made.port = port
        yield made


def wait_until(condition: Callable[[], object], page: Any, seconds: float = 20) -> None:
    """Let a page run until something holds here."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        page.wait_for_timeout(20)


def write(page: Any, text: str = TEXTS["en"]) -> None:
    page.locator("#text").fill(text)


def suggested(page: Any) -> list[str]:
    """Titles of what is shown, once something is."""
    page.locator(".panel").wait_for()
    titles: list[str] = page.locator(".toggle span").all_text_contents()
    return titles


def send_and_check(page: Any, site: Shop) -> None:
    """Send the form, in which `write` wrote; the shop gets what it holds, once."""
    page.select_option("#reason", "R7")
    page.click("#send")
    page.locator("#sent").wait_for()
    expected = {"order": "WF-1", "reason": "R7", "text": TEXTS["en"]}
    assert site.received == [expected], site.received
