"""The digest and the feed: they say what was counted, and what customers typed does no harm."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from conftest import NOW
from editor_session import sign_in
from figures_support import Log, search
from portal.accounts.plain import one_line
from portal.cli import cli
from portal.config import Settings
from portal.digest import send
from portal.digest.content import Digest, as_dict, read_digest
from portal.digest.markdown import as_markdown, quoted, subject
from portal.gaps import changes
from portal.gaps.definitions import LEAST
from portal.gaps.encoding import figures_to, key_of
from portal.gaps.tables import GAP_QUESTIONS, GAP_RUNS, GAPS, UNRESOLVED
from portal.gaps.types import Figures, State
from portal.services import Services
from search.types import Article
from test_mail import FakeSmtpServer
from test_mail import server as smtp
from test_requests_delivery import SECRET, Receiver, verify
from test_requests_orders import http_server

__all__ = ["smtp"]

HOSTILE = (
    "[click](javascript:alert(1)) ![x](//evil.example/a.png) <script>alert(1)</script>"
    " www.evil.example **bold** `code` \r\nBcc: victim@example.com\r\n\r\n# heading"
    " \x1b[31m\u202e\0 | a ~~b~~ &amp;"
)


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.engine.dispose()


def gap(engine: sa.Engine, name: str, *, days: float = 1, visitors: int = 3, spike: bool = False,
        typical: tuple[str, ...] = (), due: str | None = None, state: State = State.OPEN,
        owner: str = "") -> int:  # fmt: skip
    """A gap that was found so many days ago."""
    counted = Figures(visitors=visitors, searches=visitors, score=float(visitors), spike=spike)
    made_at = NOW - timedelta(days=days)
    with engine.begin() as connection:
        number = changes.new_gap(connection, name=name, locale="en", at=made_at, typical=typical)
        values = {"figures": figures_to(counted), "due": due, "owner": owner}
        connection.execute(sa.update(GAPS).where(GAPS.c.number == number).values(values))
        if state is not State.OPEN:
            changes.change_state(connection, number, state, at=NOW - timedelta(hours=1))
    return number


def refreshed(engine: sa.Engine, at: datetime = NOW) -> None:
    """There was a refresh of the gap report."""
    values = {
        "at": at, "since": at, "questions": 9, "unresolved": 5, "gaps": 2, "new": 1,
        "seconds": 1.0, "generation": "g",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(GAP_RUNS).values(values))


def digest_of(log: Log, articles: tuple[Article, ...] = ()) -> Digest:
    return read_digest(log.engine, articles, NOW)


def test_the_week_is_compared_with_the_one_before(log: Log) -> None:
    for number in range(8):  # two days ago six of eight, ten days ago two of eight are answered
        log.write(
            search(f"question {number}", days=2, visitor=f"v{number}", resolved=number < 6),
            search(f"question {number}", days=10, visitor=f"v{number}", resolved=number < 2),
            search(f"question {number}", days=0, visitor=f"v{number}", resolved=False),
        )
    found = digest_of(log)
    assert (found.first, found.last) == (date(2026, 11, 15), date(2026, 11, 21))
    assert found.questions == 8  # today is not over
    assert found.answered.now is not None
    assert (found.answered.now.count, found.answered.now.of) == (6, 8)
    assert found.answered.change == 0.5
    text = as_markdown(found, locale="en", base_url="")
    assert "8 questions were asked." in text
    assert "Answered, of what was searched for: 75.0% (40.9% to 92.9%, 6 of 8)" in text
    assert "; +50.0 percentage points" in text


def test_it_tells_of_gaps_by_what_became_of_them(log: Log) -> None:
    new = gap(log.engine, "new one", days=2, typical=("how new", "new one"))
    old = gap(log.engine, "old and rising", days=30, visitors=9, spike=True)
    late = gap(log.engine, "late", days=20, due="2026-11-20", owner="anna")
    back = gap(log.engine, "back again", days=20, state=State.REOPENED)
    done = gap(log.engine, "done", days=20, state=State.CLOSED)
    gap(log.engine, "not wanted", days=1, state=State.IGNORED)
    gap(log.engine, "long done", days=20, due="2026-11-21", state=State.PUBLISHED)
    refreshed(log.engine)
    found = digest_of(log)
    assert [one.number for one in found.new] == [new]
    assert [one.number for one in found.spikes] == [old]
    assert late in [one.number for one in found.overdue]
    assert [line.gap for line in found.reopened] == [back]
    assert [line.gap for line in found.closed] == [done]
    assert found.waiting == 5
    text = as_markdown(found, locale="en", base_url="https://help.example/")
    assert (
        f"[Gap {new}: new one](<https://help.example/editor/gaps/{new}>): 3 visitors in 30 days"
        in text
    )
    assert "such as how new" in text
    assert "anna, was due 20 Nov 2026" in text
    assert "not wanted" not in text
    assert "never refreshed" not in text


def test_a_gap_is_new_when_its_first_question_was_asked_in_the_period(log: Log) -> None:
    def asked(number: int, *days: float) -> int:
        with log.engine.begin() as connection:
            for place, ago in enumerate(days):
                text, at = f"question {place} of {number}", NOW - timedelta(days=ago)
                connection.execute(
                    sa.insert(GAP_QUESTIONS).values(
                        key=key_of(text),
                        gap=number,
                        text=text,
                        normalised=text,
                        locale="en",
                        visitors=1,
                        searches=1,
                        last_seen=at,
                        reasons=1,
                        pinned_by="",
                    )
                )
                connection.execute(
                    sa.insert(UNRESOLVED).values(
                        event=f"{number}-{place}",
                        source="search",
                        at=at,
                        visitor="v",
                        locale="en",
                        channel="page",
                        text=text,
                        normalised=text,
                        question=key_of(text),
                        reasons=1,
                        searches=1,
                        confidence=0.1,
                    )
                )
        return number

    new = asked(gap(log.engine, "asked this week", days=1), 1, 3)
    asked(gap(log.engine, "found by the first refresh", days=1), 2, 26)
    asked(gap(log.engine, "asked today only", days=0), 0.1)
    asked(gap(log.engine, "forgotten and asked again", days=80), 2)
    assert [one.number for one in digest_of(log).new] == [new]


def test_every_number_says_of_which_days_it_is(log: Log) -> None:
    number = gap(log.engine, "growing", spike=True, state=State.PUBLISHED)
    weeks = {"figures": figures_to(Figures(visitors=1440, weeks=(0, 3, 9), spike=True))}
    with log.engine.begin() as connection:
        connection.execute(sa.update(GAPS).where(GAPS.c.number == number).values(weeks))
    found = digest_of(log)
    text = as_markdown(found, locale="en", base_url="")
    assert "## New gaps, first asked about since 15 Nov 2026 (1)" in text
    assert "1,440 visitors in 30 days, No article, Published, being watched" in text
    assert "; seven days: 9, the seven before: 3" in text
    assert "The log has 0 of the 7 days before." in text
    assert as_dict(found, "")["new"][0]["weeks"] == [0, 3, 9]


def test_what_may_be_chance_is_no_more_told_of_than_in_the_queue(
    log: Log, client: FlaskClient, services: Services
) -> None:
    for engine in (log.engine, services.engine):
        gap(engine, "one visitor", visitors=LEAST - 1)
        promised = gap(engine, "promised", visitors=1, due="2026-11-20")
        enough = gap(engine, "enough", visitors=LEAST)
    found = digest_of(log)
    assert (found.waiting, [one.number for one in found.new]) == (1, [enough])
    assert [one.number for one in found.overdue] == [promised]
    sign_in(client, services, "reader")
    feed = client.get(feed_address(client)).text
    assert feed.count("<entry>") == 1
    assert "one visitor" not in feed


def test_it_says_how_old_the_report_is(log: Log) -> None:
    assert "was never refreshed" in as_markdown(digest_of(log), locale="en", base_url="")
    refreshed(log.engine, NOW - timedelta(days=5))
    assert "is of 17 Nov 2026" in as_markdown(digest_of(log), locale="en", base_url="")


def test_reviews_that_are_due_are_named_soonest_first(log: Log, services: Services) -> None:
    every = tuple(services.library.catalogue)
    soon = max(one.review_by for one in every)
    now = datetime(soon.year, soon.month, soon.day, tzinfo=UTC) - timedelta(days=3)
    found = read_digest(log.engine, every, now)
    assert len(found.reviews) == len(every)
    days = [one.review_by for one in found.reviews]
    assert days == sorted(days)
    early = read_digest(log.engine, every, NOW)
    assert all(one.review_by <= NOW.date() + timedelta(days=7) for one in early.reviews)


def test_long_lists_end_with_how_many_are_left(log: Log) -> None:
    for number in range(13):
        gap(log.engine, f"gap {number}")
    text = as_markdown(digest_of(log), locale="en", base_url="")
    assert "## New gaps, first asked about since 15 Nov 2026 (13)" in text
    assert "- and 3 more" in text


def test_it_is_written_in_chinese_too(log: Log) -> None:
    gap(log.engine, "能开发票吗", due="2026-11-01")
    found = digest_of(log)
    text = as_markdown(found, locale="zh-Hans", base_url="")
    assert text.startswith("# 帮助中心，2026年11月15日 至 2026年11月21日")
    assert "新缺口" in text
    assert not set("abcdefghijlmoqrtuvwxyz") & set(
        text.replace("`kb gaps`", "").replace("/editor/gaps/1", "")
    )
    assert subject(found, locale="zh-Hans").startswith("帮助中心")


# --- hostile questions -----------------------------------------------------------------------


def rendered(markdown: str) -> LexborHTMLParser:
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return LexborHTMLParser(page.render(markdown))


@given(st.text(max_size=100))
def test_whatever_is_quoted_is_shown_as_it_is(text: str) -> None:
    page = rendered(f"- [Gap: {quoted(text)}](<https://help.example/>): 3 {quoted(text)}\n")
    body = page.body
    assert body is not None
    assert {node.tag for node in body.css("*")} <= {"body", "ul", "li", "a"}
    plain = one_line(text, 120)
    assert " ".join(body.text().split()) == " ".join(f"Gap: {plain}: 3 {plain}".split())


@given(st.text(max_size=300), st.integers(2, 200))
def test_one_line_is_one_line_of_what_can_be_shown(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert one_line(line, limit) == line


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_a_hostile_question_does_no_harm_in_a_digest(log: Log, locale: str) -> None:
    number = gap(log.engine, HOSTILE, typical=(HOSTILE, "b" + HOSTILE), spike=True,
                 due="2026-11-01", owner=HOSTILE[:60])  # fmt: skip
    gap(log.engine, HOSTILE, days=20, state=State.CLOSED)
    gap(log.engine, HOSTILE, days=20, state=State.REOPENED)
    text = as_markdown(digest_of(log), locale=locale, base_url="https://help.example")
    assert all(line.isprintable() for line in text.splitlines())
    page = rendered(text)
    assert not page.css("script, img, strong, em, del, table")
    assert len(page.css("h1")) == 1
    assert {urlsplit(str(a.attributes["href"])).netloc for a in page.css("a")} == {"help.example"}
    assert f"/editor/gaps/{number}" in text
    assert "://evil" not in text
    assert "www.evil" not in text


def test_a_hostile_question_is_no_header_of_a_mail(log: Log, smtp: FakeSmtpServer) -> None:
    gap(log.engine, HOSTILE)
    found = digest_of(log)
    settings = Settings(smtp_url=smtp.url)
    text = as_markdown(found, locale="zh-Hans", base_url="")
    send.mail(settings, "team@shop.example", subject=subject(found, locale="zh-Hans"),
              text=text, message_id="digest_1")  # fmt: skip
    (message,) = smtp.messages
    assert message["To"] == message["From"] == "team@shop.example"
    assert message["Bcc"] is None
    assert message["Message-ID"] == "<digest_1@shop.example>"
    assert message["Subject"].startswith("帮助中心 2026年11月15日")
    assert message.get_content().strip().replace("\r\n", "\n") == text.strip()


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "a@b@c"]
)
def test_what_is_no_address_gets_no_mail(address: str, smtp: FakeSmtpServer) -> None:
    with pytest.raises(send.DigestNotSent, match="no mail address"):
        send.mail(Settings(smtp_url=smtp.url), address, subject="s", text="t", message_id="m")
    assert smtp.messages == []


# --- handed over -----------------------------------------------------------------------------


def test_the_webhook_gets_it_signed(log: Log) -> None:
    number = gap(log.engine, HOSTILE)
    found = digest_of(log)
    receiver = Receiver()
    with http_server(receiver) as address:
        settings = Settings(webhook_url=address, webhook_secret=SECRET)
        data = as_dict(found, "https://help.example")
        send.post(settings, data, text="*text*", message_id="digest_1", now=NOW)
    ((headers, body),) = receiver.got
    assert verify(headers, body)
    assert headers["webhook-id"] == "digest_1"
    message = json.loads(body)
    assert message["type"] == "gaps.digest"
    assert message["data"]["new"][0]["url"] == f"https://help.example/editor/gaps/{number}"
    assert message["data"]["markdown"] == "*text*"


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_webhook_that_does_not_take_it_is_said_to(status: int, log: Log) -> None:
    with http_server(Receiver(status)) as address:
        settings = Settings(webhook_url=address, webhook_secret=SECRET)
        with pytest.raises(send.DigestNotSent, match=f"answered {status}"):
            send.post(settings, {}, text="", message_id="x", now=NOW)
    with pytest.raises(send.DigestNotSent, match="cannot be reached"):
        send.post(settings, {}, text="", message_id="x", now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ="])
def test_a_webhook_without_a_secret_is_not_asked(secret: str) -> None:
    settings = Settings(webhook_url="https://shop.example/hook", webhook_secret=secret)
    with pytest.raises(send.DigestNotSent, match="KB_WEBHOOK_SECRET"):
        send.post(settings, {}, text="", message_id="x", now=NOW)


def test_kb_digest_prints_it_and_says_what_is_missing(
    runner: CliRunner, services: Services
) -> None:
    gap(services.engine, "能开发票吗", days=-100)  # the command asks the real clock
    done = runner.invoke(cli, ["digest", "--locale", "en"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("# Help centre, ")
    data = json.loads(runner.invoke(cli, ["digest", "--json"]).output)
    assert [one["name"] for one in data["new"]] == ["能开发票吗"]
    first = runner.invoke(cli, ["digest", "--json", "--since", "2026-01-01"])
    assert json.loads(first.output)["first"] == "2026-01-01"
    for arguments, said in ((["--mail", "a@b.example"], "KB_SMTP_URL"),
                            (["--webhook"], "KB_WEBHOOK_URL")):  # fmt: skip
        refused = runner.invoke(cli, ["digest", *arguments])
        assert refused.exit_code == 1
        assert said in refused.output
    assert runner.invoke(cli, ["digest", "--since", "2999-01-01"]).exit_code == 2


def test_what_is_sent_without_the_portals_address_is_warned_of(
    runner: CliRunner, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["--mail", "a@b.example"], ["--webhook"]):
        assert "KB_BASE_URL is not set" in runner.invoke(cli, ["digest", *arguments]).stderr
    assert "KB_BASE_URL" not in runner.invoke(cli, ["digest"]).stderr
    monkeypatch.setenv("KB_BASE_URL", "https://help.example")
    assert "KB_BASE_URL" not in runner.invoke(cli, ["digest", "--webhook"]).stderr


# --- the feed --------------------------------------------------------------------------------

ATOM = "{http://www.w3.org/2005/Atom}"


def feed_address(client: FlaskClient) -> str:
    page = LexborHTMLParser(client.post("/editor/account/feed").text)
    field = page.css_first("#feed")
    assert field is not None
    parts = urlsplit(str(field.attributes["value"]))
    return f"{parts.path}?{parts.query}"


def test_the_feed_lists_new_gaps_for_whoever_has_its_address(
    client: FlaskClient, services: Services
) -> None:
    older = gap(services.engine, "older", days=3)
    newer = gap(services.engine, "newer", days=2)
    back = gap(services.engine, "back", days=9, state=State.REOPENED)
    for state in (State.IGNORED, State.CLOSED, State.PUBLISHED):
        gap(services.engine, "no more", state=state)
    sign_in(client, services, "reader")
    address = feed_address(client)
    client.post("/editor/sign-out")
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    found = ET.fromstring(answer.text)
    links = [entry.findtext(f"{ATOM}id") for entry in found.findall(f"{ATOM}entry")]
    assert links == [f"http://localhost/editor/gaps/{one}" for one in (back, newer, older)]
    assert found.findtext(f"{ATOM}updated") == (NOW - timedelta(hours=1)).isoformat()
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_an_address_ends_with_its_renewal_its_end_and_its_account(
    client: FlaskClient, services: Services
) -> None:
    user = sign_in(client, services, "reader")
    first = feed_address(client)
    second = feed_address(client)
    assert [client.get(one).status_code for one in (first, second)] == [401, 200]
    client.post("/editor/account/feed", data={"end": "1"})
    assert client.get(second).status_code == 401
    third = feed_address(client)
    services.accounts.users.disable(user.id)
    assert client.get(third).status_code == 401
    for wrong in ("", "?token=", "?token=x", "?token=%00%ff"):
        assert client.get(f"/editor/gaps.atom{wrong}").status_code == 401


def test_a_hostile_question_does_no_harm_in_the_feed(
    client: FlaskClient, services: Services
) -> None:
    gap(services.engine, HOSTILE, typical=("]]>" + HOSTILE, "&lt;b&gt;"))
    sign_in(client, services, "reader")
    text = client.get(feed_address(client)).text
    found = ET.fromstring(text)  # a control character would not be XML
    assert {element.tag.removeprefix(ATOM) for element in found.iter()} <= {
        "feed", "title", "id", "link", "updated", "author", "name", "entry", "published", "content",
    }  # fmt: skip
    (entry,) = found.findall(f"{ATOM}entry")
    assert one_line(HOSTILE) in str(entry.findtext(f"{ATOM}title"))
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert content.attrib["type"] == "text"
    assert "&lt;b&gt;" in str(content.text)


def test_the_secret_of_a_feed_is_not_logged(client: FlaskClient, services: Services) -> None:
    from portal.log_path import loggable_path

    with client.application.test_request_context("/editor/gaps.atom?token=secret"):
        assert "secret" not in loggable_path()
    assert Path(services.settings.data).exists()
