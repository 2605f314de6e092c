"""The customer pages: what they show, what they log, and that nothing is a dead end."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from conftest import NOW, TODAY, ArticleWriter
from fakes import HashingEmbedder
from indexer.build import build_and_publish
from indexer.check import PAGES as CHECKED_PAGES
from portal.app import create_app
from portal.config import Settings
from portal.events import SafeEventStore
from portal.services import SearchLibrary, Services, open_services
from search.types import Answer, Filters, Response, Result, Span

PATHS = {
    "home": "/{}/",
    "empty search": "/{}/search",
    "search": "/{}/search?q=refund",
    "section": "/{}/refunds/",
    "article": "/{}/refunds/refund-timing",
    "hand-over": "/{}/still-stuck",
}


class ScriptedLibrary:
    """The real articles, with answers decided by the test."""

    def __init__(self, inner: SearchLibrary, *, answered: bool, articles: list[tuple[str, str]]):
        self._inner = inner
        self._answered = answered
        self._articles = articles
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def search(self, query: str, *, locale: str | None, **_options: object) -> Response:
        self.asked.append(query)
        found = self._inner.search("refund", locale=locale, filters=Filters(), limit=1)
        passage = found.results[0].passage
        results = []
        for key, article_id in self._articles:
            article = self._inner.catalogue.get(key, article_id)
            assert article is not None
            snippet = (Span("money "), Span("<back>", hit=True))
            results.append(Result(article, passage, 1.0, snippet, key != locale))
        answer = None
        if self._answered:
            first = results[0].article
            policy = first.policy[0] if first.policy else None
            answer = Answer("Thirty days.", first, "deadline", "The deadline", policy)
        return Response(
            query, locale or "en", tuple(results), answer, 0.9, self._answered, found.trace, "g"
        )


Script = Callable[..., FlaskClient]


@pytest.fixture
def scripted(settings: Settings, services: Services) -> Script:
    """A client whose searches find what the test says."""

    def make(*articles: tuple[str, str], answered: bool = False, **changes: object) -> FlaskClient:
        library = ScriptedLibrary(services.library, answered=answered, articles=list(articles))
        made = dataclasses.replace(services, library=library, **changes)  # type: ignore[arg-type]
        app = create_app(made.settings, made)
        app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (test)"
        return client

    return make


@pytest.fixture
def small(
    articles: Path, write_article: ArticleWriter, settings: Settings, tmp_path: Path
) -> Flask:
    """A portal over a few articles of the test's own: one moved, one withdrawn."""
    write_article("refund-timing", redirect_from="[/en/refunds/old-timing]")
    write_article("store-credit", status="archived", redirect_from="[/en/refunds/credit]")
    embedder = HashingEmbedder()
    build_and_publish(articles, tmp_path / "small", embedder, today=TODAY)
    own = settings.model_copy(update={"data": tmp_path / "small", "articles": articles})
    app = create_app(own, open_services(own, clock=lambda: NOW, embedder=embedder))
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app


def page(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def words(text: str) -> str:
    body = page(text).body
    return " ".join(body.text(separator=" ").split()) if body else ""


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
@pytest.mark.parametrize("name", PATHS)
def test_every_page_names_its_language_and_has_one_heading(
    client: FlaskClient, locale: str, name: str
) -> None:
    answer = client.get(PATHS[name].format(locale))
    assert answer.status_code == 200
    html = page(answer.text)
    assert html.css_first("html").attributes["lang"] == locale
    assert len(html.css("h1")) == 1
    assert html.css_first("a.skip-link").attributes["href"] == "#main"
    ids = [node.attributes["id"] for node in html.css("[id]")]
    assert len(ids) == len(set(ids)), "an id stands twice"


def test_home_asks_real_questions_and_counts_articles(
    client: FlaskClient, services: Services
) -> None:
    html = page(client.get("/en/").text)
    asked = [link.text() for link in html.css(".examples a")]
    real = {q for article in services.library.catalogue for q in article.questions}
    assert 1 <= len(asked) <= 4
    assert set(asked) <= real
    assert re.fullmatch(r"\d+ articles?", html.css_first(".topic-count").text().strip())
    assert "Good places to start" in words(html.html or "")


def test_home_shows_what_visitors_read_once_there_is_data(app: Flask, services: Services) -> None:
    for article in ("refund-timing", "refund-methods", "refund-statuses"):
        client = app.test_client()
        client.get(f"/en/refunds/{article}", headers={"User-Agent": "Mozilla/5.0"})
    text = words(app.test_client().get("/en/").text)
    assert "Read most in the last 30 days" in text
    assert services.events.popular("en", NOW - timedelta(days=1), 5)


def test_an_answer_stands_with_its_source_date_and_policy(scripted: Script) -> None:
    client = scripted(("en", "return-window"), ("en", "late-return"), answered=True)
    html = page(client.get("/en/search?q=how+long").text)
    card = html.css_first(".answer")
    assert card.css_first(".answer-text").text() == "Thirty days."
    source = card.css_first(".answer-source a")
    assert source.attributes["href"].startswith("/en/returns/return-window?")
    assert source.attributes["href"].endswith("#deadline")
    assert "Verified on" in card.text()
    assert card.css(".facts dt")
    assert [b.attributes["value"] for b in card.css("button[name=helpful]")] == ["yes", "no"]
    listed = [link.text() for link in html.css(".result-title a")]
    assert len(listed) == 1, "the article of the answer is not repeated"


def test_not_sure_is_a_state_that_leads_on(scripted: Script) -> None:
    client = scripted(("en", "return-window"))
    html = page(client.get("/en/search?q=bitcoin+refund").text)
    assert html.css_first(".answer") is None
    text = words(html.html or "")
    assert "We are not sure which answer fits" in text
    assert "Related articles" in text
    links = [link.attributes["href"] for link in html.css(".unsure a")]
    assert "/en/still-stuck?q=bitcoin+refund" in links
    assert "/zh-Hans/search?q=bitcoin+refund" in links


def test_nothing_found_offers_topics_and_a_person(scripted: Script) -> None:
    text = scripted().get("/en/search?q=xqzzv").text
    assert "Nothing here matches “xqzzv”" in words(text)
    assert page(text).css(".inline-links a")
    assert page(text).css_first('.unsure a[href^="/en/still-stuck"]')


def test_snippets_mark_hits_and_escape_the_rest(scripted: Script) -> None:
    text = scripted(("en", "return-window")).get("/en/search?q=x").text
    assert "money <mark>&lt;back&gt;</mark>" in text


def test_an_article_without_translation_is_labelled_so(scripted: Script) -> None:
    client = scripted(("zh-Hans", "shipping-insurance"), ("zh-Hans", "refund-timing"))
    html = page(client.get("/en/search?q=insurance").text)
    assert [tag.text() for tag in html.css(".result .tag")] == ["In Chinese only", "Chinese"]
    assert html.css_first(".result-title a").attributes["lang"] == "zh-Hans"


def test_a_long_question_is_cut_and_said_so(scripted: Script) -> None:
    client = scripted(("en", "return-window"))
    assert "longer than 500 characters" in words(client.get("/en/search?q=" + "a" * 501).text)
    assert "longer than 500 characters" not in words(client.get("/en/search?q=" + "a" * 500).text)


def test_filters_and_pages_are_links(client: FlaskClient) -> None:
    first = page(client.get("/en/search?q=refund&section=refunds&platform=nowhere").text)
    sections = {node.text() for node in first.css(".result-meta span")}
    assert sections == {"Refunds"}
    following = first.css_first('a[rel="next"]').attributes["href"]
    assert "section=refunds" in following
    assert "platform" not in following
    second = page(client.get(following).text)
    assert second.css_first("ol.result-list").attributes["start"] == "7"
    assert client.get("/en/search?q=refund&page=999999999999").status_code in (200, 404)


def test_a_search_is_logged_once_and_its_clicks_belong_to_it(
    client: FlaskClient, services: Services
) -> None:
    html = page(client.get("/en/search?q=refund").text)
    following = html.css_first('a[rel="next"]').attributes["href"]
    client.get(following)
    result = html.css_first(".result-title a").attributes["href"]
    assert re.search(r"[?&]n=\d", result)
    client.get(result)
    counts = services.events.counts()
    assert (counts.searches, counts.views, counts.clicks) == (1, 1, 1)


def test_an_invented_search_id_is_not_believed(client: FlaskClient, services: Services) -> None:
    client.get("/en/refunds/refund-timing?s=x%27&n=-4")
    assert services.events.counts().clicks == 0
    client.get("/en/refunds/refund-methods?via=typed")
    assert services.events.counts().views == 1, "the beacon counts what was opened while typing"


def test_an_article_has_contents_policy_anchors_and_labelled_tables(client: FlaskClient) -> None:
    html = page(client.get("/en/refunds/refund-timing").text)
    contents = [link.attributes["href"] for link in html.css(".contents-side a")]
    headings = [f"#{node.attributes['id']}" for node in html.css(".prose h2")]
    assert contents == headings
    assert headings
    assert html.css(".policy .facts dt")
    for box in html.css(".prose .table-scroll"):
        assert box.attributes["tabindex"] == "0"
        assert box.attributes["aria-label"].startswith("Table: ")
    assert [a.attributes["href"] for a in html.css(".prose .anchor")][: len(headings)]


def test_an_article_tells_search_engines_what_it_is(client: FlaskClient) -> None:
    html = page(client.get("/en/refunds/refund-timing").text)
    data = json.loads(html.css_first('script[type="application/ld+json"]').text())
    assert [part["@type"] for part in data["@graph"]] == ["Article", "FAQPage", "BreadcrumbList"]
    alternates = {
        link.attributes["hreflang"]: link.attributes["href"]
        for link in html.css('link[rel="alternate"][hreflang]')
    }
    assert alternates["zh-Hans"].endswith("/zh-Hans/refunds/refund-timing")


def test_old_addresses_move_and_withdrawn_ones_are_gone(small: Flask) -> None:
    client = small.test_client()
    moved = client.get("/en/refunds/old-timing")
    assert (moved.status_code, moved.location) == (301, "/en/refunds/refund-timing")
    for path in ("/en/refunds/store-credit", "/en/refunds/credit"):
        answer = client.get(path)
        assert answer.status_code == 410
        assert "withdrawn" in words(answer.text)


def test_a_wrong_address_is_searched_for(client: FlaskClient) -> None:
    answer = client.get("/en/refunds/refund-time.html")
    assert answer.status_code == 404
    html = page(answer.text)
    assert html.css_first(".search-input").attributes["value"] == "refunds refund time"
    assert html.css(".link-list a")
    assert client.get("/en/no-such-section/").status_code == 404
    assert page(client.get("/zh-Hans/x/y/z").text).css_first("html").attributes["lang"] == "zh-Hans"


def test_a_vote_takes_two_steps_without_script(client: FlaskClient, services: Services) -> None:
    form = {"article": "en:refund-timing", "helpful": "no"}
    first = client.post("/en/vote", data=form)
    assert first.status_code == 303
    assert first.location == "/en/refunds/refund-timing?voted=no#vote"
    html = page(client.get(first.location).text)
    assert "hidden" not in html.css_first(".vote-why").attributes
    second = client.post("/en/vote", data={**form, "reason": "outdated", "comment": "old"})
    assert second.location.endswith("voted=done#vote")
    votes = services.events.votes("refund-timing")
    assert (votes.helpful, votes.unhelpful) == (0, 1)
    assert services.events.counts().views == 0, "coming back from a vote is not reading again"


def test_a_vote_by_script_answers_in_json(client: FlaskClient) -> None:
    answer = client.post(
        "/en/vote",
        data={"article": "zh-Hans:shipping-insurance", "helpful": "yes"},
        headers={"Accept": "application/json"},
    )
    assert answer.json == {"helpful": True}
    assert client.post("/en/vote", data={"article": "en:nope", "helpful": "yes"}).status_code == 400
    bad = {"article": "en:refund-timing", "helpful": "maybe"}
    assert client.post("/en/vote", data=bad).status_code == 400


def test_judging_an_answer_comes_back_to_the_search(scripted: Script) -> None:
    client = scripted(("en", "return-window"), answered=True)
    form = {"article": "en:return-window", "q": "how long", "s": "a" * 32, "helpful": "no"}
    answer = client.post("/en/vote", data=form)
    assert answer.location.startswith("/en/search?q=how+long")
    text = words(client.get(answer.location).text)
    assert "Noted: that was not what you meant" in text
    assert "Thirty days." not in text


def hand_over(client: FlaskClient, **changes: str) -> str:
    data = {
        "q": "kettle",
        "message": "My kettle broke, write to anna@example.com",
        "read": "en:refund-timing",
        **changes,
    }
    answer = client.post("/en/still-stuck", data=data)
    assert answer.status_code == 303, answer.text
    return client.get(answer.location).text


def test_a_hand_over_carries_what_was_asked_and_read(
    client: FlaskClient, services: Services
) -> None:
    client.get("/en/refunds/refund-timing")
    form = page(client.get("/en/still-stuck?q=kettle&article=refund-methods").text)
    assert form.css_first("textarea").text() == "kettle"
    offered = [box.attributes["value"] for box in form.css("input[name=read]")]
    assert offered == ["en:refund-methods", "en:refund-timing"]
    assert form.css_first("input[name=mail]") is None, "nothing could answer to an address"
    text = words(hand_over(client))
    reference = re.search(r"HO-[2-9A-Z]{4}-[2-9A-Z]{4}", text)
    assert reference is not None
    (stored,) = services.events.handovers(NOW - timedelta(days=1))
    assert stored.reference == reference[0]
    assert stored.articles == ("refund-timing",)
    assert "anna@example.com" not in stored.message
    assert not stored.delivered


def test_what_was_sent_is_shown_as_the_team_gets_it(client: FlaskClient) -> None:
    message = "WF-204-118-552 broke, write to anna@example.com. Refund me. " + "Really now! " * 20
    shown = page(hand_over(client, message=message)).css_first(".typed-text").text()
    assert shown.startswith("[order] broke, write to [email]. Refund me. Really")
    assert re.search(r"(?:Really|now!)…", shown)
    assert "The whole text was sent." in shown
    assert "whole text" not in hand_over(client, message="Short. " * 5)
    assert "退" * 150 + "…" in hand_over(client, message="退" * 400)


def test_an_empty_message_is_asked_for_and_nothing_is_lost(client: FlaskClient) -> None:
    answer = client.post(
        "/en/still-stuck", data={"q": "k", "message": " ", "offered": "en:refund-timing"}
    )
    assert answer.status_code == 422
    html = page(answer.text)
    assert html.css_first(".error-summary a").attributes["href"] == "#field-message"
    assert html.css_first("textarea").attributes["aria-invalid"] == "true"
    assert html.css_first("title").text().startswith("Error:")
    assert html.css("input[name=read]")
    long = client.post("/en/still-stuck", data={"message": "x" * 4001})
    assert "Shorten your message to 4000 characters" in words(long.text)


class BrokenStore:
    def record_handover(self, _event: object) -> None:
        raise OSError("disk full")

    def __getattr__(self, name: str) -> object:
        return lambda *_args, **_kwargs: []


def test_a_hand_over_that_cannot_be_stored_keeps_the_text(
    settings: Settings, scripted: Script
) -> None:
    own = settings.model_copy(update={"contact_url": "https://shop.example/contact?a=1"})
    events = SafeEventStore(BrokenStore(), lambda *_: None)  # type: ignore[arg-type]
    answer = scripted(settings=own, events=events).post("/en/still-stuck", data={"message": "Help"})
    assert answer.status_code == 503
    html = page(answer.text)
    assert html.css_first("textarea").text() == "Help"
    assert "was not sent" in html.css_first(".error-summary").text()
    contact = html.css_first(".error-summary a").attributes["href"]
    assert contact == "https://shop.example/contact?a=1&q=Help"


def test_the_contact_page_gets_the_question_and_the_reference(
    settings: Settings, scripted: Script
) -> None:
    own = settings.model_copy(update={"contact_url": "https://shop.example/contact"})
    html = page(hand_over(scripted(settings=own)))
    address = html.css_first('a.button[href^="https://shop.example"]').attributes["href"]
    assert re.search(r"\?q=kettle&ref=HO-....-....$", address)


def test_mail_is_offered_only_where_it_can_be_sent(settings: Settings, scripted: Script) -> None:
    own = settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:1", "handover_mail": "care@shop.example"}
    )
    client = scripted(settings=own)
    assert page(client.get("/en/still-stuck").text).css_first("input[name=mail]")
    wrong = client.post("/en/still-stuck", data={"message": "Help", "mail": "anna@"})
    assert wrong.status_code == 422
    assert page(wrong.text).css_first("input[name=mail]").attributes["value"] == "anna@"
    text = words(hand_over(client, mail="anna@example.com"))
    assert "the mail to them did not go out" in text


@pytest.mark.parametrize("path", ["/sitemap.xml", "/en/feed.atom", "/zh-Hans/opensearch.xml"])
def test_pages_for_machines_are_well_formed(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    ET.fromstring(answer.data)


def test_the_sitemap_names_every_article_under_the_public_address(
    settings: Settings, scripted: Script, services: Services
) -> None:
    own = settings.model_copy(update={"base_url": "https://help.example/"})
    client = scripted(settings=own)
    text = client.get("/sitemap.xml").text
    for article in services.library.catalogue:
        assert f"<loc>https://help.example{article.path}</loc>" in text
    robots = client.get("/robots.txt").text
    assert "Sitemap: https://help.example/sitemap.xml" in robots
    assert "Disallow: /en/search" in robots


class NoLibrary:
    """An index that breaks whatever is asked of it."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError("broken on purpose")


def test_the_page_of_an_error_needs_neither_index_nor_log(
    settings: Settings, services: Services
) -> None:
    broken = dataclasses.replace(services, library=NoLibrary())  # type: ignore[arg-type]
    app = create_app(settings, broken)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for locale, text in (("en", "Something broke on our side"), ("zh-Hans", "出了点问题")):
        answer = app.test_client().get(f"/{locale}/")
        assert answer.status_code == 500
        assert text in words(answer.text)
    missing = app.test_client().get("/en/x/y")
    assert missing.status_code == 500


def test_maintenance_is_announced_in_the_readers_language(
    settings: Settings, scripted: Script
) -> None:
    own = settings.model_copy(update={"maintenance": True})
    answer = scripted(settings=own).get("/zh-Hans/")
    assert answer.status_code == 503
    assert "帮助中心暂停服务" in words(answer.text)


def test_editors_see_why_a_result_is_there_where_it_is_switched_on(
    client: FlaskClient, settings: Settings, services: Services
) -> None:
    address = "/en/search?q=refund+to+gift+card&explain=1"
    assert 'class="why"' not in client.get(address).get_data(as_text=True)
    open_settings = settings.model_copy(update={"explain_pages": True})
    shown = create_app(open_settings, dataclasses.replace(services, settings=open_settings))
    html = shown.test_client().get(address).get_data(as_text=True)
    assert html.count('class="why"') > 3
    assert "best_sentence" in html
    assert "refund-gift-cards@en#" in html


def test_a_corrected_question_says_so_and_can_be_undone(client: FlaskClient) -> None:
    page = client.get("/en/search?q=refnd+statsu").get_data(as_text=True)
    assert "Showing results for “refund status”" in page
    link = re.search(r'href="([^"]*exact=1[^"]*)"', page)
    assert link is not None
    exact = client.get(html.unescape(link[1])).get_data(as_text=True)
    assert "Showing results for" not in exact


def test_a_doubtful_word_is_asked_about(client: FlaskClient) -> None:
    page = client.get("/en/search?q=cancel+my+oder").get_data(as_text=True)
    assert "Did you mean:" in page
    assert "cancel my order" in page


def test_the_checks_of_links_know_every_page_that_needs_no_key(app: Flask) -> None:
    start = "/<any('en', 'zh-Hans'):locale>/"
    assert {
        rule.rule.removeprefix(start)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(start) and "GET" in (rule.methods or ())
        and rule.arguments == {"locale"}
    } == CHECKED_PAGES  # fmt: skip


def test_a_topic_of_several_articles_is_not_said_to_be_answered_by_none(
    client: FlaskClient,
) -> None:
    for address, said in (
        ("/en/search?q=refund", "Several articles are about this"),
        ("/zh-Hans/search?q=退款", "有好几篇文章讲到这个"),
    ):
        topic = client.get(address).text
        assert said in topic
        assert "No article answers this" not in topic
        assert "现有文章都没有" not in topic
    unsure = page(client.get("/en/search?q=is+the+warehouse+dog+friendly").text)
    assert "Several articles are about this" not in words(unsure.html or "")
    assert "/en/requests/new" in [a.attributes["href"] for a in unsure.css(".unsure-actions a")]


def test_who_cannot_be_answered_is_told_before_writing(client: FlaskClient) -> None:
    form = client.get("/en/still-stuck").text
    assert "<h1>Still stuck? Ask a person</h1>" in form
    assert form.index("Nobody can write back from here") < form.index("<textarea")
