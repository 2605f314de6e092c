"""`kb simulate` plays visitors who never were, and only where nobody else has been."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from conftest import NOW
from editor_session import sign_in
from figures_support import TODAY, search
from portal.cli import cli
from portal.config import Settings
from portal.database import migrate, open_engine
from portal.digest.content import as_dict, read_digest
from portal.digest.markdown import as_markdown
from portal.events import SqlEventStore
from portal.figures.read import Selection, figures
from portal.figures.rollup import roll_up
from portal.figures.tables import DAYS
from portal.services import Services
from portal.simulate import PREFIX
from portal.simulate.log import RealVisitors
from portal.simulate.mark import is_simulated
from portal.simulate.play import Played, simulate
from portal.simulate.pool import misspelt, topics_of, unanswered_topics
from portal.tables import (
    EVENTS,
    FORM_EVENTS,
    FORM_SESSIONS,
    HANDOVERS,
    SEARCHES,
    SUGGESTIONS,
    VIEWS,
    VOTES,
)
from search.library import open_searcher
from search.types import Embedder


@pytest.fixture(scope="module")
def played(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> tuple[sa.Engine, Played]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('simulated') / 'events.db'}")
    migrate(engine)
    searcher = open_searcher(published, embedder)
    return engine, simulate(engine, searcher, now=NOW, days=14, events=600, seed=7)


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all())


def test_it_plays_everything_a_report_is_made_of(played: tuple[sa.Engine, Played]) -> None:
    engine, told = played
    tables = (SEARCHES, VIEWS, VOTES, HANDOVERS, SUGGESTIONS, FORM_EVENTS)
    written = {table.name: rows(engine, table) for table in tables}
    assert all(written.values())
    assert told.events == sum(map(len, written.values()))
    assert 550 < told.events < 660
    for own in written.values():
        for row in own:
            assert row.visitor.startswith(PREFIX)
            assert NOW - timedelta(days=14) <= row.at < NOW
    searches = written["searches"]
    assert {row.locale for row in searches} == {"en", "zh-Hans"}
    assert {row.resolved for row in searches} == {row.bot for row in searches} == {True, False}


def test_its_figures_are_living_ones(played: tuple[sa.Engine, Played]) -> None:
    engine, _ = played
    roll_up(engine, NOW)
    with engine.begin() as connection:
        found = figures(connection, Selection(TODAY - timedelta(days=13), TODAY), NOW)
    counts = found.total
    assert 0.5 < counts.answered / counts.questions < 0.95
    assert 0.1 < counts.unresolved / counts.asked < 0.5
    for name in ("low_confidence", "handed_over", "sent_anyway", "clicked", "exits", "refined",
                 "helpful", "handovers"):  # fmt: skip
        assert getattr(counts, name), name


def test_the_same_seed_plays_the_same(
    played: tuple[sa.Engine, Played], services: Services, published: Path, embedder: Embedder
) -> None:
    first = played[0]
    searcher = open_searcher(published, embedder)
    simulate(services.engine, searcher, now=NOW, days=14, events=600, seed=7)
    for table in EVENTS:
        # What is measured differs a little from run to run, or in its last digits.
        same = [c for c in table.columns if c.name not in ("duration_ms", "confidence")]
        names = [column.name for column in same]
        assert [[getattr(row, name) for name in names] for row in rows(services.engine, table)] == [
            [getattr(row, name) for name in names] for row in rows(first, table)
        ]


def test_playing_again_begins_anew(services: Services, published: Path, embedder: Embedder) -> None:
    searcher = open_searcher(published, embedder)
    simulate(services.engine, searcher, now=NOW, days=5, events=60, seed=1)
    roll_up(services.engine, NOW)
    told = simulate(services.engine, searcher, now=NOW, days=3, events=30, seed=2)
    assert rows(services.engine, DAYS) == []
    tables = (*EVENTS, SUGGESTIONS, FORM_EVENTS)
    assert sum(len(rows(services.engine, table)) for table in tables) == told.events
    assert min(row.at for row in rows(services.engine, SEARCHES)) >= NOW - timedelta(days=3)


def test_a_single_real_visitor_stops_it_before_anything_is_changed(
    services: Services, published: Path, embedder: Embedder
) -> None:
    searcher = open_searcher(published, embedder)
    simulate(services.engine, searcher, now=NOW, days=3, events=30, seed=1)
    SqlEventStore(services.engine, lambda: NOW).record_search(search("a real one"))
    before = [rows(services.engine, table) for table in EVENTS]
    with pytest.raises(RealVisitors, match="KB_DATABASE_URL"):
        simulate(services.engine, searcher, now=NOW, days=3, events=30, seed=1)
    assert [rows(services.engine, table) for table in EVENTS] == before


def test_what_was_played_is_marked_beside_real_visitors_until_it_is_gone(
    services: Services, client: FlaskClient, published: Path, embedder: Embedder
) -> None:
    assert not is_simulated(services.engine)
    sign_in(client, services, "reader")
    assert "data-simulated" not in client.get("/editor/gaps").text
    simulate(
        services.engine, open_searcher(published, embedder), now=NOW, days=3, events=30, seed=1
    )
    SqlEventStore(services.engine, lambda: NOW).record_search(search("a real one"))
    for page in ("overview", "gaps", "questions", "articles", "forms", "proof"):
        assert "data-simulated" in client.get(f"/editor/{page}").text, page
        data = client.get(f"/editor/{page}.json").json
        assert (data[0] if isinstance(data, list) else data)["simulated"] is True, page
        file = client.get(f"/editor/{page}.csv").headers["Content-Disposition"]
        assert f"{page}-simulated.csv" in file
    assert "data-simulated" not in client.get("/editor/account").text
    digest = read_digest(services.engine, (), NOW)
    assert as_dict(digest, "")["simulated"] is True
    assert "never were" in as_markdown(digest, locale="en", base_url="")
    with services.engine.begin() as connection:
        for table in (*EVENTS, SUGGESTIONS, FORM_EVENTS):
            connection.execute(sa.delete(table).where(table.c.visitor.startswith(PREFIX)))
    assert not is_simulated(services.engine)


def test_sessions_of_forms_are_what_their_events_say(played: tuple[sa.Engine, Played]) -> None:
    engine, _ = played
    sessions = {row.session: row for row in rows(engine, FORM_SESSIONS)}
    sent = {row.session for row in rows(engine, FORM_EVENTS) if row.kind == "submitted"}
    assert sent == {key for key, row in sessions.items() if row.submitted_at}
    assert {row.session for row in rows(engine, SUGGESTIONS)} == set(sessions)


def test_the_bundled_questions_are_many_and_none_is_an_articles_own(services: Services) -> None:
    text = files("portal.simulate").joinpath("unanswered.json").read_text("utf-8")
    data = json.loads(text)
    own = {
        question.casefold()
        for article in services.library.catalogue
        for question in (article.title, *article.questions)
    }
    for locale in ("en", "zh-Hans"):
        questions = [question for topic in data.values() for question in topic[locale]]
        assert len(questions) == len(set(questions)) >= 60
        assert not {question.casefold() for question in questions} & own
    rng = random.Random(1)
    assert len(unanswered_topics(rng)) == len(data)
    assert all(topic.article for topic in topics_of(services.library.catalogue, rng))


@pytest.mark.parametrize("text", ["where is my refund", "退货的钱什么时候到", "a", "", "?!"])
def test_a_slip_is_the_same_every_time(text: str) -> None:
    assert misspelt(text) == misspelt(text)
    assert abs(len(misspelt(text)) - len(text)) <= 1


def test_the_command(runner: CliRunner, settings: Settings) -> None:
    told = runner.invoke(cli, ["simulate", "--days", "3", "--events", "40"])
    assert told.exit_code == 0, told.output
    assert "events over 3 days" in told.output
    engine = open_engine(settings.events_url)
    assert 1 <= len(rows(engine, DAYS)) <= 2  # yesterday is kept a while after midnight
    SqlEventStore(engine, lambda: NOW).record_search(search("a real one"))
    refused = runner.invoke(cli, ["simulate"])
    assert refused.exit_code == 2
    assert "real visitors" in refused.output
    engine.dispose()
