"""What counts as unresolved: each definition by example, all of them against a plain reading."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOW
from gap_support import LATER, Log
from portal.gaps.definitions import JUDGED_AFTER, READ_AFTER, TRACKED
from portal.gaps.reasons import by_severity, settled_counts, went_on
from portal.gaps.types import SEVERITY, Reason
from search.text import normalise

# --- each reason ------------------------------------------------------------------------------


def test_nothing_found_and_low_confidence_are_told_apart() -> None:
    log = Log()
    log.ask("quantum sofa", found=False)
    log.ask("sofa cover", after=60)
    assert log.reasons() == {
        "quantum sofa": (Reason.NOTHING,), "sofa cover": (Reason.LOW_CONFIDENCE,)
    }  # fmt: skip


def test_results_that_nobody_opens_are_no_click_only_once_the_visit_is_over() -> None:
    log = Log()
    log.ask("refund", resolved=True)
    assert log.reasons(now=NOW + JUDGED_AFTER - timedelta(seconds=1)) == {}
    assert log.reasons(now=NOW + JUDGED_AFTER) == {"refund": (Reason.NO_CLICK,)}


def test_a_click_or_a_vote_for_it_settles_a_question() -> None:
    log = Log()
    log.click(log.ask("refund", resolved=True))
    log.vote(log.ask("return", resolved=True, after=60), helpful=True)
    assert log.reasons() == {}


def test_an_answer_counts_as_read_unless_something_else_is_asked_at_once() -> None:
    log = Log()
    log.ask("refund", resolved=True, answer=True)
    log.ask("parcel lost", resolved=True, answer=True, visitor="v2")
    log.ask("still no money", visitor="v2", after=READ_AFTER.total_seconds())
    assert log.reasons() == {
        "parcel lost": (Reason.NO_CLICK,), "still no money": (Reason.LOW_CONFIDENCE,)
    }  # fmt: skip


def test_programs_whose_clicks_nobody_sees_are_never_without_a_click() -> None:
    log = Log()
    log.ask("refund", resolved=True, channel="api")
    assert log.reasons() == {}


def test_only_the_latest_vote_of_a_visitor_counts() -> None:
    log = Log()
    first = log.ask("refund", resolved=True)
    log.click(first)
    log.vote(first, helpful=True)
    log.vote(first, helpful=False, after=90)
    assert log.reasons() == {"refund": (Reason.NOT_HELPFUL,)}
    log.vote(first, helpful=True, after=120)
    assert log.reasons() == {}


def test_what_is_passed_to_a_person_was_unresolved_although_it_was_answered() -> None:
    log = Log()
    log.click(log.ask("Where is my refund", resolved=True))
    log.hand_over("where is my  REFUND")
    assert log.reasons() == {"Where is my refund": (Reason.HANDED_OVER,)}


def test_a_handover_without_a_question_means_the_last_one_asked() -> None:
    log = Log()
    log.click(log.ask("refund", resolved=True))
    log.click(log.ask("return label", resolved=True, after=60), after=70)
    log.hand_over("  ")
    assert log.reasons() == {"return label": (Reason.HANDED_OVER,)}


def test_a_handover_that_no_search_led_to_is_a_question_of_its_own() -> None:
    log = Log()
    log.hand_over("can I collect it myself")
    [question] = log.unresolved()
    assert (question.source, question.text) == ("handover", "can I collect it myself")
    log = Log()
    log.hand_over("")
    assert log.unresolved() == []


def test_a_form_sent_in_spite_of_suggestions_asks_its_last_text() -> None:
    log = Log()
    log.form("my coat", "my coat is torn", visitor="a")
    log.form("nothing was shown", visitor="b", shown=False)
    log.form("not sent", visitor="c", sent=False)
    assert log.reasons() == {"my coat is torn": (Reason.SENT_ANYWAY,)}


def test_several_reasons_of_one_visitor_are_one_question_the_worst_first() -> None:
    log = Log()
    search = log.ask("my coat is torn")
    log.vote(search, helpful=False)
    log.hand_over("my coat is torn")
    log.form("my coat is torn")
    [question] = log.unresolved()
    assert question.reasons == (
        Reason.HANDED_OVER, Reason.NOT_HELPFUL, Reason.SENT_ANYWAY, Reason.LOW_CONFIDENCE,
    )  # fmt: skip
    assert question.severity == 1.0


# --- what is settled --------------------------------------------------------------------------


def test_letters_on_the_way_to_a_question_are_not_questions() -> None:
    log = Log()
    for place, query in enumerate(["re", "refu", "refunds", "refund"]):
        log.ask(query, after=place)
    log.ask("refund to card", after=300)
    assert set(log.reasons()) == {"refund", "refund to card"}


def test_what_was_typed_on_the_way_to_an_answer_is_no_gap() -> None:
    log = Log()
    log.ask("refu")
    log.ask("refund time", after=2, resolved=True, answer=True)
    assert log.reasons() == {}


def test_blanks_bots_and_outages_are_left_out() -> None:
    log = Log()
    log.ask("   ", visitor="a")
    log.ask("crawled", visitor="b", bot=True)
    log.ask("while vectors were down", visitor="c", mode="keyword")
    assert log.unresolved() == []


def test_one_visitor_repeating_counts_once_and_the_last_time_decides() -> None:
    log = Log()
    for minute, found in enumerate([True, True, False]):
        log.ask("Sofa", after=60 * minute, found=found)
    [question] = log.unresolved()
    assert (question.searches, question.reasons) == (3, (Reason.NOTHING,))
    log.ask("sofa", after=600, resolved=True, answer=True)
    assert log.unresolved() == []


def test_traditional_and_simplified_questions_are_one() -> None:
    log = Log()
    log.ask("退款沒到")
    log.ask("退款没到", after=60)
    assert [question.searches for question in log.unresolved()] == [2]


# --- all of it, against a plain reading of the definitions --------------------------------------

_TEXTS = ("re", "refund", "refund card", "Refund", "退款", "退款没到", "  ", "sofa")


@dataclass(frozen=True)
class _Asked:
    query: str
    visitor: str
    second: int
    channel: str
    mode: str
    resolved: bool
    answer: bool
    found: bool
    bot: bool
    clicked: bool
    votes: tuple[bool, ...]


_ASKED = st.builds(
    _Asked,
    query=st.sampled_from(_TEXTS),
    visitor=st.sampled_from(("a", "b")),
    second=st.sampled_from((0, 1, 5, 9, 10, 11, 15, 20, 21, 40, 41, 300, 301)),
    channel=st.sampled_from(("page", "typed", "api")),
    mode=st.sampled_from(("hybrid", "hybrid", "hybrid", "keyword")),
    resolved=st.booleans(),
    answer=st.booleans(),
    found=st.booleans(),
    bot=st.sampled_from((False, False, False, True)),
    clicked=st.booleans(),
    votes=st.lists(st.booleans(), max_size=2).map(tuple),
)


def _written(asked: list[_Asked]) -> Log:
    log = Log()
    for one in asked:
        search = log.ask(
            one.query, visitor=one.visitor, after=one.second, channel=one.channel, mode=one.mode,
            resolved=one.resolved, answer=one.resolved and one.answer,
            found=one.resolved or one.found, bot=one.bot,
        )  # fmt: skip
        if one.clicked:
            log.click(search, visitor=one.visitor, after=one.second + 1)
        for place, helpful in enumerate(one.votes):
            # A vote later than those before it, whichever search they came from.
            after = 1000 * (asked.index(one) + 1) + place
            log.vote(search, helpful=helpful, visitor=one.visitor, after=after)
    return log


def _expected(asked: list[_Asked], now: datetime) -> dict[tuple[str, str], set[Reason]]:
    """The definitions as `portal.gaps.definitions` puts them, one search after the other."""
    rows = [(NOW + timedelta(seconds=one.second), place, one) for place, one in enumerate(asked)]
    people = sorted((row for row in rows if not row[2].bot), key=lambda row: row[:2])
    votes: dict[str, tuple[int, int, bool]] = {}
    for place, one in enumerate(asked):
        for helpful in one.votes:
            latest = (1000 * (asked.index(one) + 1) + one.votes.index(helpful), place, helpful)
            votes[one.visitor] = max(votes.get(one.visitor, latest), latest)
    groups: dict[tuple[str, str], list[tuple[datetime, int, _Asked, bool, bool]]] = defaultdict(
        list
    )
    for at, place, one in people:
        after = [row for row in people
                 if row[:2] > (at, place) and row[2].visitor == one.visitor
                 and row[2].channel == one.channel]  # fmt: skip
        text, then = normalise(one.query), after[0] if after else None
        going = then is not None and went_on(text, at, normalise(then[2].query), then[0])
        on = (
            then is not None
            and normalise(then[2].query) != text
            and then[0] - at <= READ_AFTER
        )  # fmt: skip
        if text and one.mode == "hybrid":
            groups[one.visitor, text].append((at, place, one, going, on))
    expected = {}
    for key, own in groups.items():
        written = [row for row in own if not row[3]]
        if not written:
            continue
        at, _, last, _, on = max(written, key=lambda row: row[:2])
        vote = votes.get(key[0])
        said = [vote[2] for row in own if vote and row[1] == vote[1]]
        reasons = set()
        if False in said:
            reasons.add(Reason.NOT_HELPFUL)
        if not last.resolved:
            reasons.add(Reason.LOW_CONFIDENCE if last.found else Reason.NOTHING)
        elif (
            not said
            and not any(row[2].clicked for row in own)
            and last.channel in TRACKED
            and at <= now - JUDGED_AFTER
            and (not last.answer or on)
        ):
            reasons.add(Reason.NO_CLICK)
        if reasons:
            expected[key] = reasons
    return expected


@settings(max_examples=50, deadline=None)
@given(st.lists(_ASKED, max_size=7, unique=True), st.sampled_from((LATER, NOW + JUDGED_AFTER)))
def test_any_log_is_read_as_the_definitions_say(asked: list[_Asked], now: datetime) -> None:
    log = _written(asked)
    with log.engine.connect() as connection:
        from portal.gaps.reasons import unresolved_questions

        until = NOW + timedelta(days=1)
        found = unresolved_questions(connection, since=NOW, until=until, now=now)
        counts = settled_counts(connection, since=NOW, until=until)
    log.engine.dispose()
    assert {(one.visitor, one.normalised): set(one.reasons) for one in found} == _expected(
        asked, now
    )
    assert sum(counts.values()) >= len(found)


@settings(max_examples=20, deadline=None)
@given(st.lists(_ASKED, max_size=6, unique=True))
def test_logging_everything_twice_makes_no_more_questions(asked: list[_Asked]) -> None:
    """A visitor who does it all again a minute later asks nothing new."""
    once = _written(asked)
    keys = {(one.visitor, one.normalised) for one in once.unresolved()}
    for one in once.unresolved():
        once.ask(one.text, visitor=one.visitor, after=5000, channel=one.channel,
                 found=Reason.NOTHING not in one.reasons)  # fmt: skip
    again = once.unresolved(now=LATER)
    once.engine.dispose()
    assert {(one.visitor, one.normalised) for one in again} == keys
    assert len(again) == len(keys)


@given(st.lists(st.sampled_from(tuple(Reason))))
def test_reasons_stand_once_and_the_worst_first(reasons: list[Reason]) -> None:
    found = by_severity(reasons)
    assert set(found) == set(reasons)
    assert len(found) == len(set(reasons))
    assert [SEVERITY[one] for one in found] == sorted(
        (SEVERITY[one] for one in found), reverse=True
    )
