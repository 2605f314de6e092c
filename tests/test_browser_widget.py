"""The widget in a real browser, on a shop's page under a strict policy, from another origin."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from browser_support import axe_findings, chromium, pytestmark
from conftest import NOW
from widget_sites import (
    ANSWERS,
    FORM,
    JSON,
    TEXTS,
    HelpCentre,
    Shop,
    help_centre,
    reply,
    send_and_check,
    shop,
    suggested,
    wait_until,
    write,
)

__all__ = ["chromium", "pytestmark"]  # the browser and the rule when there is none

PAUSE = 700  # ms: longer than the widget waits, with an answer's way there and back


@pytest.fixture
def help_site() -> Iterator[HelpCentre]:
    with help_centre() as made:
        yield made


@pytest.fixture
def shop_site(help_site: HelpCentre) -> Iterator[Shop]:
    with shop(help_site.address) as made:
        yield made


@pytest.fixture
def visit(chromium: Any, shop_site: Shop) -> Iterator[Callable[..., Any]]:
    """Opens the shop's form as a new visitor; `heard` are the events its page gets."""
    contexts = []

    def open_form(*, width: int = 1000, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                page.complaints.append(message.text) if "Security Policy" in message.text else None
            ),
        )
        page.add_init_script(
            """window.heard = [];
            for (const name of "ready shown opened resolved closed error".split(" "))
              document.addEventListener(`kb:${name}`, (event) => heard.push(
                { name, detail: event.detail, form: event.target.id }));"""
        )
        page.goto(shop_site.address)
        wait_ready(page)
        return page

    yield open_form
    for context in contexts:
        context.close()


def heard(page: Any) -> list[str]:
    names: list[str] = page.evaluate("heard.map((each) => each.name)")
    return names


def wait_ready(page: Any, forms: int = 1) -> None:
    """Let the script arrive. Polls from here: the page's policy forbids the driver to."""
    wait_until(lambda: page.evaluate("window.kbWidget ? heard.length : 0") >= forms, page)


def stop_clock(page: Any) -> None:
    """From here on time passes when a test says so."""
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + timedelta(hours=1))


def panel_is_away(page: Any) -> bool:
    return not page.locator(".panel").is_visible()


# What customers see


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_what_is_written_brings_up_articles_in_the_language_of_the_page(
    visit: Any, shop_site: Shop, help_site: HelpCentre, lang: str
) -> None:
    shop_site.lang = {"en": "en-GB", "zh-Hans": "zh-CN"}[lang]
    page = visit()
    page.select_option("#reason", "R7")
    page.locator("#text").press_sequentially(TEXTS[lang], delay=5)
    assert suggested(page) == [item["title"] for item in ANSWERS[lang]]
    wait_until(lambda: help_site.questions[-1]["text"] == TEXTS[lang], page)
    asked = help_site.questions[-1]
    assert asked.pop("session").isalnum()
    assert asked == {
        "text": TEXTS[lang], "locale": lang, "reason": "damaged", "platform": "pinecart",
        "form": "shop", "limit": 3,
    }  # fmt: skip
    assert page.evaluate("document.activeElement.id") == "text"
    heading = {"en": "This may already answer it", "zh-Hans": "这些内容也许能帮到您"}[lang]
    assert page.get_by_role("region", name=heading).is_visible()
    assert page.complaints == []


def test_an_answer_opens_in_place_with_its_facts_and_a_way_to_the_article(
    visit: Any, help_site: HelpCentre
) -> None:
    page = visit()
    write(page)
    suggested(page)
    toggle = page.locator(".toggle").first
    assert toggle.get_attribute("aria-expanded") == "false"
    toggle.click()
    assert toggle.get_attribute("aria-expanded") == "true"
    facts = page.locator("li.open .facts > div").all_inner_texts()
    assert [fact.split("\n")[0] for fact in facts] == [
        "Time limit", "Return postage", "Refund", "Please have ready", "Conditions",
    ]  # fmt: skip
    assert "7 days from delivery" in facts[0]
    assert "Photos of the item, Photos of the packaging and label" in facts[3]
    link = page.locator("li.open .links a").first
    assert link.get_attribute("href") == f"{help_site.address}/en/problems/damaged-items#claim"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")
    assert "opens in a new tab" in link.text_content()
    assert page.url.startswith("http://127.0.0.1")
    assert page.locator("#text").input_value() == TEXTS["en"]


def test_a_customer_whose_problem_is_solved_may_stop_and_the_form_stays(
    visit: Any, help_site: HelpCentre
) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.locator(".toggle").first.click()
    page.get_by_role("group", name="Did this solve it?").get_by_role("button", name="Yes").click()
    page.get_by_role("group", name="Stop the request?").get_by_role("button").first.click()
    assert page.get_by_text("Nothing was sent.").first.is_visible()
    assert heard(page) == ["ready", "shown", "opened", "resolved"]
    detail = page.evaluate("heard.at(-1).detail")
    assert detail["id"] == "damaged-items"
    wait_until(lambda: len(help_site.events) == 4, page)
    assert sorted(help_site.kinds()) == ["helpful", "opened", "resolved", "shown"]
    assert page.locator("#text").input_value() == TEXTS["en"]
    page.get_by_role("button", name="Go on with the request").click()
    assert panel_is_away(page)
    page.click("#send")
    page.locator("#sent").wait_for()
    wait_until(lambda: help_site.kinds()[-1] == "submitted", page)


def test_the_page_decides_what_stopping_means(visit: Any) -> None:
    page = visit()
    page.evaluate(
        "document.querySelector('#refund').addEventListener('kb:resolved', "
        "(event) => { event.preventDefault(); window.stopped = event.detail.id; })"
    )
    write(page)
    suggested(page)
    page.locator(".toggle").first.click()
    page.locator(".choice button").first.click()
    page.locator(".choice button").first.click()
    assert page.evaluate("window.stopped") == "damaged-items"
    assert panel_is_away(page)


def test_no_and_then_the_request_goes_on(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.locator(".toggle").first.click()
    page.get_by_role("button", name="No", exact=True).click()
    assert page.get_by_text("Your request is still here to send.").is_visible()
    assert page.locator(".toggle").nth(1).is_visible()
    wait_until(lambda: "not_helpful" in help_site.kinds(), page)
    assert "resolved" not in heard(page)


def test_events_arrive_once_with_ids_of_their_own(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    page = visit()
    write(page)
    suggested(page)
    for _ in range(4):
        page.locator(".toggle").first.click()
    write(page, TEXTS["en"] + " and the box")  # the same articles once more
    wait_until(lambda: len(help_site.questions) == 2, page)
    page.wait_for_timeout(200)
    page.click("#send")
    page.locator("#sent").wait_for()
    wait_until(lambda: "submitted" in help_site.kinds(), page)
    assert sorted(help_site.kinds()) == ["opened", "shown", "submitted"]
    events = {event["type"]: event for event in help_site.events}
    assert len({event["id"] for event in help_site.events}) == 3
    assert {event["session"] for event in help_site.events} == {help_site.questions[0]["session"]}
    assert {event["form"] for event in help_site.events} == {"shop"}
    assert events["shown"]["suggestion_id"] == "suggestion-1"
    opened = events["opened"]
    assert (opened["article"], opened["position"], opened["suggestion_id"]) == (
        "damaged-items", 1, "suggestion-1",
    )  # fmt: skip


def test_an_article_is_opened_once_however_often_it_is_suggested(
    visit: Any, help_site: HelpCentre
) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.locator(".toggle").first.click()
    page.locator("#text").focus()
    help_site.answers = {"en": [*reversed(ANSWERS["en"])]}
    write(page, TEXTS["en"] + " and the box")
    wait_until(lambda: help_site.kinds().count("shown") == 2, page)
    assert page.locator("li.open .toggle").text_content() == "My item arrived damaged"
    page.locator("li.open .toggle").click()
    page.locator(".toggle", has_text="damaged").click()
    page.wait_for_timeout(100)
    assert sorted(help_site.kinds()) == ["opened", "shown", "shown"]
    assert heard(page) == ["ready", "shown", "opened", "shown"]


def test_a_session_lasts_until_the_form_is_sent(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.reload()
    wait_ready(page)
    write(page)
    suggested(page)
    page.click("#send")
    page.locator("#sent").wait_for()
    page.go_back()
    page.reload()
    wait_ready(page)
    write(page, TEXTS["en"] + "!")
    suggested(page)
    first, second, third = [question["session"] for question in help_site.questions]
    assert first == second != third


def test_without_storage_a_session_lives_as_long_as_the_page(
    visit: Any, help_site: HelpCentre
) -> None:
    page = visit()
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('no') } })"
    )
    page.reload()
    wait_ready(page)
    write(page)
    suggested(page)
    page.click("#send")
    page.locator("#sent").wait_for()
    wait_until(lambda: "submitted" in help_site.kinds(), page)
    assert {event["session"] for event in help_site.events} == {help_site.questions[0]["session"]}


def test_below_the_edge_of_the_screen_nothing_was_shown(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    shop_site.form = FORM + '<p class="far"></p><div id="there"></div>'
    shop_site.style = ".far { height: 3000px }"
    shop_site.attributes += ' data-target="#there"'
    page = visit()
    write(page)
    suggested(page)
    page.wait_for_timeout(200)
    assert help_site.kinds() == []
    page.locator("#there").scroll_into_view_if_needed()
    wait_until(lambda: help_site.kinds() == ["shown"], page)


def test_a_nonce_allows_the_script_as_well(visit: Any, shop_site: Shop) -> None:
    shop_site.nonce = "r4nd0m"
    page = visit()
    write(page)
    assert len(suggested(page)) == 2
    assert colour(page, ".panel", "borderTopStyle") == "solid"
    assert page.complaints == []


# When it asks


def test_it_asks_once_the_typing_pauses(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    stop_clock(page)
    for text in ("one two three", "one two three four", "one two three four five"):
        write(page, text)
        page.clock.run_for(290)
    assert help_site.questions == []
    page.clock.run_for(20)
    wait_until(lambda: help_site.questions, page)
    assert [asked["text"] for asked in help_site.questions] == ["one two three four five"]


@pytest.mark.parametrize(
    "text", ["", "  ", "two words", "12345 67890 12 99", "退款多久啊", "!!! ??? …"]
)
def test_too_little_is_not_asked(visit: Any, help_site: HelpCentre, text: str) -> None:
    page = visit()
    write(page, text)
    page.wait_for_timeout(PAUSE)
    assert help_site.questions == []


@pytest.mark.parametrize("text", ["where is my", "退款多久到账", "refund 退款多久"])
def test_enough_is_asked(visit: Any, help_site: HelpCentre, text: str) -> None:
    page = visit()
    write(page, text)
    wait_until(lambda: help_site.questions, page)


def test_of_a_very_long_text_the_beginning_is_asked(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page, "\N{THINKING FACE}" * 50_000)
    page.wait_for_timeout(PAUSE)
    assert help_site.questions == []
    write(page, "word \N{THINKING FACE}" * 20_000)
    wait_until(lambda: help_site.questions, page)
    text = help_site.questions[0]["text"]
    assert 4000 < len(text) <= 5000
    assert text.encode()  # no half characters


def test_what_is_being_composed_is_not_asked(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    page.focus("#text")
    devtools = page.context.new_cdp_session(page)
    for typed in ("t", "tui", "tui kuan", "tui kuan duo jiu dao zhang"):
        devtools.send(
            "Input.imeSetComposition",
            {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)},
        )
    page.wait_for_timeout(PAUSE)
    assert page.locator("#text").input_value() == "tui kuan duo jiu dao zhang"
    assert help_site.questions == []
    devtools.send("Input.insertText", {"text": "退款多久到账"})
    wait_until(lambda: help_site.questions, page)
    assert [asked["text"] for asked in help_site.questions] == ["退款多久到账"]


def test_a_composition_stops_what_was_about_to_be_asked(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    stop_clock(page)
    write(page, "退款多久到账呢")
    page.focus("#text")
    page.context.new_cdp_session(page).send(
        "Input.imeSetComposition", {"text": "qing", "selectionStart": 4, "selectionEnd": 4}
    )
    page.clock.run_for(2000)
    page.wait_for_timeout(200)
    assert help_site.questions == []


def test_an_outdated_answer_is_cancelled_and_never_shown(visit: Any, help_site: HelpCentre) -> None:
    shown = threading.Event()

    def slow_at_first(request: BaseHTTPRequestHandler, question: dict[str, Any]) -> None:
        answer = help_site.answer(question)
        if "old" in question["text"]:
            shown.wait(20)
            answer["suggestions"] = [{**ANSWERS["en"][0], "id": "old", "title": "OLD"}]
        with contextlib.suppress(OSError):  # nobody listens any more
            reply(request, 200, JSON, json.dumps(answer))

    help_site.behave = slow_at_first
    page = visit()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.post_data_json["text"]))
    write(page, "this is an old text")
    wait_until(lambda: help_site.questions, page)
    write(page)
    assert "OLD" not in suggested(page)
    shown.set()
    page.wait_for_timeout(300)
    assert "OLD" not in suggested(page)
    assert failed == ["this is an old text"]
    assert "error" not in heard(page)


def test_nothing_known_is_said_by_saying_nothing(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page)
    suggested(page)
    write(page, "there is nothing about this at all")
    page.locator(".panel").wait_for(state="hidden")
    assert heard(page) == ["ready", "shown"]
    assert page.locator("[role=status]").text_content() == ""


def test_what_is_being_read_is_not_taken_away(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.locator(".toggle").first.click()
    write(page, "there is nothing about this at all")
    wait_until(lambda: len(help_site.questions) == 2, page)
    page.wait_for_timeout(200)
    assert page.locator("li.open .facts").is_visible()


def test_a_chosen_reason_asks_again(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    write(page)
    suggested(page)
    page.select_option("#reason", "late")
    wait_until(lambda: len(help_site.questions) == 2, page)
    assert "reason" not in help_site.questions[0]
    assert help_site.questions[1]["reason"] == "late"
    page.evaluate("kbWidget.setReason('not-received')")
    wait_until(lambda: len(help_site.questions) == 3, page)
    assert help_site.questions[2]["reason"] == "not-received"


def test_without_a_text_field_the_words_of_the_reason_are_asked(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    shop_site.form = """<form id="refund"><fieldset id="reasons"><legend>Why?</legend>
      <label><input type="radio" name="reason" value="late"> It is late</label>
      <label><input type="radio" name="reason" value="damaged" id="broken"> Broken</label>
      </fieldset><div id="here"></div></form>"""
    shop_site.attributes = (
        'data-form="#refund" data-reason="#reasons" data-target="#here" data-key="request"'
    )
    page = visit()
    page.check("#broken")
    suggested(page)
    assert [(asked["text"], asked["reason"]) for asked in help_site.questions] == [
        ("Broken", "damaged")
    ]


# Keyboard and screen readers


def test_everything_is_reached_by_keyboard_and_focus_is_never_lost(visit: Any) -> None:
    page = visit()
    page.focus("#text")
    page.keyboard.type(TEXTS["en"])
    suggested(page)
    assert page.evaluate("document.activeElement.id") == "text"
    focused = "document.querySelector('kb-suggestions').shadowRoot.activeElement?.textContent"
    page.keyboard.press("Tab")  # to the close button
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "My item arrived damaged"
    page.keyboard.press("Enter")
    for _ in range(3):  # two links, then the first answer
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Yes"
    page.keyboard.press("Space")
    assert page.evaluate(focused) == "Stop the request?"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "Good that this is settled"
    page.keyboard.press("Escape")
    assert panel_is_away(page)
    assert page.evaluate("document.activeElement.id") == "text"
    assert heard(page)[-2:] == ["resolved", "closed"]


def test_escape_closes_and_what_was_closed_stays_closed(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    page.focus("#text")
    page.keyboard.type(TEXTS["en"])
    suggested(page)
    page.keyboard.press("Escape")
    assert panel_is_away(page)
    assert page.evaluate("document.activeElement.id") == "text"
    assert page.locator("[role=status]").text_content() == "Suggestions hidden."
    page.keyboard.type(" again")
    wait_until(lambda: len(help_site.questions) == 2, page)
    page.wait_for_timeout(200)
    assert panel_is_away(page)
    assert heard(page) == ["ready", "shown", "closed"]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("en", "2 articles may answer this."), ("zh-Hans", "找到 1 篇可能有用的文章。")],
)
def test_screen_readers_are_told_politely_and_once(
    visit: Any, shop_site: Shop, help_site: HelpCentre, lang: str, expected: str
) -> None:
    shop_site.lang = lang
    page = visit()
    live = page.locator("[role=status]")
    assert live.get_attribute("aria-live") == "polite"
    assert live.text_content() == ""  # it is there before it speaks
    page.evaluate(
        """() => {
          window.spoken = [];
          const { shadowRoot } = document.querySelector("kb-suggestions");
          const live = shadowRoot.querySelector("[role=status]");
          const noted = new MutationObserver(() => spoken.push(live.textContent));
          noted.observe(live, { childList: true });
        }"""
    )
    write(page, TEXTS[lang])
    suggested(page)
    write(page, TEXTS[lang] * 2)
    wait_until(lambda: len(help_site.questions) == 2, page)
    page.wait_for_timeout(200)
    assert page.evaluate("spoken") == [expected]


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh-Hans", "dark")])
def test_the_panel_is_clean_to_axe_and_fits_a_finger(
    visit: Any, shop_site: Shop, lang: str, theme: str
) -> None:
    shop_site.lang = lang
    shop_site.style = ":root { color-scheme: light dark; background: Canvas } body { margin: 8px }"
    shop_site.form = FORM.replace('id="send"', 'id="send" class="send"')
    page = visit(width=320, color_scheme=theme, bypass_csp=True)
    write(page, TEXTS[lang])
    suggested(page)

    def check() -> None:
        # What is wrong with the shop is not the widget's.
        assert axe_findings(page, within="kb-suggestions") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        small = page.locator("kb-suggestions :is(button, a):visible").evaluate_all(
            "all => all.filter(each => each.getBoundingClientRect().height < 43.5).length"
        )
        assert small == 0

    check()
    page.locator(".toggle").first.click()
    check()
    page.locator(".choice button").first.click()
    check()
    page.locator(".choice button").first.click()
    check()


# Looks


def colour(page: Any, selector: str, name: str) -> str:
    found: str = page.locator(selector).first.evaluate(
        "(node, name) => getComputedStyle(node)[name]", name
    )
    return found


def test_a_page_sets_colours_by_variables_and_nothing_else_gets_in(
    visit: Any, shop_site: Shop
) -> None:
    shop_site.style = (
        ":root { --kb-accent: rgb(1 2 3); --kb-paper: rgb(250 251 252); --kb-radius: 7px }"
        "* { text-transform: uppercase } button, p, li { background: red !important; color: red }"
    )
    page = visit()
    write(page)
    suggested(page)
    assert colour(page, ".toggle", "color") == "rgb(1, 2, 3)"
    assert colour(page, ".panel", "backgroundColor") == "rgb(250, 251, 252)"
    assert colour(page, ".panel", "borderTopLeftRadius") == "7px"
    assert colour(page, ".toggle", "backgroundColor") == "rgba(0, 0, 0, 0)"
    assert colour(page, ".toggle", "textTransform") == "none"


@pytest.mark.parametrize(
    ("scheme", "attribute", "expected"),
    [
        ("normal", "", "rgb(255, 255, 255)"),  # a page that knows no dark stays light
        ("light dark", "", "rgb(22, 28, 25)"),
        ("light dark", 'data-theme="light"', "rgb(255, 255, 255)"),
        ("normal", 'data-theme="dark"', "rgb(22, 28, 25)"),
    ],
)
def test_dark_follows_the_page_and_not_the_system(
    visit: Any, shop_site: Shop, scheme: str, attribute: str, expected: str
) -> None:
    shop_site.style = f":root {{ color-scheme: {scheme} }}"
    shop_site.attributes += f" {attribute}"
    page = visit(color_scheme="dark")
    write(page)
    suggested(page)
    assert colour(page, ".panel", "backgroundColor") == expected


def test_right_to_left_pages_get_a_mirrored_panel(visit: Any, shop_site: Shop) -> None:
    shop_site.html = 'dir="rtl"'
    page = visit()
    write(page)
    suggested(page)
    panel, close, title = (
        page.locator(selector).first.bounding_box() for selector in (".panel", ".close", ".title")
    )
    assert close["x"] < panel["x"] + 10
    assert title["x"] + title["width"] > panel["x"] + panel["width"] - 30


def test_until_there_is_something_to_show_the_page_looks_as_without(
    visit: Any, shop_site: Shop
) -> None:
    shop_site.style = "form { display: grid; gap: 40px }"
    page = visit()
    with_widget = page.locator("#send").bounding_box()
    page.evaluate("kbWidget.destroy()")
    assert page.locator("kb-suggestions").count() == 0
    assert page.locator("#send").bounding_box() == with_widget


# It never blocks the form

_LONG = 12  # seconds, much more than the widget waits


def closed(request: BaseHTTPRequestHandler, _question: dict[str, Any]) -> None:
    request.close_connection = True
    request.wfile.close()


def hanging(request: BaseHTTPRequestHandler, _question: dict[str, Any]) -> None:
    time.sleep(_LONG)


def half(request: BaseHTTPRequestHandler, _question: dict[str, Any]) -> None:
    request.send_response(200)
    request.send_header("Content-Type", JSON)
    request.send_header("Content-Length", "1000")
    request.send_header("Access-Control-Allow-Origin", "*")
    request.end_headers()
    request.wfile.write(b'{"suggestions": [')
    request.wfile.flush()
    time.sleep(_LONG)


def answering(status: int, kind: str, text: str, **more: str) -> Callable[..., None]:
    def behave(request: BaseHTTPRequestHandler, _question: dict[str, Any]) -> None:
        reply(request, status, kind, text, **more)

    return behave


MISBEHAVIOUR: dict[str, tuple[Callable[..., None], str]] = {
    "closed": (closed, "network"),
    "hanging": (hanging, "timeout"),
    "half an answer": (half, "timeout"),
    "500": (answering(500, JSON, '{"title": "broken"}'), "status"),
    "503": (answering(503, "text/html", "<h1>Maintenance</h1>"), "status"),
    "403": (answering(403, JSON, "{}"), "status"),
    "429": (answering(429, JSON, "{}", Retry_After="7"), "status"),
    "HTML": (answering(200, "text/html", "<h1>Welcome</h1>"), "answer"),
    "no list": (answering(200, JSON, '{"suggestions": {"a": 1}}'), "answer"),
    "null": (answering(200, JSON, "null"), "answer"),
    "empty": (answering(200, JSON, ""), "answer"),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_whatever_the_help_centre_does_the_form_is_sent(
    visit: Any, help_site: HelpCentre, shop_site: Shop, name: str
) -> None:
    behave, kind = MISBEHAVIOUR[name]
    page = visit()
    write(page)
    suggested(page)
    help_site.behave = behave
    write(page, TEXTS["en"] + " and more")
    wait_until(lambda: "error" in heard(page), page)
    assert page.evaluate("heard.find((each) => each.name === 'error').detail.kind") == kind
    assert panel_is_away(page)
    write(page)
    send_and_check(page, shop_site)
    assert page.complaints == []


@pytest.mark.parametrize("name", ["hanging", "closed"])
def test_a_form_is_sent_while_an_answer_is_waited_for(
    visit: Any, help_site: HelpCentre, shop_site: Shop, name: str
) -> None:
    help_site.behave = MISBEHAVIOUR[name][0]
    page = visit()
    write(page)
    wait_until(lambda: help_site.questions, page)
    began = time.monotonic()
    send_and_check(page, shop_site)
    assert time.monotonic() - began < _LONG / 2


RUBBISH: list[Any] = [
    None, 7, "text", [], {}, {"id": 1, "title": "x"}, {"id": "a", "title": ""},
    {"id": "b", "title": "<img src=x onerror=alert(1)>", "url": "javascript:alert(1)",
     "excerpt": ["<b>"], "policy": {"window": 3, "evidence": "x", "section_url": "data:text/html"}},
    {"id": "c", "title": "Fine", "url": "http://[", "policy": "none"},
]  # fmt: skip


def test_of_a_strange_answer_only_what_is_sound_is_shown_and_as_text(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    help_site.behave = answering(200, JSON, json.dumps({"suggestions": RUBBISH}))
    page = visit()
    write(page)
    assert suggested(page) == ["<img src=x onerror=alert(1)>", "Fine"]
    for toggle in page.locator(".toggle").all():
        toggle.click()
    assert page.locator("kb-suggestions a, kb-suggestions img, kb-suggestions dl").count() == 0
    assert page.complaints == []
    send_and_check(page, shop_site)


def test_a_held_out_session_is_shown_nothing_and_says_when_it_is_sent(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    answer = {"suggestion_id": "x", "suggestions": ANSWERS["en"], "held_out": True}
    help_site.behave = answering(200, JSON, json.dumps(answer))
    page = visit()
    write(page)
    page.wait_for_timeout(PAUSE)
    assert panel_is_away(page)
    send_and_check(page, shop_site)
    wait_until(lambda: help_site.kinds() == ["submitted"], page)


def test_a_server_in_trouble_is_left_alone(visit: Any, help_site: HelpCentre) -> None:
    help_site.behave = MISBEHAVIOUR["429"][0]
    page = visit()
    for turn in range(3):
        write(page, f"{TEXTS['en']} {turn} times")
        page.wait_for_timeout(450)
    assert len(help_site.questions) == 1


def test_an_exception_inside_reaches_nobody(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    page = visit()
    page.evaluate("() => { Element.prototype.append = () => { throw new Error('broken') } }")
    write(page)
    wait_until(lambda: "error" in heard(page), page)
    assert page.evaluate("heard.at(-1).detail") == {
        "kind": "script", "status": None, "message": "broken",
    }  # fmt: skip
    page.evaluate("() => { window.fetch = () => { throw new Error('patched') } }")
    write(page, TEXTS["en"] + " again")
    wait_until(lambda: heard(page).count("error") == 2, page)
    write(page)
    send_and_check(page, shop_site)
    assert page.complaints == []


def test_a_form_without_the_script_is_a_form(
    chromium: Any, shop_site: Shop, help_site: HelpCentre
) -> None:
    page = chromium.new_page(java_script_enabled=False)
    page.goto(shop_site.address)
    page.fill("#text", TEXTS["en"])
    send_and_check(page, shop_site)
    assert help_site.questions == help_site.events == []
    page.close()


# What pages can do


def test_several_forms_on_a_page_do_not_mix(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    shop_site.attributes += ' data-session="given-session-1"'  # the first form's alone
    shop_site.form = FORM + (
        f'<form id="second" lang="zh"><textarea id="more" aria-label="More"></textarea></form>'
        f'<script src="{help_site.address}/widget.js" data-form="#second" data-text="#more"'
        ' data-key="other"></script>'
    )
    page = visit()
    wait_ready(page, forms=2)
    write(page)
    page.locator("#refund .panel").wait_for()
    page.fill("#more", TEXTS["zh-Hans"])
    page.locator("#second .panel").wait_for()
    first, second = help_site.questions
    assert (first["form"], first["locale"]) == ("shop", "en")
    assert (second["form"], second["locale"]) == ("other", "zh-Hans")
    assert first["session"] != second["session"]
    assert page.locator("#refund .toggle").count() == 2
    page.evaluate("kbWidget.close('#second')")
    assert not page.locator("#second .panel").is_visible()
    assert page.locator("#refund .panel").is_visible()


def test_functions_search_label_and_close(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    page.evaluate("kbWidget.setLabels({ title: 'Perhaps this?', unknown: 'x' })")
    found = page.evaluate("kbWidget.search('short')")
    assert [one["id"] for one in found] == ["damaged-items", "refund-timing"]
    assert page.get_by_role("region", name="Perhaps this?").is_visible()
    page.evaluate("kbWidget.close()")
    assert panel_is_away(page)
    help_site.behave = MISBEHAVIOUR["500"][0]
    assert page.evaluate("kbWidget.search('another short one')") == []
    assert page.evaluate("kbWidget.search('')") == []


def test_a_page_may_name_the_session_and_keep_it_in_a_field(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    shop_site.attributes += ' data-session="given-session-1" data-session-field="kb_session"'
    page = visit()
    write(page)
    suggested(page)
    page.click("#send")
    page.locator("#sent").wait_for()
    assert help_site.questions[0]["session"] == "given-session-1"
    assert shop_site.received[0]["kb_session"] == "given-session-1"


def test_steps_of_a_longer_form_are_not_its_sending(
    visit: Any, help_site: HelpCentre, shop_site: Shop
) -> None:
    shop_site.attributes += ' data-submit="ignore"'
    page = visit()
    write(page)
    suggested(page)
    page.click("#send")
    page.locator("#sent").wait_for()
    page.wait_for_timeout(200)
    assert "submitted" not in help_site.kinds()


def test_a_form_that_comes_later_is_mounted_by_hand(visit: Any, help_site: HelpCentre) -> None:
    page = visit()
    page.evaluate(
        """() => {
          const form = document.createElement("form");
          form.append(document.createElement("textarea"));
          document.body.append(form);
          kbWidget.mount({ form, text: "textarea", key: "late", locale: "zh-CN" });
        }"""
    )
    page.locator("textarea").nth(1).fill(TEXTS["zh-Hans"])
    wait_until(lambda: help_site.questions, page)
    assert (help_site.questions[0]["form"], help_site.questions[0]["locale"]) == ("late", "zh-Hans")
