"""The log of forms: what it keeps, what it redacts, and that nobody feels it fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.event_types import EventsUnavailable
from portal.forms.counts import Counts, OpenSessions
from portal.forms.figures import Selection
from portal.forms.safe_log import SafeFormLog
from portal.forms.store import SqlFormLog
from portal.forms.types import SuggestedItem, SuggestionEvent, Trail
from test_form_outcomes import ITEM, NOW, START, happened, typed

ALL = Selection(START - timedelta(days=400), NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "portal.db"


@pytest.fixture
def engine(path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{path}")
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def log(engine: sa.Engine) -> SqlFormLog:
    return SqlFormLog(engine, lambda: NOW)


def rows(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_the_same_id_twice_is_one_event(engine: sa.Engine, log: SqlFormLog) -> None:
    shown, asked = happened("shown", 1), typed()
    log.record([shown, asked, shown, asked])
    log.record([replace(shown, kind="submitted"), replace(asked, text="Something else")])
    assert (rows(engine, "form_events"), rows(engine, "suggestions")) == (1, 1)
    assert log.figures(ALL).total == Counts(
        intent=1, suggested=1, shown=1, assumed=1
    )  # what came second under the same id is not believed


PLANTED = {
    "mail": "planted.person@mail.example",
    "phone": "13912345678",
    "card": "4111111111111111",
    "order": "113-5528819-4471234",
}


def test_nothing_personal_reaches_the_files_of_the_database(
    path: Path, engine: sa.Engine, log: SqlFormLog
) -> None:
    text = "I am planted.person@mail.example, 13912345678, card 4111 1111 1111 1111, " \
        "order 113-5528819-4471234 never came"  # fmt: skip
    asked = typed()
    assert isinstance(asked, SuggestionEvent)
    log.record_suggestion(
        replace(asked, text=text * 40, reason="call 13912345678",
                platform="planted.person@mail.example")
    )  # fmt: skip
    with engine.connect() as connection:
        kept, reason = connection.exec_driver_sql("SELECT text, reason FROM suggestions").one()
    assert "never came" in kept
    assert len(kept) <= 2000
    assert reason == "call [phone]"
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"never came" in written  # the search looks where the text went
    for planted in (*PLANTED.values(), "4111 1111 1111 1111"):
        assert planted.encode() not in written


def test_a_trail_names_what_was_shown_and_opened_once_and_in_order(log: SqlFormLog) -> None:
    other = SuggestedItem("refund-late", "en", "", 0.6)
    log.record([
        typed(5, items=(ITEM, other)), typed(1, items=(other,)),
        typed(9, items=(SuggestedItem("withheld", "en", "", 0.9),), held_out=True),
        happened("opened", 7, article="refund-timing"), happened("opened", 9),
        happened("opened", 6, article="refund-late"), happened("opened", 8, article="refund-late"),
        typed(3, items=(SuggestedItem("outdated before it was shown", "en", "", 0.9),)),
        typed(1, session="session-2", items=(SuggestedItem("elsewhere", "en", "", 0.9),)),
        *(happened("shown", at, suggestion_id=f"session-1-typed-{at}") for at in (9, 5, 1)),
        happened("submitted", 10, suggestion_id="session-1-typed-3"),
    ])  # fmt: skip
    assert log.trail("request", "session-1") == Trail(
        ("refund-late", "refund-timing"), ("refund-late", "refund-timing")
    )
    log.record([happened("helpful", 20, article="refund-partial")])
    assert "refund-partial" in log.trail("request", "session-1").shown
    assert log.trail("demo", "session-1") == Trail()


def test_figures_of_a_day_counted_by_hand(log: SqlFormLog) -> None:
    def session(name: str, *kinds: str, held: bool = False, found: bool = True,
                form: str = "request", visitor: str = "") -> None:  # fmt: skip
        common = {"session": name, "form": form, "visitor": visitor or name}
        log.record([
            typed(0, held_out=held, items=(ITEM,) if found else (), **common),
            *(happened(kind, n + 1, **common) for n, kind in enumerate(kinds)),
        ])  # fmt: skip

    for number in range(4):
        session(f"confirmed-{number}", "shown", "opened", "resolved")
    for number in range(3):
        session(f"silent-{number}", "shown")
    session("unhelped", "shown", "opened", "not_helpful")
    for number in range(5):
        session(f"sent-{number}", "shown", "submitted")
    session("reversed", "shown", "resolved", "submitted")
    session("found but not shown")
    session("nothing found, sent", "submitted", found=False)
    for number in range(4):
        session(f"held-{number}", "submitted", held=True)
    session("held and silent", held=True)
    session("other form", "shown", form="demo")
    log.record_event(happened("shown", session="a program", bot=True))
    log.record_event(happened("shown", 3 * 24 * 60 - 60, session="an hour ago"))
    log.record_suggestion(typed(1, session=None))

    found = log.figures(replace(ALL, form="request"))
    assert found.total == Counts(
        intent=21, withheld=5, suggested=15, shown=14, opened=5,
        confirmed=4, assumed=3, sent=5, reversed=1, left=1,
    )  # fmt: skip
    assert found.open == OpenSessions(sessions=1, shown=1)
    assert (found.bots, found.unfollowed) == (1, 1)
    assert found.holdout is not None
    suggested, withheld = found.holdout.suggested, found.holdout.withheld
    assert (suggested.count, suggested.of) == (6, 15)  # also the one found but not shown
    assert (withheld.count, withheld.of) == (4, 5)
    assert found.holdout.difference.value == pytest.approx(4 / 5 - 6 / 15)
    assert [point.counts.intent for point in found.trend if point.counts.intent] == [21]
    assert [group.form for group in log.figures(ALL).groups] == ["demo", "request"]


def test_a_confirmed_session_is_taken_back_when_its_visitor_sends_the_form_elsewhere(
    log: SqlFormLog,
) -> None:
    log.record([happened("shown"), happened("resolved", 1)])
    assert log.figures(ALL).total.confirmed == 1
    log.record([happened("submitted", 30, session="session-2")])
    assert log.figures(ALL).total.reversed == 1
    # Neither another form nor another visitor takes it back.
    log.record([happened("submitted", 30, session="session-3", form="demo", visitor="b")])
    log.record([happened("resolved", 1, session="session-4", form="demo", visitor="a")])
    assert log.figures(replace(ALL, form="demo")).total.confirmed == 1


def test_nobody_in_particular_takes_nothing_back(log: SqlFormLog) -> None:
    log.record([happened("resolved", 1, visitor=""),
                happened("submitted", 9, session="session-2", visitor="")])  # fmt: skip
    assert log.figures(ALL).total.confirmed == 1


def test_languages_are_those_that_were_named_and_can_be_asked_for(log: SqlFormLog) -> None:
    log.record([typed(1, locale="zh-Hans"), happened("shown"), happened("shown", session="s-2")])
    groups = {group.locale: group.counts.intent for group in log.figures(ALL).groups}
    assert groups == {"zh-Hans": 1, "": 1}
    assert log.figures(replace(ALL, locale="")).total.intent == 1


def test_weeks_begin_on_monday_and_empty_ones_are_there(log: SqlFormLog) -> None:
    log.record([happened("shown")])  # 19 November 2026 is a Thursday
    trend = log.figures(Selection(NOW - timedelta(days=14), NOW, step="week")).trend
    assert [(point.day.isoformat(), point.counts.shown) for point in trend] == [
        ("2026-11-02", 0), ("2026-11-09", 0), ("2026-11-16", 1),
    ]  # fmt: skip


def test_purge_forgets_what_is_older(engine: sa.Engine, log: SqlFormLog) -> None:
    log.record([typed(0), happened("shown", 1), happened("resolved", 2)])
    log.record([typed(600, session="session-2")])
    assert log.purge(START + timedelta(minutes=300)) == 3
    assert [rows(engine, name) for name in ("suggestions", "suggestion_items", "form_events",
                                            "form_sessions")] == [1, 1, 0, 1]  # fmt: skip
    assert log.figures(ALL).total.intent == 1


# --- failures --------------------------------------------------------------------------------


def test_a_failing_log_is_never_felt_and_always_told(tmp_path: Path) -> None:
    told: list[str] = []
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")  # never migrated
    safe = SafeFormLog(SqlFormLog(engine, lambda: NOW), lambda what, error: told.append(what))
    safe.record_event(happened("shown"))
    safe.record_suggestion(typed())
    assert safe.trail("request", "session-1") == Trail()
    with pytest.raises(EventsUnavailable):
        safe.figures(ALL)
    with pytest.raises(EventsUnavailable):
        safe.purge(NOW)
    safe.close()
    assert {"record_form", "form_trail", "drop_form"} <= set(told)
    engine.dispose()


def test_what_a_locked_database_could_not_take_is_written_when_it_is_free(
    path: Path, engine: sa.Engine, log: SqlFormLog
) -> None:
    told: list[str] = []
    clock = iter(range(0, 10_000, 100))
    safe = SafeFormLog(log, lambda what, error: told.append(what), monotonic=lambda: next(clock))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    safe.record_event(happened("shown"))
    safe.flush()
    assert told
    assert set(told) == {"record_form"}
    other.execute("ROLLBACK")
    other.close()
    assert safe.figures(ALL).total.shown == 1
    safe.close()


def test_errors_repeat_nothing_that_was_typed(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    with pytest.raises(EventsUnavailable) as caught:
        SqlFormLog(engine, lambda: NOW).record([typed(text="a secret of mine")])
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    engine.dispose()


def test_moments_need_a_zone(log: SqlFormLog) -> None:
    with pytest.raises(EventsUnavailable):
        log.record([typed(at=datetime(2026, 11, 1))])
    log.record([typed(at=datetime(2026, 11, 1, tzinfo=UTC))])
