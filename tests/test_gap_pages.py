"""The queue, one gap, and what a hostile question does in them: nothing."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from conftest import NOW
from editor_session import account, sign_in
from gap_support import Log
from portal.accounts.trail import Chosen
from portal.cli import cli
from portal.editor import gap_words
from portal.gaps.changes import new_gap
from portal.gaps.encoding import figures_to, key_of
from portal.gaps.refresh import refresh
from portal.gaps.tables import GAPS
from portal.gaps.types import Entry, Figures, Kind, State
from portal.services import Services
from portal.simulate import PREFIX
from portal.transactions import transaction

HOSTILE = (
    "<script>alert(1)</script> sofa",
    '=HYPERLINK("http://evil.example","sofa")',
    "sofa \x1b[2J\x1b]0;owned\x07 cover",
    "'\"><img src=x onerror=alert(1)> sofa",
    "{{ 7 * 7 }} sofa",
)
DAY = NOW - timedelta(hours=3)


@pytest.fixture
def log(services: Services) -> Log:
    """Sofas that nobody finds, asked by four, and one hostile text each by three."""
    log = Log(services.engine)
    for place in range(4):
        log.ask("do you sell velvet sofas", visitor=f"v{place}", at=DAY)
        log.ask("velvet sofa price", visitor=f"v{place}", at=DAY + timedelta(minutes=1))
    for text in HOSTILE:
        for place in range(3):
            log.ask(text, visitor=f"h{place}", at=DAY + timedelta(minutes=HOSTILE.index(text)))
    return log


@pytest.fixture
def refreshed(services: Services, log: Log) -> Log:
    refresh(services.engine, services.library, services.gap_refresher.embedder, services.clock)
    return log


def _number(services: Services, text: str) -> int:
    for gap in services.gaps.list():
        if text in {question.text for question in services.gaps.questions(gap.number)}:
            return gap.number
    raise AssertionError(text)


def test_a_refresh_groups_names_ranks_and_says_why(services: Services, refreshed: Log) -> None:
    gap = services.gaps.get(_number(services, "do you sell velvet sofas"))
    assert gap.visitors >= 4
    assert gap.score > 0
    assert gap.evidence
    assert gap.kind in set(Kind)
    assert 1 <= len(gap.typical) <= 3
    run = services.gaps.last_run()
    assert run is not None
    assert run.generation == services.library.generation
    again = refresh(
        services.engine, services.library, services.gap_refresher.embedder, services.clock
    )
    assert again.new == 0


def test_a_gap_that_nothing_was_counted_of_yet_has_its_page(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    number = _number(services, "do you sell velvet sofas")
    with services.engine.begin() as connection:
        connection.execute(sa.update(GAPS).values(figures=figures_to(Figures())))
    sign_in(client, services, "reader")
    assert client.get(f"/editor/gaps/{number}").status_code == 200
    assert client.get("/editor/gaps?least=0").status_code == 200


def test_a_gap_shows_the_factors_of_its_score_and_of_which_days_its_numbers_are(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services, "reader")
    number = _number(services, "do you sell velvet sofas")
    page = client.get(f"/editor/gaps/{number}?lang=en").text
    assert "Mean recency" in page
    assert "Visitors are those of the last 90 days" in page
    gap = client.get(f"/editor/gaps/{number}.json").json
    assert gap is not None
    product = gap["visitors"] * gap["severity"] * gap["recency"]
    assert product == pytest.approx(gap["score"], rel=1e-3)


def test_the_queue_lists_gaps_and_its_files_have_the_same(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services, "reader")
    page = client.get("/editor/gaps")
    assert page.status_code == 200
    data = client.get("/editor/gaps.json").json
    assert data is not None
    text = client.get("/editor/gaps.csv").text
    assert text.startswith("\ufeff")  # or Excel takes Chinese for another encoding
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [str(gap["number"]) for gap in data["gaps"]] == [row["number"] for row in rows]
    for gap in data["gaps"]:
        assert f'id="gap-{gap["number"]}"' in page.text
    assert "half as much for every 14 days" in page.text


def test_the_page_and_the_terminal_list_gaps_of_the_same_number_of_visitors(
    client: FlaskClient, runner: CliRunner, services: Services, refreshed: Log
) -> None:
    sign_in(client, services, "reader")

    def listed(least: int | None = None) -> set[int]:
        query, option = (f"?least={least}", ["--least", str(least)]) if least else ("", [])
        done = runner.invoke(cli, ["gaps", "--stored", "--json", "--days", "30", *option])
        rows = {gap["number"] for gap in json.loads(done.stdout)}
        assert rows == {
            gap["number"] for gap in client.get(f"/editor/gaps.json{query}").get_json()["gaps"]
        }
        if fewer := len(services.gaps.list()) - len(rows):
            assert f"{fewer} gap" in done.stderr
            assert "--least 1" in done.stderr
        return rows

    every = listed(1)
    with transaction(services.engine, "count visitors", writes=True) as connection:
        connection.execute(sa.update(GAPS).values(figures=figures_to(Figures(visitors=2))))
    assert listed() == listed(1) == every  # a young log
    page = client.get("/editor/gaps?lang=en").text
    assert "No gap was asked about by 3 visitors yet" in page
    few = sa.update(GAPS).where(GAPS.c.number == min(every))
    with transaction(services.engine, "count visitors", writes=True) as connection:
        connection.execute(few.values(figures=figures_to(Figures(visitors=3))))
    assert listed() == {min(every)} < listed(1)
    assert listed(5) == set()


@pytest.mark.parametrize(
    "query",
    ["days=7", "locale=zh-Hans", "platform=x", "reason=no_click", "kind=outdated", "owner=-",
     "state=closed", "state=all&least=1", "spikes=1", "days=x&least=-4&reason=%00&from=-5"],
)  # fmt: skip
def test_every_filter_is_answered(
    client: FlaskClient, services: Services, refreshed: Log, query: str
) -> None:
    sign_in(client, services, "reader")
    assert client.get(f"/editor/gaps?{query}").status_code == 200
    assert client.get(f"/editor/gaps.json?{query}").status_code == 200


def test_a_hostile_question_is_harmless_wherever_it_stands(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    pages = ["/editor/gaps?least=1"]
    files = ["/editor/gaps.csv?least=1"]
    for gap in services.gaps.list():
        pages += [f"/editor/gaps/{gap.number}", f"/editor/gaps/{gap.number}/asked"]
        files.append(f"/editor/gaps/{gap.number}/asked.csv")
        json.loads(client.get(f"/editor/gaps/{gap.number}.json").text)
    for page in pages:
        for language in ("en", "zh-Hans"):
            answer = client.get(f"{page}{'&' if '?' in page else '?'}lang={language}")
            assert answer.status_code == 200
            text = answer.text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "49 sofa" not in text
    shown = "".join(client.get(page).text for page in pages)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; sofa" in shown
    for file in files:
        assert "\x1b" not in client.get(file).text
        for row in csv.reader(io.StringIO(client.get(file).text.removeprefix("\ufeff"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)


def test_what_was_asked_is_json_with_the_rows_of_the_page_and_says_if_anybody_was_played(
    client: FlaskClient, runner: CliRunner, services: Services, refreshed: Log
) -> None:
    sign_in(client, services, "reader")
    at = f"/editor/gaps/{_number(services, 'velvet sofa price')}/asked"
    assert f"{at}.json?reason=" in client.get(f"{at}?reason=low_confidence").text
    rows = list(csv.DictReader(io.StringIO(client.get(f"{at}.csv").text.removeprefix("\ufeff"))))

    def told() -> dict[str, Any]:
        return dict(client.get(f"{at}.json").get_json())

    found = told()
    assert found["simulated"] is False
    assert [one["event"] for one in found["asked"]] == [one["event"] for one in rows]
    assert found["asked"][0]["reasons"] == rows[0]["reasons"].split()
    assert client.get("/editor/gaps/999/asked.json").status_code == 404
    command = ["gaps", "--stored", "--json"]
    listed = json.loads(runner.invoke(cli, command).stdout)
    assert {one["simulated"] for one in listed} == {False}
    refreshed.ask("velvet sofa price", visitor=f"{PREFIX}1", at=DAY - timedelta(days=9))
    assert told()["simulated"] is True
    listed = json.loads(runner.invoke(cli, command).stdout)
    assert {one["simulated"] for one in listed} == {True}


def test_the_terminal_is_not_moved_by_a_question(
    runner: CliRunner, services: Services, log: Log
) -> None:
    for place in range(3):
        log.ask(HOSTILE[2], visitor=f"now{place}", at=datetime.now(UTC) - timedelta(minutes=9))
    done = runner.invoke(cli, ["gaps"])
    assert done.exit_code == 0, done.output
    assert "sofa" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    rows = json.loads(runner.invoke(cli, ["gaps", "--stored", "--json"]).stdout)
    old = {"query", "normalised", "locale", "searches", "visitors", "last_seen", "confidence",
           "top_article", "score"}  # fmt: skip
    assert old <= rows[0].keys()
    assert any("sofa" in row["query"] for row in rows)


def test_without_questions_the_terminal_says_so(runner: CliRunner, services: Services) -> None:
    assert "No unanswered question" in runner.invoke(cli, ["gaps"]).stdout


def test_an_editor_works_on_a_gap_and_the_page_tells(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    number = _number(services, "do you sell velvet sofas")
    here = f"/editor/gaps/{number}"

    def act(name: str, **form: object) -> None:
        version = services.gaps.get(number).version
        done = client.post(f"{here}/{name}", data={"version": version, **form})
        assert done.status_code == 303, done.text

    act("assign", owner="editor", due="2026-12-01")
    act("note", text="asked purchasing")
    act("kind", kind="outdated")
    act("ignore", because="we sell none")
    (ignored,) = services.accounts.trail.entries(Chosen(action="gap.ignored"), limit=2)
    assert ignored.detail == {}  # the text stands, cleaned, in the gap's history alone
    act("reopen")
    gap = services.gaps.get(number)
    assert (gap.owner, gap.kind, gap.kind_by, gap.state) == (
        "editor", Kind.OUTDATED, "editor", State.OPEN
    )  # fmt: skip
    page = client.get(here).text
    assert "asked purchasing" in page
    assert "we sell none" in page
    assert "Corrected by editor" in page
    refresh(services.engine, services.library, services.gap_refresher.embedder, services.clock)
    assert services.gaps.get(number).kind is Kind.OUTDATED


def test_what_was_typed_is_not_lost_when_somebody_else_was_first(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    number = services.gaps.list()[0].number
    services.gaps.assign(number, "ben", by="ben", version=1)
    done = client.post(f"/editor/gaps/{number}/note", data={"version": 1, "text": "a long thought"})
    assert done.status_code == 409
    assert "ben: assigned to ben" in done.text
    assert "a long thought</textarea>" in done.text
    assert 'name="version" value="2"' in done.text
    assert services.gaps.get(number).version == 2


def test_ticked_questions_stay_ticked_when_they_cannot_be_moved(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    number = _number(services, "velvet sofa price")
    key = key_of("velvet sofa price")
    version = services.gaps.get(number).version
    data = {"version": version, "question": key, "to": "999999"}
    done = client.post(f"/editor/gaps/{number}/move", data=data)
    assert done.status_code == 422
    assert "There is no gap 999999." in done.text
    assert f'value="{key}" id="q-{key}" checked' in done.text
    assert 'value="999999"' in done.text


def test_another_gap_is_named_by_words_of_its_name(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    one, other = services.gaps.list()[:2]
    at = f"/editor/gaps/{one.number}/merge"
    assert f'<option value="{other.number} ' in client.get(f"/editor/gaps/{one.number}").text
    nothing = client.post(at, data={"version": one.version, "into": "no such words"})
    assert nothing.status_code == 422
    assert "none is found by this one" in nothing.text
    with transaction(services.engine, "name gaps", writes=True) as connection:
        new_gap(connection, name="sofa of kind z", locale="en", at=NOW, kind=Kind.NO_ARTICLE)
        for gap in services.gaps.list():
            named = sa.update(GAPS).where(GAPS.c.number == gap.number)
            connection.execute(named.values(name=f"sofa of kind {gap.number}"))
    several = client.post(at, data={"version": one.version, "into": "Kind SOFA"})
    assert several.status_code == 422
    assert f"{other.number} sofa of kind {other.number}" in several.text
    done = client.post(at, data={"version": one.version, "into": f"Sofa of  kind {other.number}"})
    assert done.location == f"/editor/gaps/{other.number}"


def test_a_merged_gap_can_be_read_and_taken_out_again(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    one, other = (gap.number for gap in services.gaps.list()[:2])
    done = client.post(
        f"/editor/gaps/{one}/merge", data={"version": 1, "into": f"{other} its name"}
    )
    assert done.location == f"/editor/gaps/{other}"
    services.gaps.note(one, "asked purchasing", by="anna", version=2)
    merged = client.get(f"/editor/gaps/{one}?lang=en")
    assert merged.status_code == 200
    assert f"part of gap {other}" in merged.text
    assert "asked purchasing" in merged.text
    assert f'href="/editor/gaps/{one}"' in client.get(f"/editor/gaps/{other}").text
    undone = client.post(f"/editor/gaps/{one}/unmerge", data={"version": 3})
    assert undone.location == f"/editor/gaps/{one}"
    assert services.gaps.get(one).merged_into is None
    assert services.gaps.questions(one)


def test_the_queue_by_script_ignores_and_takes_it_back(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    sign_in(client, services)
    number = services.gaps.list()[0].number
    json_please = {"Accept": "application/json"}
    here = f"/editor/gaps/{number}/ignore"
    assert client.post(here, data={"version": 1}, headers=json_please).status_code == 422
    given = {"version": 1, "because": "not ours"}
    ignored = client.post(here, data=given, headers=json_please).json
    assert ignored is not None
    assert (ignored["state"], ignored["version"]) == ("ignored", 2)
    stale = client.post(f"/editor/gaps/{number}/reopen", data={"version": 1}, headers=json_please)
    assert stale.status_code == 409
    assert stale.json is not None
    assert stale.json["version"] == 2
    back = client.post(f"/editor/gaps/{number}/reopen", data={"version": 2}, headers=json_please)
    assert back.json is not None
    assert back.json["state"] == "open"


def test_a_gap_that_there_is_not_is_not_found(client: FlaskClient, services: Services) -> None:
    sign_in(client, services)
    assert client.get("/editor/gaps/404").status_code == 404
    assert client.post("/editor/gaps/404/note", data={"version": 1, "text": "x"}).status_code == 404


def test_only_one_process_refreshes_at_a_time(services: Services, log: Log) -> None:
    from portal.gaps.claim import Claim

    other = Claim(services.engine)
    assert other.take(NOW)
    assert services.gap_refresher.run_now() is None
    assert services.gap_refresher.progress() is not None
    other.release()
    assert services.gap_refresher.run_now() is not None
    assert services.gap_refresher.progress() is None


def test_a_claim_of_a_process_that_died_lapses(services: Services) -> None:
    from portal.gaps.claim import Claim

    assert Claim(services.engine).take(NOW - timedelta(minutes=3))
    assert services.gap_refresher.run_now() is not None


def test_every_entry_of_the_history_has_words(app: Flask) -> None:
    details: dict[str, object] = {
        "owner": "ben", "due": "2026-12-01", "text": "hm", "kind": "outdated", "into": 3, "gap": 4,
        "to": 5, "from": 6, "questions": 2, "because": "no", "keys": ["k"],
    }  # fmt: skip
    actions = ["assigned", "due", "note", "kind", "merged", "took", "split", "split_from", "moved",
               "received", "unmerged", "gave_back", *State]  # fmt: skip
    with app.test_request_context("/editor/gaps?lang=zh-Hans"):
        texts = [
            gap_words.entry_text(Entry(1, NOW, 1, "anna", str(action), details), {"k": "sofa"})
            for action in actions
        ]
    assert not set(texts) & set(map(str, actions))
    assert "sofa" in texts[actions.index("moved")]


def test_lists_in_chinese_are_joined_as_chinese_is(app: Flask) -> None:
    moved = Entry(1, NOW, 1, "anna", "moved", {"questions": 2, "gap": 4, "keys": ["a", "b"]})
    with app.test_request_context("/zh-Hans/"):
        assert gap_words.entry_text(moved, {"a": "沙发", "b": "展厅"}).endswith("：沙发；展厅")
    with app.test_request_context("/en/"):
        assert gap_words.entry_text(moved, {"a": "sofa", "b": "shop"}).endswith(": sofa; shop")


def test_only_who_may_work_on_gaps_is_given_one_and_no_day_that_is_past(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    number = _number(services, "do you sell velvet sofas")
    account(services, "reader")
    sign_in(client, services, "editor")

    def assign(owner: str, due: str) -> int:
        version = services.gaps.get(number).version
        fields = {"version": version, "owner": owner, "due": due}
        return client.post(f"/editor/gaps/{number}/assign", data=fields).status_code

    assert "<option>reader</option>" not in client.get(f"/editor/gaps/{number}").text
    assert assign("reader", "") == 422
    assert assign("editor", str(NOW.date() - timedelta(days=1))) == 422
    assert services.gaps.get(number).owner == ""
    assert assign("editor", str(NOW.date())) == 303


def test_a_day_that_went_by_is_told_in_words_and_may_stay(
    client: FlaskClient, services: Services, refreshed: Log
) -> None:
    number = _number(services, "do you sell velvet sofas")
    past = NOW.date() - timedelta(days=2)
    sign_in(client, services, "editor")
    services.gaps.assign(number, "editor", by="editor", version=1, due=past)
    for page in (client.get("/editor/gaps"), client.get(f"/editor/gaps/{number}")):
        assert "overdue since" in page.text
    version = services.gaps.get(number).version
    fields = {"version": version, "owner": "", "due": str(past)}
    assert client.post(f"/editor/gaps/{number}/assign", data=fields).status_code == 303
