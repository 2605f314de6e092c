"""What came of a session of a form, in whatever order its events arrive; intervals; hold-out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.database import migrate, open_engine
from portal.forms.counts import Counts
from portal.forms.figures import Selection, shares
from portal.forms.holdout import is_held_out
from portal.forms.intervals import Share, newcombe, wilson
from portal.forms.outcomes import Outcome, outcome
from portal.forms.registry import Form
from portal.forms.sessions import Facts, gather
from portal.forms.store import SqlFormLog
from portal.forms.types import EVENT_KINDS, FormEvent, SuggestedItem, SuggestionEvent
from portal.tables import FORM_EVENTS, FORM_SESSIONS, SUGGESTION_ITEMS, SUGGESTIONS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = NOW - timedelta(days=3)
ITEM = SuggestedItem("refund-timing", "en", "card", 0.8)

Event = SuggestionEvent | FormEvent


def happened(
    kind: str, minutes: float = 0, session: str = "session-1", **other: object
) -> FormEvent:
    event = FormEvent(
        id=f"{session}-{kind}-{minutes}", at=START + timedelta(minutes=minutes), session=session,
        form="request", visitor="a", locale="", kind=kind,
    )  # fmt: skip
    return replace(event, **other)


def typed(
    minutes: float = 0, *, session: str | None = "session-1", **other: object
) -> SuggestionEvent:
    event = SuggestionEvent(
        id=f"{session}-typed-{minutes}", at=START + timedelta(minutes=minutes), session=session,
        visitor="a", form="request", locale="en", text="Where is my refund?", reason=None,
        platform=None, confidence=0.8, resolved=True, held_out=False, generation="g",
        duration_ms=12.0, bot=False, items=(ITEM,),
    )  # fmt: skip
    return replace(event, **other)


DAY = 24 * 60.0
CASES: list[tuple[str, list[Event], float | None, Outcome]] = [
    ("typed and left at once, nothing shown", [typed()], None, Outcome.LEFT),
    ("shown and silent for a day", [typed(), happened("shown", 1)], None, Outcome.ASSUMED),
    ("opened and silent", [happened("opened", 1)], None, Outcome.ASSUMED),
    ("called helpful is not called solved", [happened("helpful", 1)], None, Outcome.ASSUMED),
    ("confirmed", [happened("shown"), happened("resolved", 2)], None, Outcome.CONFIRMED),
    ("sent", [happened("shown"), happened("submitted", 2)], None, Outcome.SENT),
    ("confirmed, then sent", [happened("resolved", 1), happened("submitted", 2)], None,
     Outcome.REVERSED),
    ("sent, then confirmed", [happened("submitted", 1), happened("resolved", 2)], None,
     Outcome.SENT),
    ("sent and confirmed at once", [happened("submitted", 1), happened("resolved", 1)], None,
     Outcome.SENT),
    ("sent in the last minute", [happened("shown"), happened("submitted", DAY)], None,
     Outcome.SENT),
    ("left and sent after all", [happened("shown"), happened("submitted", DAY + 1)], None,
     Outcome.REVERSED),
    ("unhelped and sent late", [happened("not_helpful"), happened("submitted", DAY + 1)], None,
     Outcome.SENT),
    ("confirmed, sent on another page", [happened("resolved", 1)], 2, Outcome.REVERSED),
    ("confirmed after another was sent", [happened("resolved", 5)], 2, Outcome.CONFIRMED),
    ("left, sent on another page", [happened("shown", 1)], 2, Outcome.REVERSED),
    ("sent on another page before", [happened("shown", 3)], 2, Outcome.ASSUMED),
    ("did not help, left", [happened("shown"), happened("not_helpful", 1)], None, Outcome.LEFT),
    ("did not help, then did", [happened("not_helpful", 1), happened("helpful", 2)], None,
     Outcome.ASSUMED),
    ("helped, then did not", [happened("helpful", 1), happened("not_helpful", 2)], None,
     Outcome.LEFT),
    ("sent without having been shown anything", [typed(), happened("submitted", 9)], None,
     Outcome.SENT),
    ("nothing shown, sent elsewhere: nothing to take back", [typed()], 2, Outcome.LEFT),
]  # fmt: skip


@pytest.mark.parametrize(("events", "elsewhere", "came"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
def test_outcomes(events: list[Event], elsewhere: float | None, came: Outcome) -> None:
    sent = None if elsewhere is None else START + timedelta(minutes=elsewhere)
    assert outcome(gather(events), NOW, sent) is came


def test_nothing_is_said_of_a_session_within_its_day() -> None:
    facts = gather([happened("shown")])
    assert outcome(facts, START + timedelta(hours=24, microseconds=-1)) is Outcome.PENDING
    assert outcome(facts, START + timedelta(hours=24)) is Outcome.ASSUMED
    confirmed = gather([happened("shown"), happened("resolved", 1)])
    assert outcome(confirmed, START + timedelta(hours=1)) is Outcome.CONFIRMED


minutes = st.integers(0, 4000)
visitors = st.sampled_from(["a", "b", ""])
events = st.one_of(
    st.builds(
        happened, st.sampled_from(EVENT_KINDS), minutes, visitor=visitors,
        locale=st.sampled_from(["", "en", "zh-Hans"]),
    ),
    st.builds(
        typed, minutes, visitor=visitors, held_out=st.booleans(),
        items=st.sampled_from([(), (ITEM,)]), locale=st.sampled_from(["en", "zh-Hans"]),
    ),
)  # fmt: skip
histories = st.lists(events, min_size=1, max_size=12)


@given(histories, st.data())
def test_order_and_repetition_change_nothing(history: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=5))
    shuffled = data.draw(st.permutations(history + again))
    assert gather(shuffled) == gather(history)


@given(histories, histories, histories)
def test_parts_may_be_gathered_apart(a: list[Event], b: list[Event], c: list[Event]) -> None:
    from portal.forms.sessions import merge

    parts = gather(a), gather(b), gather(c)
    assert merge(merge(parts[0], parts[1]), parts[2]) == gather([*a, *b, *c])
    assert merge(parts[0], merge(parts[2], parts[1])) == gather([*a, *b, *c])
    assert merge(parts[0], parts[0]) == parts[0]


@given(histories, events)
def test_a_late_event_never_makes_more_of_the_suggestions_than_was_known(
    history: list[Event], late: Event
) -> None:
    """Only words of the customer can turn a sent form into a confirmed one; sending never does."""
    before, after = outcome(gather(history), NOW), outcome(gather([*history, late]), NOW)
    if isinstance(late, FormEvent) and late.kind == "submitted":
        assert after in (Outcome.SENT, Outcome.REVERSED)
    if after is Outcome.CONFIRMED and before is not Outcome.CONFIRMED:
        assert isinstance(late, FormEvent)
        assert late.kind == "resolved"


@given(histories)
def test_nothing_can_be_solved_that_was_never_shown(history: list[Event]) -> None:
    facts = gather(history)
    if facts.shown_at is None:
        assert outcome(facts, NOW, NOW) in (Outcome.SENT, Outcome.LEFT, Outcome.PENDING)


# --- the same in the database ----------------------------------------------------------------

engine = open_engine("sqlite://")


@pytest.fixture(scope="module", autouse=True)
def _tables() -> None:
    migrate(engine)


sessions = st.dictionaries(
    st.sampled_from([f"session-{n}" for n in range(6)]), histories, min_size=1, max_size=6
)


def of_session(session: str, number: int, event: Event) -> Event:
    return replace(event, session=session, id=f"{session}-{number}")


def expected(histories: dict[str, list[Event]]) -> Counts:
    """Counted by the pure functions, one session after the other."""
    facts = {session: gather(history) for session, history in histories.items()}
    total = Counts()
    for session, one in facts.items():
        if one.bot or one.assumed_at > NOW:
            continue
        came = outcome(one, NOW, sent_elsewhere(session, facts))
        shown = one.shown_at is not None
        withheld = one.held_out and not shown
        found = shown or (one.found_at is not None and not one.held_out)
        total += Counts(
            intent=1, withheld=withheld, suggested=found, shown=shown,
            opened=one.opened_at is not None,
            **{name.value: shown and came is name for name in Outcome
               if name is not Outcome.PENDING},
        )  # fmt: skip
    return total


def sent_elsewhere(session: str, facts: dict[str, Facts]) -> datetime | None:
    mine = facts[session].visitor
    moments = [
        other.submitted_at for name, other in facts.items()
        if name != session and mine and other.sent_by == mine and other.submitted_at is not None
    ]  # fmt: skip
    return max(moments, default=None)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sessions, st.data())
def test_the_database_counts_what_the_pure_functions_say(
    drawn: dict[str, list[Event]], data: st.DataObject
) -> None:
    with engine.begin() as connection:
        for table in (SUGGESTION_ITEMS, SUGGESTIONS, FORM_EVENTS, FORM_SESSIONS):
            connection.execute(sa.delete(table))
    told = {
        session: [of_session(session, number, event) for number, event in enumerate(history)]
        for session, history in drawn.items()
    }
    everything = [event for history in told.values() for event in history]
    shuffled = data.draw(st.permutations([*everything, *everything[:3]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    log = SqlFormLog(engine, lambda: NOW)
    log.record(shuffled[:cut])
    log.record(shuffled[cut:])
    found = log.figures(Selection(START - timedelta(days=1), NOW))
    assert found.total == expected(told)
    assert found.open.sessions + found.total.intent == len(told)
    assert sum((point.counts for point in found.trend), Counts()) == found.total
    assert sum((group.counts for group in found.groups), Counts()) == found.total
    total = found.total
    assert total.shown == sum(
        (total.confirmed, total.assumed, total.sent, total.reversed, total.left)
    )


# --- intervals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of
    # seven methods", 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_gives_the_published_intervals(count: int, of: int, low: float, high: float) -> None:
    share = wilson(count, of)
    assert share is not None
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    # R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    # comparison of eleven methods", 1998, table II, method 10.
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090),
     ((10, 10), (0, 20), 0.6791, 1.0), ((6, 7), (2, 7), 0.0582, 0.8062)],
)  # fmt: skip
def test_newcombe_gives_the_published_intervals(
    a: tuple[int, int], b: tuple[int, int], low: float, high: float
) -> None:
    one, other = wilson(*a), wilson(*b)
    assert one is not None
    assert other is not None
    found = newcombe(one, other)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_a_share(case: tuple[int, int]) -> None:
    share = wilson(*case)
    assert share is not None
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert share.low < share.high


def test_of_nothing_there_is_no_share() -> None:
    assert wilson(0, 0) is None
    assert set(shares(Counts()).values()) == {None}
    assert shares(Counts(intent=10, withheld=2, suggested=4))["suggested"] == wilson(4, 8)
    assert isinstance(shares(Counts(shown=4, sent=1))["sent"], Share)


# --- the hold-out ----------------------------------------------------------------------------


def form(holdout: float, key: str = "request") -> Form:
    return Form(key, {"en": "A form"}, holdout=holdout)


def test_the_share_held_out_is_the_share_asked_for_and_differs_by_form() -> None:
    names = [f"session-{number}" for number in range(20_000)]
    held = {name for name in names if is_held_out(form(0.1), name)}
    assert len(held) / len(names) == pytest.approx(0.1, abs=0.01)
    other = {name for name in names if is_held_out(form(0.1, "shop"), name)}
    assert len(held & other) / len(names) == pytest.approx(0.01, abs=0.005)
    more = {name for name in names if is_held_out(form(0.2), name)}
    assert held < more


def test_none_all_and_those_without_a_session() -> None:
    names = [f"session-{number}" for number in range(200)]
    assert not any(is_held_out(form(0), name) for name in names)
    assert all(is_held_out(form(1), name) for name in names)
    assert not is_held_out(form(1), None)
