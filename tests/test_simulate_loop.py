"""Invented editors work the queue of a simulation to its end, by the rules of real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from conftest import NOW, ROOT
from editor_session import sign_in
from portal.app import create_app
from portal.cli import cli
from portal.config import Settings
from portal.database import migrate, open_engine
from portal.digest.content import read_digest
from portal.gaps.claim import Claim
from portal.gaps.evidence import Evidence
from portal.gaps.live import look_of
from portal.gaps.proof_report import read_report
from portal.gaps.store import EVERYTHING, GapFilter, GapStore
from portal.gaps.tables import GAP_HISTORY, GAPS
from portal.gaps.types import State
from portal.proof.tables import PROOF_LIVE
from portal.services import Services, open_services
from portal.simulate import EDITORS, PREFIX
from portal.simulate.editors import LEAST_DAYS
from portal.simulate.log import RealVisitors, clear, refuse_real
from portal.simulate.mark import is_simulated
from portal.simulate.past import Past
from portal.simulate.play import Refreshing, simulate
from portal.tables import EVENTS, SEARCH_RESULTS, SEARCHES
from search.library import open_searcher
from search.types import Embedder

_EVENTS = 6000


@pytest.fixture(scope="module")
def played(
    published: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A log with the whole loop, of few visitors."""
    before = _articles()
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('loop') / 'events.db'}")
    migrate(engine)
    searcher = open_searcher(published, embedder)
    simulate(engine, searcher, now=NOW, days=LEAST_DAYS, events=_EVENTS, seed=3)
    assert _articles() == before
    yield engine
    engine.dispose()


def _articles() -> str:
    """Changes when anything in the folder of articles does."""
    files = sorted(path for path in (ROOT / "articles").rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def rows(engine: sa.Engine, query: Any) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(query).all())


def test_every_state_and_deed_of_the_queue_is_there(played: sa.Engine) -> None:
    gaps = GapStore(played, lambda: NOW).list(EVERYTHING)
    states = [gap.state for gap in gaps]
    assert State.CLOSED in states
    assert {State.OPEN, State.IGNORED, State.DRAFTED, State.PUBLISHED, State.REOPENED} <= {*states}
    done = {row.action for row in rows(played, sa.select(GAP_HISTORY)) if row.by}
    assert {"assigned", "note", "ignored", "kind", "merged", "drafted", "published"} <= done
    owners = {gap.owner for gap in gaps if gap.owner}
    assert owners == set(EDITORS)
    assert any(gap.due and gap.due < NOW.date() for gap in gaps)
    assert any(gap.due and gap.due > NOW.date() for gap in gaps)


def test_only_the_rules_close_and_reopen(played: sa.Engine) -> None:
    moved = sa.select(GAP_HISTORY).where(GAP_HISTORY.c.action.in_(["closed", "reopened"]))
    found = rows(played, moved)
    assert {row.by for row in found} == {""}
    assert all(row.detail["evidence"]["after"] >= 8 for row in found)
    looks = [look_of(row) for row in rows(played, sa.select(PROOF_LIVE))]
    for look in looks:
        assert look.evidence == Evidence.of(look.evidence.counts)
        assert look.evidence.counts.before_unresolved > 0
    reopened = [look for look in looks if look.verdict == "reopened"]
    assert [look.evidence.came_back or look.evidence.failed for look in reopened] == [True]


def test_nothing_found_an_article_before_it_was_published(played: sa.Engine) -> None:
    published = sa.select(GAPS.c.article, PROOF_LIVE.c.published_at).join(
        PROOF_LIVE, PROOF_LIVE.c.gap == GAPS.c.number
    )
    found = rows(played, published)
    assert len(found) >= 3
    r = SEARCH_RESULTS.c
    log = sa.join(SEARCHES, SEARCH_RESULTS, SEARCHES.c.id == r.search_id)
    for article, at in found:
        name = article.partition(":")[2]
        seen = sa.select(SEARCHES.c.at).select_from(log).where(r.article_id == name)
        times = [row.at for row in rows(played, seen)]
        assert all(at <= moment for moment in times), article
        assert times or at > NOW - timedelta(days=1), article


def test_the_report_and_the_digest_tell_of_it(played: sa.Engine) -> None:
    report = read_report(played, NOW - timedelta(days=90), NOW + timedelta(seconds=1))
    assert report.closed
    assert len(report.reopened) == 1
    assert 0 < report.answered <= report.questions
    assert report.saved is not None
    assert report.saved.value > 0
    digest = read_digest(played, (), NOW)
    assert digest.simulated
    assert digest.overdue


def test_the_pages_tell_of_it_with_every_number_named(
    played: sa.Engine, settings: Settings, embedder: Embedder
) -> None:
    address = played.url.render_as_string(hide_password=False)
    own = settings.model_copy(update={"database_url": address})
    services = open_services(own, clock=lambda: NOW, embedder=embedder)
    client = create_app(own, services).test_client()
    sign_in(client, services, "reader")
    report = client.get("/editor/proof?days=90").text
    closed = services.gaps.list(GapFilter(states=(State.CLOSED,), least=0))[0]
    gap = client.get(f"/editor/gaps/{closed.number}").text
    for page in (report, gap):
        assert "data-simulated" in page
        assert "since it was closed" in page
        assert 'data-label="Left without an answer' in page
    queue = client.get("/editor/gaps").text
    assert all(name in queue for name in (*EDITORS, "Reopened", "Drafted", "overdue"))
    services.engine.dispose()


def test_the_command_tells_programs_and_marks_what_it_tells(
    played: sa.Engine, runner: CliRunner, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATABASE_URL", played.url.render_as_string(hide_password=False))
    told = runner.invoke(cli, ["gaps", "--stored", "--all", "--json", "--limit", "1000"])
    assert told.exit_code == 0, told.output
    assert "never were" in told.stderr
    assert '"owner": "sim-anna"' in told.stdout
    assert '"state": "reopened"' in told.stdout


def test_the_same_seed_is_worked_on_the_same_and_leaves_nothing_behind(
    services: Services, published: Path, embedder: Embedder
) -> None:
    engine, searcher = services.engine, open_searcher(published, embedder)
    h = GAP_HISTORY.c
    done = []
    for _again in range(2):
        simulate(engine, searcher, now=NOW, days=LEAST_DAYS, events=500, seed=3)
        done.append(rows(engine, sa.select(h.at, h.by, h.action).order_by(h.id)))
    assert done[0] == done[1]
    assert {row.by for row in done[0]} >= set(EDITORS)
    simulate(engine, searcher, now=NOW, days=3, events=30, seed=1)
    for table in (GAPS, GAP_HISTORY, PROOF_LIVE):
        assert rows(engine, sa.select(table)) == []


def test_what_invented_editors_did_is_marked_without_the_visitors(
    services: Services, client: FlaskClient
) -> None:
    _gap(services, by=EDITORS[0])
    assert is_simulated(services.engine)
    refuse_real(services.engine)
    sign_in(client, services, "reader")
    assert "data-simulated" in client.get("/editor/proof").text


def test_gaps_of_real_visitors_whose_events_are_forgotten_are_not_removed(
    services: Services,
) -> None:
    number = _gap(services, by="anna")
    with pytest.raises(RealVisitors, match="gaps of real visitors"):
        clear(services.engine)
    assert services.gaps.get(number).owner == "anna"


def _gap(services: Services, *, by: str) -> int:
    """A gap that somebody owns, in a log without events."""
    from portal.gaps.changes import new_gap

    with services.engine.begin() as connection:
        number = new_gap(connection, name="a question", locale="en", at=NOW)
    services.gaps.assign(number, by, by=by, version=1)
    return number


def test_a_log_that_is_refreshed_just_now_is_left_alone(
    services: Services, published: Path, embedder: Embedder
) -> None:
    searcher = open_searcher(published, embedder)
    other = Claim(services.engine)
    assert other.take(NOW)
    with pytest.raises(Refreshing, match="wait"):
        simulate(services.engine, searcher, now=NOW, days=3, events=30, seed=1)
    other.release()
    simulate(services.engine, searcher, now=NOW, days=3, events=30, seed=1)
    assert other.take(NOW)
    for table in EVENTS:
        for row in rows(services.engine, sa.select(table)):
            assert row.visitor.startswith(PREFIX)


def test_the_past_hides_what_was_written_later() -> None:
    past = Past({"a": NOW}, {"a": NOW + timedelta(days=7)})
    assert past.hidden(NOW - timedelta(seconds=1)) == {"a"}
    assert past.hidden(NOW) == set()
    assert not past.is_outgrown("a", NOW)
    assert past.is_outgrown("a", NOW + timedelta(days=7))
    assert not past.is_outgrown("b", NOW + timedelta(days=7))
