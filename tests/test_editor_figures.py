"""Overview, explorer and articles: what they show and give to download; hostile questions."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from conftest import NOW, ROOT
from editor_session import sign_in
from figures_support import handover, search, view, vote
from gap_support import put
from portal.app import create_app
from portal.editor.why_words import reasons
from portal.services import Services
from search.types import Explanation, Result

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=HYPERLINK(\"http://x\")",
    "+1+1", "-2", "@SUM(A1)", "\t=1", "{{ 7*7 }}", "a\x07b\x1b[31mred", "' OR 1=1 --",
    "javascript:alert(1)", "%_\\ like", "‮desrever", "\ud83d",
)  # fmt: skip
PAGES = ("/editor/overview", "/editor/questions", "/editor/articles",
         "/editor/questions?state=log")  # fmt: skip
FILES = (
    "/editor/overview.json", "/editor/overview.csv", "/editor/overview-groups.csv",
    "/editor/overview-questions.csv", "/editor/questions.json", "/editor/questions.csv",
    "/editor/questions.csv?state=log", "/editor/articles.json", "/editor/articles.csv",
)  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Somebody signed in; pages take what time they need."""
    monkeypatch.setattr("portal.editor.questions._SECONDS", 60)
    monkeypatch.setattr("portal.editor.questions._EXPORT_SECONDS", 60)
    sign_in(client, services, "reader")
    return client


@pytest.fixture
def asked(services: Services) -> Iterator[Any]:
    """A search with a click, a vote against and a hand-over, and others around it."""
    events = services.events
    one = search("how long does a refund take", 1, resolved=True, platform="pinecart")
    events.record_search(one)
    events.record_view(view(one, 5))
    events.record_vote(vote(one, False))
    events.record_handover(handover(one))
    for number in range(6):
        events.record_search(search("can I bring my dog", 1, number * 2000, resolved=False,
                                    visitor=f"n{number}"))  # fmt: skip
    events.record_search(search("crawled", 1, bot=True, visitor="bot"))
    return one


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_overview_shows_figures_and_links_to_as_many_rows(
    editor: FlaskClient, asked: Any
) -> None:
    page = editor.get("/editor/overview?days=7").text
    links = re.findall(r'<a href="(/editor/questions\?[^"]*)">([\d,]+)</a>', page)
    assert len(links) > 10
    for address, number in links:
        address = address.replace("&amp;", "&").replace("/questions?", "/questions.json?")
        found = editor.get(address).get_json()["questions"]
        assert len(found) == int(number), address
    figures = editor.get("/editor/overview.json?days=7").get_json()
    assert figures["total"]["questions"] == 7
    assert figures["total"]["unresolved"] == 7
    assert figures["total"]["rates"]["helpful"]["count"] == 0
    assert figures["total"]["rates"]["helpful"]["of"] == 1
    assert figures["top"][0]["text"] == "can I bring my dog"
    assert figures["top"][0]["visitors"] == 6


def test_files_say_what_the_page_says(editor: FlaskClient, asked: Any) -> None:
    figures = editor.get("/editor/overview.json?days=7").get_json()
    total = figures["total"]
    assert total["asked"] == total["questions"] + total["elsewhere"]
    days = rows(editor.get("/editor/overview.csv?days=7").text)
    assert sum(int(day["asked"]) for day in days) == total["asked"]
    (most, *_others) = rows(editor.get("/editor/overview-questions.csv?days=7").text)
    assert (most["question"], most["visitors"]) == ("can I bring my dog", "6")


def test_a_period_that_the_log_has_not_whole_is_said_to(
    editor: FlaskClient, services: Services, asked: Any
) -> None:
    assert "there is no period before" in editor.get("/editor/overview?days=7").text
    services.events.record_search(search("long ago", 9))
    page = editor.get("/editor/overview?days=7").text
    assert "has 3 days of 7" in page
    figures = editor.get("/editor/overview.json?days=7").get_json()
    assert (figures["before_days"], figures["log_begins"]) == (3, "2026-11-13")
    services.events.record_search(search("longer ago", 40))
    assert "data-uneven" not in editor.get("/editor/overview?days=7").text


def test_the_day_that_is_not_over_is_marked(editor: FlaskClient, asked: Any) -> None:
    for days in (7, 90):
        page = editor.get(f"/editor/overview?days={days}").text
        marked = re.findall(r'<tr data-day="([-\d]+)" data-unfinished>', page)
        assert marked == ["2026-11-22" if days == 7 else "2026-11-16"]


def test_every_rate_has_its_interval_and_its_definition(editor: FlaskClient, asked: Any) -> None:
    page = editor.get("/editor/overview").text
    assert page.count('class="interval"') > 10
    assert "there is no rate" in page
    assert "14.3%" in page, "one of seven was answered"


def test_filters_choose(editor: FlaskClient, asked: Any) -> None:
    def total(query: str) -> int:
        counts = editor.get(f"/editor/overview.json?{query}").get_json()["total"]
        return int(counts["questions"])

    assert total("platform=pinecart") == 1
    assert total("platform=none") == 6
    assert total("locale=zh-Hans") == 0
    assert total("channel=page&locale=en") == 7
    assert total("days=nonsense&locale=xx") == 7


def test_an_empty_log_is_a_designed_state(editor: FlaskClient) -> None:
    assert "Nobody has asked anything" in editor.get("/editor/overview").text
    assert "No such question" in editor.get("/editor/questions").text
    figures = editor.get("/editor/overview.json").get_json()
    assert figures["total"]["rates"]["answered"] is None


def test_the_explorer_pages_by_its_keys(editor: FlaskClient, services: Services) -> None:
    for number in range(120):
        services.events.record_search(
            search(f"question {number}", number / 20, visitor=f"n{number}")
        )
    address, seen = "/editor/questions", list[str]()
    while address:
        page = editor.get(address).text
        seen += re.findall(r"question \d+(?=</a>)", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"question {number}" for number in range(120)]
    assert "No such question" in editor.get("/editor/questions?before=2000-01-01T00:00:00Z~").text
    assert "question 0</a>" in editor.get("/editor/questions?before=nonsense").text


@pytest.mark.parametrize(
    ("query", "count"),
    [("q=BRING+my", 6), ("q=%25", 0), ("reason=handed_over", 1), ("state=clicked", 1),
     ("state=log", 8), ("article=refund-timing", 7), ("article=other", 0), ("state=answered", 1),
     ("reason=not_helpful&q=refund", 1), ("platform=pinecart", 1), ("reason=bad&state=bad", 7)],
)  # fmt: skip
def test_the_explorer_filters(editor: FlaskClient, asked: Any, query: str, count: int) -> None:
    found = editor.get(f"/editor/questions.json?{query}").get_json()
    assert len(found["questions"]) == count
    assert found["following"] is None


def test_a_logged_question_is_shown_with_all_that_followed(editor: FlaskClient, asked: Any) -> None:
    page = editor.get(f"/editor/questions/{asked.id}").text
    assert "Yes, as one question of this visitor." in page
    assert "HO-" in page
    assert "Handed over" in page
    assert "Why it stands here" in page
    assert "Has the words “refund”" in page
    assert page.count("Ahead of the next mostly by its ") + page.count("Level with the next.") > 3
    data = editor.get(f"/editor/questions/{asked.id}.json").get_json()
    assert data["results"][0]["clicks"] == 1
    assert data["reasons"] == ["handed_over", "not_helpful"]
    assert len(data["now"]["results"]) > 3
    assert data["now"]["trace"]["normalised"] == "how long does a refund take"
    assert editor.get("/editor/questions/unknown").status_code == 404


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"words": 3.0, "meaning": 1.0}, {"words": 1.0, "meaning": 0.9}, "mostly by its words"),
        ({"words": 1.0, "meaning": 2.0}, {"words": 1.5, "meaning": 0.2}, "mostly by its meaning"),
        ({"words": 1.0, "learned": 2.0}, {"words": 1.0, "learned": -1.0}, "articles list"),
        ({"words": 2.0, "meaning": 1.0}, {"words": 1.0, "meaning": 1.99}, "Level with the next"),
    ],
)
def test_what_puts_a_result_before_the_next_is_said(
    app: Flask, one: dict[str, float], other: dict[str, float], said: str
) -> None:
    def result(parts: dict[str, float]) -> Result:
        why = Explanation("refunds#cards/0", sum(parts.values()), 1.0, 0.5, parts=parts)
        return Mock(spec=Result, explanation=why)

    with app.test_request_context():
        first, last = reasons([result(one), result(other)])
    assert said in first[-1]
    assert len(last) == 1


def test_a_search_that_is_not_counted_says_why(editor: FlaskClient, services: Services) -> None:
    first = search("refund", 1)
    last = search("refund", 1, 300)
    program = search("refund", 1, visitor="bot", bot=True)
    typed = search("whe", 1, visitor="w")
    blank = search("", 1, visitor="x")
    for one in (first, last, program, typed, blank, search("where is it", 1, 2, visitor="w")):
        services.events.record_search(one)
    for one, words in (
        (first, "Once, with its last repetition"), (program, "a program asked"),
        (typed, "it was typed on"), (blank, "No: it was typed on, is blank"),
    ):  # fmt: skip
        assert words in editor.get(f"/editor/questions/{one.id}").text, words


def test_articles_tell_what_they_need(editor: FlaskClient, services: Services, asked: Any) -> None:
    for number in range(9):
        one = search("refund", 2, visitor=f"u{number}")
        services.events.record_search(one)
        services.events.record_vote(vote(one, helpful=number == 0))
    found = editor.get("/editor/articles.json?sort=helpful").get_json()
    worst = found[0]
    assert (worst["article"], worst["locale"]) == ("refund-timing", "en")
    assert (worst["helpful"], worst["unhelpful"], worst["reasons"]) == (1, 9, {"wrong": 9})
    assert "unhelpful" in worst["needs"]
    assert worst["handovers"] == 1
    assert [row["days_left"] for row in editor.get("/editor/articles.json?sort=review").get_json()
            ] == sorted(row["days_left"] for row in found)  # fmt: skip
    some = editor.get("/editor/articles.json?need=unhelpful").get_json()
    assert [row["article"] for row in some] == ["refund-timing"]
    english = editor.get("/editor/articles.json?locale=en&section=refunds").get_json()
    assert {(row["locale"], row["section"]) for row in english} == {("en", "refunds")}
    assert len(found) == len(services.library.catalogue)


def test_drafts_are_listed(services: Services, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "articles", folder)
    file = next((folder / "en" / "refunds").glob("refund-timing.md"))
    draft = file.with_name("refund-timing-2.md")
    text = re.sub(r"^status:.*$", "status: draft\ncloses: gap-17", file.read_text("utf-8"), count=1,
                  flags=re.MULTILINE)  # fmt: skip
    draft.write_text(text, "utf-8")
    settings = services.settings.model_copy(update={"articles": folder})
    app = create_app(settings, replace(services, settings=settings))
    client = app.test_client()
    sign_in(client, services, "reader")
    page = client.get("/editor/articles").text
    assert "Open drafts" in page
    assert "gap-17" in page
    needed = client.get("/editor/articles.json?need=draft").get_json()
    assert [row["article"] for row in needed] == ["refund-timing"]


def test_what_customers_typed_does_no_harm(editor: FlaskClient, services: Services) -> None:
    logged = []
    for number, text in enumerate(HOSTILE):
        for visitor in range(5):
            one = search(text, 1, number * 900, visitor=f"{number}-{visitor}", resolved=False)
            services.events.record_search(one)
        logged.append(one)
        services.events.record_vote(vote(one, False, reason=text[:50], comment=text))
        services.events.record_view(view(one, article=text.encode(errors="replace").decode()))
    services.events.record_handover(handover(logged[0]))
    details = [f"/editor/questions/{one.id}" for one in logged]
    for address in (*PAGES, *details, "/editor/questions?q=%3Cscript%3E&article=%3Cscript%3E"):
        for lang in ("en", "zh"):
            mark = "&" if "?" in address else "?"
            response = editor.get(f"{address}{mark}lang={lang}")
            assert response.status_code == 200, address
            page = response.text
            assert "<script>alert" not in page
            assert "<img src=x" not in page
            assert "style=" not in page
            assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", page), address
    for address in (*FILES, *(f"{detail}.json" for detail in details)):
        response = editor.get(address)
        assert response.status_code == 200, address
        assert "attachment" in response.headers["Content-Disposition"]
        if ".csv" in address:
            for row in csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
                    assert not cell.startswith("-") or re.fullmatch(r"-\d+", cell), cell
        else:
            assert response.get_json() is not None


def test_a_text_that_looks_like_a_number_is_still_text(
    editor: FlaskClient, services: Services
) -> None:
    services.events.record_search(search("-2", 1))
    (row,) = rows(editor.get("/editor/questions.csv").text)
    assert row["question"] == "'-2"


@pytest.mark.parametrize("address", [*PAGES, *FILES, "/editor/questions/any"])
def test_nobody_reads_them_without_signing_in(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code in (302, 303, 401)


def test_a_long_export_says_where_it_goes_on(
    editor: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.editor.questions._EXPORTED", 2)
    for number in range(5):
        services.events.record_search(search(f"q{number}", 1, 1000 * number, visitor=f"{number}"))
    address, seen = "/editor/questions.csv?days=7", list[str]()
    while address:
        response = editor.get(address)
        seen += [row["question"] for row in rows(response.text)]
        link = re.match(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
        address = link[1] if link else ""
    assert seen == ["q4", "q3", "q2", "q1", "q0"]


def test_a_page_ends_early_rather_than_late(
    editor: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        services.events.record_search(search(f"q{number}", number))
    monkeypatch.setattr("portal.editor.questions._SECONDS", -1)
    page = editor.get("/editor/questions").text
    assert "the search has stopped at" in page
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    assert re.findall(r"q\d(?=</a>)", page) == ["q0"]
    monkeypatch.setattr("portal.editor.questions._SECONDS", 60)
    rest = editor.get(following[1].replace("&amp;", "&")).text
    assert re.findall(r"q\d(?=</a>)", rest) == ["q1", "q2"]


def test_the_overview_says_that_visitors_were_played(
    editor: FlaskClient, services: Services
) -> None:
    services.events.record_search(search("refund"))
    assert "kb simulate" not in editor.get("/editor/overview").text
    played = replace(search("refund", 1), visitor="sim-0123456789ab")
    services.events.record_search(played)
    assert "kb simulate" in editor.get("/editor/overview").text
    assert played.at < NOW


@pytest.mark.parametrize("name", ["overview", "articles"])
def test_days_that_take_long_to_count_are_added_up_beside_the_page(
    editor: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for day in range(4):
        services.events.record_search(search("refund", day + 0.1))
    for module in ("overview", "article_health"):
        monkeypatch.setattr(f"portal.editor.{module}.MOST_ROWS", 3)
    begun: list[bool] = []
    monkeypatch.setattr(services.gap_refresher, "request", lambda: begun.append(True))
    page = editor.get(f"/editor/{name}?days=7")
    assert (page.status_code, page.headers["Refresh"]) == (503, "15")
    assert int(page.headers["Retry-After"]) >= 15
    assert "The log is being added up" in page.text
    told = editor.get(f"/editor/{name}.json?days=7")
    assert (told.status_code, told.mimetype) == (503, "application/problem+json")
    assert begun == [True, True]
    services.gap_refresher.run_now()
    assert editor.get(f"/editor/{name}?days=7").status_code == 200


def test_the_menu_of_sorts_is_no_purchase_order_in_chinese(editor: FlaskClient) -> None:
    editor.set_cookie("locale", "zh-Hans")
    page = editor.get("/editor/articles").text
    assert '<label for="sort">排序</label>' in page


def test_every_number_of_the_overview_says_what_it_is_where_its_heading_is_gone(
    editor: FlaskClient, asked: Any
) -> None:
    page = editor.get("/editor/overview").text
    tables = re.findall(
        r'<table class="figures-table figures-(?:change|list)".*?</table>', page, re.S
    )
    cells = [cell for table in tables for cell in re.findall(r"<td[^>]*>", table)]
    assert len(cells) > 30
    assert [one for one in cells if "data-label" not in one and "aria-hidden" not in one] == []


def test_an_article_that_there_is_not_is_said_to_be_unknown(
    editor: FlaskClient, asked: Any
) -> None:
    assert "No published article" in editor.get("/editor/questions?article=zzz").text
    assert "No published article" not in editor.get("/editor/questions?article=refund-timing").text


def test_a_search_that_stopped_for_its_time_leads_on(
    editor: FlaskClient, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.editor.questions._FILTERED_SECONDS", 0)
    page = editor.get("/editor/questions?q=nobody+asked+this").text
    link = re.search(r'<a href="([^"]*)">Search the days before that</a>', page)
    assert link is not None
    assert "before=" in link[1]


def test_the_report_of_what_articles_achieved_is_in_the_navigation(editor: FlaskClient) -> None:
    page = editor.get("/editor/proof?lang=en").text
    assert '<a href="/editor/proof" aria-current="page">Proof</a>' in page


def test_a_reader_sees_no_heading_over_nothing(editor: FlaskClient, services: Services) -> None:
    (number,) = put(services.engine, ["sofa"])
    page = editor.get(f"/editor/gaps/{number}?lang=en").text
    assert "Close this gap" not in page


def test_an_article_is_found_by_title_and_words_in_both_languages(
    editor: FlaskClient, asked: Any
) -> None:
    def meant(text: str) -> list[str]:
        query = urlencode({"article": text, "days": 7})
        page = LexborHTMLParser(editor.get(f"/editor/questions?{query}").text)
        links = [a.attributes["href"] or "" for a in page.css("[aria-labelledby=meant-title] a")]
        assert all("days=7" in link for link in links)
        return [parse_qs(urlsplit(link).query)["article"][0] for link in links]

    assert "refund-timing" in meant("how long until the money is back")[:3]
    assert "refund-timing" in meant("退款多久到账")[:3]
    assert meant("/zh-Hans/refunds/refund-timing")[0] == "refund-timing"
    assert meant("TIMING refund")[0] == "refund-timing"
    assert len(set(meant("refund"))) == len(meant("refund")) > 3
    assert meant("refund-timing") == meant("") == meant("zzz") == []
    title = editor.get("/editor/questions?article=refund-timing").text
    assert "Questions with this article among their results:" in title
