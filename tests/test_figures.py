"""Figures of the log: what each counts, and that kept days say what the log says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from figures_support import NOW, TODAY, Event, Log, at, form, handover, search, view, vote
from portal.figures import late
from portal.figures.counts import NAMES, Counts, rates
from portal.figures.explore import STATES, Place, Wanted, explore
from portal.figures.read import Figures, Selection, articles, figures
from portal.figures.rollup import last_final, roll_up
from portal.figures.tables import DAYS, FIGURES, QUESTIONS, TEXTS
from portal.gaps.reasons import settled_counts, unresolved_questions
from portal.tables import SEARCHES

WEEK = Selection(TODAY - timedelta(days=6), TODAY)


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def shared() -> Iterator[Log]:
    made = Log()
    yield made
    made.engine.dispose()


def read(log: Log, selection: Selection = WEEK) -> Figures:
    with log.engine.begin() as connection:
        return figures(connection, selection, NOW)


def total(log: Log, selection: Selection = WEEK) -> Counts:
    return read(log, selection).total


def nonzero(counts: Counts) -> dict[str, int]:
    return {name: number for name, number in asdict(counts).items() if number}


def test_no_data_is_not_zero(log: Log) -> None:
    log.write(search(channel="api", resolved=False, results=()))
    shares = rates(total(log))
    assert shares["clicked"] is None
    assert shares["helpful"] is None
    assert shares["unresolved"] is not None
    assert shares["unresolved"].value == 1


def test_keystrokes_repeats_blanks_and_programs_are_no_questions(log: Log) -> None:
    log.write(
        search("whe", days=1), search("where is", days=1, seconds=2),
        search("where is my refund", days=1, seconds=4),
        search("where is my refund", days=1, seconds=400),
        search("", days=1, visitor="w"), search("refund", days=1, visitor="x", bot=True),
        search("refund", days=1, visitor="y", mode="keyword"),
    )  # fmt: skip
    counts = total(log)
    assert (counts.searches, counts.questions, counts.bots, counts.left_out) == (7, 1, 1, 5)
    assert counts.visitors == 1


def test_an_answer_that_was_read_is_no_exit_and_needs_no_click(log: Log) -> None:
    log.write(search(days=1, answer_article="refund-timing"))
    assert nonzero(total(log)) == {
        "searches": 1, "questions": 1, "visitors": 1, "answered": 1, "tracked": 1,
    }  # fmt: skip


def test_leaving_with_nothing_is_an_exit_and_asking_again_a_refinement(log: Log) -> None:
    log.write(
        search("parcel", days=1, resolved=False),
        search("parcel is lost", days=1, seconds=60, resolved=False),
        search("something else", days=1, seconds=60 + 3600, resolved=False),
    )
    counts = total(log)
    assert (counts.refined, counts.exits) == (1, 2)


def test_opening_an_article_is_neither_exit_nor_refinement(log: Log) -> None:
    first = search("parcel", days=1, resolved=False)
    log.write(first, view(first, 10), search("other words", days=1, seconds=60, resolved=False))
    log.write(handover(search("ask me", days=1, visitor="w", resolved=False), 60))
    counts = total(log)
    assert (counts.clicked, counts.refined, counts.exits) == (1, 0, 1)


def test_the_latest_vote_of_a_visitor_counts(log: Log) -> None:
    asked = search(days=1)
    log.write(asked, vote(asked, False), vote(asked, True, 300))
    other = search(days=1, visitor="w", platform="pinecart")
    log.write(other, vote(other, False))
    counts = total(log)
    assert (counts.helpful, counts.unhelpful, counts.not_helpful) == (1, 1, 1)
    by = read(log).by["platform"]
    assert (by["pinecart"].unhelpful, by[""].helpful) == (1, 1)
    with log.engine.begin() as connection:
        found = articles(connection, WEEK.first, WEEK.last, NOW)
    own = found["refund-timing", "en"]
    assert (own.helpful, own.unhelpful, own.reasons) == (1, 1, {"wrong": 1})


def test_what_was_asked_elsewhere_is_unresolved_and_part_of_all_that_was_asked(log: Log) -> None:
    log.write(search(days=1, answer_article="refund-timing"), *form("hello there", 1, sent=True))
    log.write(*form("not sent", 1, sent=False))
    log.write(handover(search("never searched", days=1), query="not in the log"))
    counts = total(log)
    assert (counts.questions, counts.elsewhere, counts.unresolved) == (1, 2, 2)
    assert (counts.sent_anyway, counts.handed_over, counts.handovers) == (1, 1, 1)


def test_a_selection_is_of_its_days_and_groups(log: Log) -> None:
    log.write(search(days=8), search(days=7, visitor="w"), search(days=2, locale="zh-Hans"))
    log.write(search(days=2, visitor="p", platform="pinecart"))
    found = read(log)
    assert (found.total.questions, found.before.questions) == (2, 2)
    assert found.days[4][1].questions == 2
    for chosen, expected in (
        (Selection(WEEK.first, WEEK.last, locale="zh-Hans"), 1),
        (Selection(WEEK.first, WEEK.last, platform=""), 1),
        (Selection(WEEK.first, WEEK.last, platform="pinecart", channel="page"), 1),
        (Selection(WEEK.first, WEEK.last, channel="api"), 0),
    ):
        assert total(log, chosen).questions == expected


def test_what_is_asked_more_than_before_rises(log: Log) -> None:
    for number in range(5):
        log.write(search("new thing", days=1, visitor=f"n{number}"))
        log.write(search("old thing", days=1, visitor=f"o{number}"))
        log.write(search("old thing", days=9, visitor=f"o{number}"))
    found = read(log)
    assert [one.text for one in found.rising] == ["new thing"]
    assert {(one.text, one.questions, one.before) for one in found.top} == {
        ("new thing", 5, 0), ("old thing", 5, 5),
    }  # fmt: skip


def test_only_days_that_are_over_for_an_hour_are_kept(log: Log) -> None:
    log.write(search(), search(days=1), search(days=2))
    midnight = NOW.replace(hour=0)
    assert last_final(midnight + timedelta(minutes=59)) == TODAY - timedelta(days=2)
    assert last_final(midnight + timedelta(minutes=60)) == TODAY - timedelta(days=1)
    assert roll_up(log.engine, NOW) == 2
    assert read(log).raw == (TODAY,)
    assert total(log).questions == 3
    assert roll_up(log.engine, NOW) == 0


def test_days_that_are_missing_are_made_again(log: Log) -> None:
    log.write(search(days=1), search(days=2))
    roll_up(log.engine, NOW)
    with log.engine.begin() as connection:
        connection.execute(sa.delete(DAYS))
        connection.execute(sa.update(FIGURES).values(questions=99))
    assert total(log).questions == 2
    assert roll_up(log.engine, NOW) == 2
    assert total(log).questions == 2


def test_what_comes_late_or_past_the_stores_is_counted(log: Log) -> None:
    asked = search(days=2, resolved=True)
    log.write(asked, search(days=1))
    roll_up(log.engine, NOW)
    log.write(view(asked, 60))
    assert TODAY - timedelta(days=2) in read(log).raw
    assert total(log).clicked == 1
    roll_up(log.engine, NOW)
    with log.engine.begin() as connection:
        row = connection.execute(sa.select(SEARCHES).limit(1)).mappings().one()
        connection.execute(sa.insert(SEARCHES), {**row, "id": "copied", "visitor": "somebody"})
    assert total(log).questions == 2, "nobody said so yet"
    assert roll_up(log.engine, NOW) >= 1
    assert total(log).questions == 3


def test_a_click_after_midnight_counts_for_the_day_of_its_search(log: Log) -> None:
    asked = search(days=2.5 - 1e-6)
    assert asked.at.hour == 0
    log.write(asked, search("x", days=1))
    roll_up(log.engine, NOW)
    log.write(view(asked, 86_400, visitor="another-key"))
    days = dict(read(log).days)
    assert days[asked.at.date()].clicked == 1
    assert days[asked.at.date()].reads == 0


def test_what_is_asked_again_while_it_is_forgotten_stays(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(search("asked again", days=5))
    roll_up(log.engine, NOW)
    real = late.transaction

    def meanwhile(engine: sa.Engine, purpose: str, *, writes: bool = False) -> Any:
        if purpose == "forget questions nobody asked":
            monkeypatch.undo()
            log.write(search("asked again", days=1))
            roll_up(log.engine, NOW)
        return real(engine, purpose, writes=writes)

    monkeypatch.setattr(late, "transaction", meanwhile)
    late.forget(log.engine, at(3))
    with log.engine.begin() as connection:
        assert connection.scalars(sa.select(TEXTS.c.text)).all() == ["asked again"]


def test_purging_forgets_what_was_asked(log: Log) -> None:
    log.write(search("my secret question", days=5), search("kept", days=1))
    roll_up(log.engine, NOW)
    log.events.purge(at(3))
    with log.engine.begin() as connection:
        assert connection.scalars(sa.select(TEXTS.c.text)).all() == ["kept"]
        assert len(connection.scalars(sa.select(QUESTIONS.c.day)).all()) == 1
    assert total(log).questions == 1


# Any events, in any order, with the days counted and kept at any moments in between.

_TEXTS = ("re", "refund", "refund by card", "parcel", "退款", "")


@st.composite
def _visits(draw: st.DrawFn) -> list[Event]:
    # From 0:00 of the oldest day to noon of the last; a visitor's key is of one day.
    days = draw(st.integers(0, 3))
    start = draw(st.integers(-43_200, -60 if days == 0 else 43_000))
    visitor = draw(st.sampled_from("abc"))
    events: list[Event] = []
    for _ in range(draw(st.integers(1, 3))):
        one = search(
            draw(st.sampled_from(_TEXTS)), days, start, visitor,
            locale=draw(st.sampled_from(("en", "zh-Hans"))),
            channel=draw(st.sampled_from(("page", "typed", "api"))),
            platform=draw(st.sampled_from((None, "pinecart"))),
            resolved=draw(st.booleans()), bot=draw(st.integers(0, 9)) == 0,
            mode=draw(st.sampled_from(("hybrid", "hybrid", "keyword"))),
            answer_article=draw(st.sampled_from((None, "refund-timing"))),
            results=draw(st.sampled_from(((), ("refund-timing",), ("a", "b")))),
        )  # fmt: skip
        if one.at.date() != at(days).date():
            break
        events.append(one)
        for seconds in draw(st.lists(st.sampled_from((3, 50, 3000, 50_000)), max_size=2)):
            moment = one.at + timedelta(seconds=seconds)
            same_day = moment.date() == one.at.date()
            who = one.visitor if same_day else f"{moment:%d}later"
            kind = draw(st.sampled_from(("view", "yes", "no", "handover")))
            if moment > NOW:
                continue
            if kind == "view":
                events.append(view(one, seconds, visitor=who))
            elif kind == "handover":
                if same_day:
                    events.append(handover(one, seconds))
            else:
                events.append(vote(one, kind == "yes", seconds, visitor=who))
        start += draw(st.sampled_from((2, 15, 100, 4000)))
    if draw(st.integers(0, 3)) == 0:
        text = draw(st.sampled_from(_TEXTS))
        events += form(text, max(days, 0.1), sent=draw(st.booleans()), visitor=visitor)
    return events


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(visits=st.lists(_visits(), max_size=6), seed=st.integers(0, 2**32))
def test_kept_days_say_what_the_log_says(shared: Log, visits: list[list[Event]], seed: int) -> None:
    shared.clear()
    rng = random.Random(seed)
    events = [event for visit in visits for event in visit]
    rng.shuffle(events)
    for event in events:
        shared.write(event)
        if rng.random() < 0.12:
            roll_up(shared.engine, NOW)
    late = _everything(shared)
    roll_up(shared.engine, NOW)
    kept = _everything(shared)
    with shared.engine.begin() as connection:
        connection.execute(sa.delete(DAYS))
    raw = _everything(shared)
    assert late == kept == raw
    _agrees_with_the_gaps(shared, raw)
    _has_its_rows(shared, raw)


def test_a_day_is_counted_anew_when_something_came_that_belongs_to_it(shared: Log) -> None:
    shared.clear()
    asked = search("refund", 1.02, visitor="a")
    shared.write(asked)
    assert _everything(shared)["total"].clicked == 0
    shared.write(view(asked, 3000, visitor="later"))
    assert _everything(shared)["total"].clicked == 1
    shared.write(search("refund", 1.02, visitor="b"))
    assert _everything(shared)["total"].questions == 2


def test_a_day_is_counted_anew_when_its_questions_may_have_grown_old(shared: Log) -> None:
    shared.clear()
    asked = search("refund", 0.001, visitor="a")
    shared.write(asked)
    with shared.engine.begin() as connection:
        assert figures(connection, WEEK, NOW).total.no_click == 0
        assert figures(connection, WEEK, NOW + timedelta(hours=2)).total.no_click == 1


def _everything(log: Log) -> dict[str, Any]:
    found = read(log)
    with log.engine.begin() as connection:
        read_articles = articles(connection, WEEK.first, WEEK.last, NOW)
    return {
        "total": found.total, "days": found.days, "by": found.by, "articles": read_articles,
        "top": {(q.text.casefold(), q.questions, q.unresolved) for q in found.top},
    }  # fmt: skip


def _agrees_with_the_gaps(log: Log, found: dict[str, Any]) -> None:
    """The rate and the queue speak of the same questions, counted over all days at once."""
    with log.engine.begin() as connection:
        period = {"since": at(6.5), "until": at(-0.5)}
        unresolved = unresolved_questions(connection, **period, now=NOW)
        settled = settled_counts(connection, **period)
    counts = found["total"]
    assert counts.questions == sum(settled.values())
    assert counts.unresolved == len(unresolved)
    for name in ("nothing", "low_confidence", "no_click", "not_helpful", "handed_over",
                 "sent_anyway"):  # fmt: skip
        assert getattr(counts, name) == sum(name in one.reasons for one in unresolved)


def _has_its_rows(log: Log, found: dict[str, Any]) -> None:
    """Behind every figure are as many rows as it says, also page by page."""
    counts = found["total"]
    expected = {
        "question": counts.asked, "answered": counts.answered, "unresolved": counts.unresolved,
        "clicked": counts.clicked, "exit": counts.exits, "refined": counts.refined,
    }  # fmt: skip
    for state in STATES:
        rows: list[str] = []
        after: Place | None = None
        while True:
            with log.engine.begin() as connection:
                page = explore(connection, Wanted(WEEK, state), NOW, after=after, limit=4,
                               seconds=60)  # fmt: skip
            rows += [row.id for row in page.rows]
            if page.following is None:
                break
            after = Place.read(str(page.following))
        assert len(rows) == len(set(rows)) == expected[state], state


def test_every_count_has_a_column() -> None:
    assert set(NAMES) <= {column.name for column in FIGURES.columns}
