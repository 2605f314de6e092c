"""`/editor/forms` and `kb forms`: who may see them, and that they show what was counted."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from conftest import NOW
from editor_session import sign_in
from portal.cli import cli
from portal.forms.counts import Counts, OpenSessions
from portal.forms.export import as_csv, plain_cell
from portal.forms.figures import Figures, Group, Selection
from portal.forms.outcomes import Outcome
from portal.services import Services
from test_form_outcomes import happened, typed


@pytest.fixture
def editor(client: FlaskClient, services: Services) -> FlaskClient:
    """A browser of somebody who may see figures and change nothing."""
    sign_in(client, services, "reader")
    return client


@pytest.fixture
def counted(services: Services) -> Services:
    """Ten sessions of three days ago: six shown, two of them confirmed; two held out."""
    for number in range(10):
        common = {"session": f"session-{number}", "visitor": f"visitor-{number}"}
        services.form_log.record_suggestion(typed(0, held_out=number in (6, 7), **common))
        if number < 6:
            services.form_log.record_event(happened("shown", 1, **common))
        if number < 2:
            services.form_log.record_event(happened("resolved", 2, **common))
        if 3 <= number < 7:
            services.form_log.record_event(happened("submitted", 3, **common))
    return services


def cells(page: str) -> dict[str, list[str]]:
    """The rows of all tables by their heading."""
    rows: dict[str, list[str]] = {}
    for row in LexborHTMLParser(page).css("tbody tr"):
        term = row.css_first("th .term") or row.css_first("th")
        assert term is not None
        texts = [" ".join(cell.text().split()) for cell in row.css("td")]
        rows.setdefault(" ".join(term.text().split()), texts)
    return rows


def test_the_page_shows_what_was_counted(editor: FlaskClient, counted: Services) -> None:
    rows = cells(editor.get("/editor/forms?lang=en").text)
    assert rows["With intent"][1] == "10"
    assert rows["Held out"][1] == "2"
    assert rows["Something found"][1:] == ["8", "100.0% 67.6% to 100.0%"]
    assert rows["Shown"][1] == "6"
    assert rows["Confirmed solved"][1:] == ["2", "33.3% 9.7% to 70.0%"]
    assert rows["Assumed solved"][1] == "1"
    assert rows["Sent anyway"][1] == "3"
    assert rows["Held out, nothing shown"][1] == "1 of 2"
    assert rows["Suggested"][1] == "3 of 8"
    assert rows["19 November 2026"] == ["10", "6", "2", "1", "3", "0", "0"]


def test_every_figure_has_its_definition_beside_it(editor: FlaskClient, counted: Services) -> None:
    page = LexborHTMLParser(editor.get("/editor/forms?lang=en").text)
    defined = {node.text(strip=True) for node in page.css("th:has(.definition) .term")}
    assert len(defined) == 5 + len(Outcome) - 1
    assert all(node.text(strip=True) for node in page.css(".definition"))


def test_charts_are_tables_too_and_need_no_style_of_their_own(
    editor: FlaskClient, counted: Services
) -> None:
    page = LexborHTMLParser(editor.get("/editor/forms?lang=en").text)
    assert page.css_first("[style]") is None
    assert page.css_first("main script") is None
    for chart in page.css("svg.bar"):
        assert chart.attributes["aria-hidden"] == "true"
        assert chart.parent is not None
        assert chart.parent.tag == "td"
    assert page.css_first("svg.stack[role=img][aria-label]") is not None
    assert page.css_first("details .figures-table") is not None


def test_the_page_speaks_the_language_that_was_asked_for(
    editor: FlaskClient, counted: Services
) -> None:
    answer = editor.get("/editor/forms?lang=zh-Hans&days=7")
    assert '<html lang="zh-Hans">' in answer.text
    assert cells(answer.text)["确认已解决"][1:] == ["2", "33.3% 9.7%至70.0%"]
    assert "lang=en" in answer.text
    assert "days=7" in answer.text


@pytest.mark.parametrize(
    ("query", "intent"),
    [("", 10), ("?days=7", 10), ("?form=request", 10), ("?form=demo", 0), ("?locale=en", 10),
     ("?locale=zh-Hans", 0), ("?locale=none", 0), ("?days=-1&form=%3Cscript%3E", 0),
     ("?days=90&locale=xx", 10)],
)  # fmt: skip
def test_filters_hold_for_the_page_and_its_downloads(
    editor: FlaskClient, counted: Services, query: str, intent: int
) -> None:
    page = editor.get(f"/editor/forms{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text
    got = editor.get(f"/editor/forms.json{query}").json
    assert got["total"]["intent"] == intent


def test_downloads_say_the_same(editor: FlaskClient, counted: Services) -> None:
    told = editor.get("/editor/forms.json").json
    answer = editor.get("/editor/forms.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="forms.csv"'
    first, last = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (first["form"], first["locale"], first["intent"]) == ("request", "en", "10")
    assert last["form"] == "total"
    assert float(last["confirmed_low"]) == told["total"]["shares"]["confirmed"]["low"]
    days = editor.get("/editor/forms-trend.csv").text.removeprefix("\ufeff")
    trend = list(csv.DictReader(io.StringIO(days)))
    assert sum(int(row["shown"]) for row in trend) == told["total"]["shown"] == 6
    assert len(trend) == len(told["trend"]) == 30


def test_no_cell_is_a_formula() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"):
        assert plain_cell(text) == f"'{text}"
    assert plain_cell("a=1") == "a=1"
    selection = Selection(NOW - timedelta(days=1), NOW)
    group = Group("-cmd", "en", Counts(intent=1))
    found = Figures(selection, NOW, Counts(intent=1), (group,), (), None, OpenSessions(), 0, 0)
    assert as_csv(found).splitlines()[1].startswith("'-cmd,")


def test_before_the_first_session_the_page_says_so(editor: FlaskClient, services: Services) -> None:
    text = editor.get("/editor/forms?lang=en").text
    assert "No session is over yet" in text
    services.form_log.record_event(happened("shown", 3 * 24 * 60 - 5))
    page = LexborHTMLParser(editor.get("/editor/forms?lang=en").text)
    young = page.css_first(".outside dd")
    assert young is not None
    assert " ".join(young.text().split()) == "1 so far 1 shown, 0 confirmed, 0 sent"


def test_figures_that_cannot_be_read_are_not_shown_as_none(
    editor: FlaskClient, services: Services
) -> None:
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE form_sessions")
    assert editor.get("/editor/forms").status_code == 503


# --- the command line ------------------------------------------------------------------------


def test_kb_forms_prints_what_was_counted(runner: CliRunner, counted: Services) -> None:
    counted.form_log.flush()
    done = runner.invoke(cli, ["forms", "--since", "2026-11-01"])
    assert done.exit_code == 0, done.output
    assert "request (en)" in done.output
    assert "confirmed       2 of 6       33.3 % (9.7 to 70.0)" in done.output
    assert "held out        1 of 2       50.0 %" in done.output


def test_kb_forms_as_json_is_filtered(runner: CliRunner, counted: Services) -> None:
    counted.form_log.flush()
    for arguments, intent in (([], 10), (["--locale", "zh-Hans"], 0), (["--form", "demo"], 0)):
        done = runner.invoke(cli, ["forms", "--json", "--since", "2026-11-01", *arguments])
        assert json.loads(done.output)["total"]["intent"] == intent
    assert runner.invoke(cli, ["forms", "--since", "yesterday"]).exit_code == 2


def test_kb_events_purge_forgets_forms_too(runner: CliRunner, counted: Services) -> None:
    counted.form_log.flush()
    with counted.engine.begin() as connection:
        for table, moment in (("form_sessions", "started_at"), ("form_events", "at"),
                              ("suggestions", "at")):  # fmt: skip
            connection.exec_driver_sql(f"UPDATE {table} SET {moment}='2020-01-01T00:00:00+00:00'")
    done = runner.invoke(cli, ["events", "purge"])
    assert "Removed 22 events" in done.output
    with counted.engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM form_sessions").scalar_one()
    assert left == 0
