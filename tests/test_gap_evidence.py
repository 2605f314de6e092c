"""Gaps closed and reopened by live traffic: the rule, its counts, and what the report says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOW
from portal.database import migrate, open_engine
from portal.editor import proof_words
from portal.events import Handover, SearchEvent, ShownResult, SqlEventStore
from portal.gaps import evidence as rule
from portal.gaps.changes import new_gap
from portal.gaps.encoding import key_of
from portal.gaps.evidence import Counts, Evidence, Sight, count, total_saved
from portal.gaps.live import last_look, look_again
from portal.gaps.proof_report import COLUMNS, as_dict, read_report, rows
from portal.gaps.read_log import kept_since, read_log
from portal.gaps.store import GapStore
from portal.gaps.tables import GAP_QUESTIONS
from portal.gaps.types import Gap, State
from portal.transactions import transaction
from search.text import normalise

DAY = timedelta(days=1)
PUBLISHED = NOW - 20 * DAY
TEXT = "can i rent a telescope"
ARTICLE = "telescope-rental"


def counts(
    before: tuple[int, int], after: tuple[int, int], back: tuple[int, int] = (0, 0)
) -> Counts:
    return Counts(
        before=before[1], before_unresolved=before[0], after=after[1], after_unresolved=after[0],
        back=back[1], back_unresolved=back[0],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((8, 8), (0, 8), "closed"),
        ((8, 8), (0, 7), "waiting"),  # too few
        ((1, 1), (0, 8), "closed"),
        ((8, 8), (3, 12), "waiting"),  # may still be more than half
        ((20, 40), (5, 40), "closed"),
        ((10, 40), (9, 40), "waiting"),  # hardly a fall
        ((8, 8), (8, 8), "reopened"),
        ((8, 8), (7, 7), "waiting"),
        ((0, 0), (0, 30), "waiting"),  # nothing to compare with
        ((8, 8), (0, 0), "waiting"),  # silence closes nothing
    ],
)
def test_a_published_gap_closes_by_evidence_alone(
    before: tuple[int, int], after: tuple[int, int], verdict: str
) -> None:
    assert Evidence.of(counts(before, after)).verdict(closed=False) == verdict


@pytest.mark.parametrize(
    ("back", "verdict"),
    [((0, 0), "closed"), ((2, 2), "closed"), ((3, 3), "reopened"), ((3, 12), "closed"),
     ((5, 10), "closed"), ((6, 10), "reopened")],
)  # fmt: skip
def test_a_closed_gap_reopens_when_the_questions_come_back(
    back: tuple[int, int], verdict: str
) -> None:
    assert Evidence.of(counts((8, 8), (0, 8), back)).verdict(closed=True) == verdict


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_less_left_unanswered_never_speaks_against_closing(a: int, b: int, c: int, d: int) -> None:
    before, after = (min(a, b), b), (min(c, d), d)
    found = Evidence.of(counts(before, after))
    assert not (found.helped and found.failed)
    if found.helped and after[0]:
        assert Evidence.of(counts(before, (after[0] - 1, d))).helped
    if found.fall is not None:
        assert found.fall.low <= found.fall.value <= found.fall.high


SIGHT = st.builds(
    Sight,
    at=st.integers(-120, 20).map(lambda days: PUBLISHED + days * DAY),
    visitor=st.sampled_from("abcdef"),
    question=st.sampled_from(["one", "two", "three"]),
    unresolved=st.booleans(),
    handed_over=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(SIGHT, max_size=30), st.none() | st.integers(1, 20))
def test_a_visitor_counts_once_on_each_side_by_their_last_question(
    sights: list[Sight], closed_after: int | None
) -> None:
    closed = None if closed_after is None else PUBLISHED + closed_after * DAY
    found = count(sights, published=PUBLISHED, closed=closed, now=NOW)
    assert found == count(sights[::-1], published=PUBLISHED, closed=closed, now=NOW) or len(
        {(one.at, one.visitor) for one in sights}
    ) < len(sights)
    after = [one for one in sights if PUBLISHED <= one.at <= NOW]
    assert found.after == len({one.visitor for one in after})
    assert found.before <= 6
    assert found.after_unresolved <= found.after
    assert found.back <= found.after
    assert found.answered <= found.questions <= 3
    assert (closed is not None) or found.back == 0


def test_handovers_saved_are_counted_and_added_up_with_their_intervals() -> None:
    one = Evidence.of(Counts(before=10, before_handed=5, after=20, after_handed=2))
    assert one.saved is not None
    assert one.saved.value == pytest.approx((0.5 - 0.1) * 20)
    assert one.saved.low < one.saved.value < one.saved.high
    both = total_saved([one, one, Evidence.of(Counts())])
    assert both is not None
    assert both.value == pytest.approx(2 * one.saved.value)
    assert both.high - both.value < 2 * (one.saved.high - one.saved.value)
    assert total_saved([]) is None


Ask = Callable[..., None]


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_engine(f"sqlite:///{tmp_path / 'log.db'}")
    migrate(made)
    return made


@pytest.fixture
def ask(engine: sa.Engine) -> Ask:
    """Logs visitors' searches, one a visitor, on a day counted from the publishing."""
    store = SqlEventStore(engine, lambda: NOW)
    number = 0

    def log(
        days: float, *, resolved: bool, text: str = TEXT, times: int = 1,
        article: str | None = None, handed: bool = False, bot: bool = False,
    ) -> None:  # fmt: skip
        nonlocal number
        for _ in range(times):
            number += 1
            at = PUBLISHED + days * DAY + timedelta(seconds=number)
            top = article or "other"
            store.record_search(
                SearchEvent(
                    f"s{number:05d}", at, f"v{number}", "en", text, "page", "hybrid",
                    0.9 if resolved else 0.2, resolved, top if resolved else None, None, None,
                    "g", 1.0, bot, (ShownResult(top, "en", "", 1.0),),
                )
            )  # fmt: skip
            if handed:
                store.record_handover(
                    Handover(f"h{number}", f"R{number}", at + timedelta(minutes=1), f"v{number}",
                             "en", text, (), "", True)
                )  # fmt: skip

    return log


@pytest.fixture
def gap(engine: sa.Engine) -> Gap:
    clock = Moving(PUBLISHED)
    store = GapStore(engine, clock)
    with transaction(engine, "make a gap", writes=True) as connection:
        number = new_gap(connection, name="=rent <b>", locale="en", at=PUBLISHED - 5 * DAY)
    joins(engine, number, TEXT)
    return store.set_state(number, State.PUBLISHED, by="Ann", version=1, article=f"en:{ARTICLE}")


def joins(engine: sa.Engine, number: int, text: str) -> None:
    with transaction(engine, "put a question into a gap", writes=True) as connection:
        connection.execute(
            sa.insert(GAP_QUESTIONS).values(
                key=key_of(normalise(text)), gap=number, text=text, normalised=normalise(text),
                locale="en", visitors=1, searches=1, reasons=1, last_seen=PUBLISHED, pinned_by="",
            )
        )  # fmt: skip


class Moving:
    """A clock a test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def look(engine: sa.Engine, now: datetime) -> None:
    read_log(engine, since=kept_since(now), now=now, last=None, progress=lambda *_: None)
    look_again(engine, now)


def test_a_gap_goes_from_published_to_closed_to_reopened(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    store = GapStore(engine, lambda: NOW)
    ask(-3, resolved=False, times=6, handed=True)
    ask(-3, resolved=False, times=4, bot=True)
    ask(1, resolved=True, article=ARTICLE, times=5)
    look(engine, PUBLISHED + 2 * DAY)
    assert store.get(gap.number).state == State.PUBLISHED
    ask(2, resolved=True, article=ARTICLE, text="renting a telescope for a week", times=5)
    ask(2, resolved=True, article="other", text="something else entirely", times=5)
    look(engine, PUBLISHED + 3 * DAY)
    closed = store.get(gap.number)
    assert closed.state == State.CLOSED
    with transaction(engine, "look") as connection:
        seen = last_look(connection, gap.number)
    assert seen is not None
    found = seen.evidence.counts
    assert (found.before, found.before_unresolved, found.before_handed) == (6, 6, 6)
    assert (found.after, found.after_unresolved, found.questions, found.answered) == (10, 0, 1, 1)
    assert store.history(gap.number)[0].by == ""
    look(engine, PUBLISHED + 4 * DAY)
    assert store.get(gap.number).version == closed.version  # nothing new, nothing noted
    ask(5, resolved=False, times=4)
    look(engine, PUBLISHED + 6 * DAY)
    assert store.get(gap.number).state == State.REOPENED
    assert store.history(gap.number)[0].action == "reopened"


def test_an_article_that_was_there_before_is_judged_by_the_questions_alone(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    ask(-9, resolved=True, article=ARTICLE, text="what it was written for", times=3)
    ask(-3, resolved=False, times=6)
    ask(1, resolved=True, article=ARTICLE, text="what it was written for", times=30)
    look(engine, PUBLISHED + 2 * DAY)
    with transaction(engine, "look") as connection:
        seen = last_look(connection, gap.number)
    assert seen is not None
    assert seen.evidence.counts.after == 0


def seen_of(engine: sa.Engine, number: int) -> Counts:
    with transaction(engine, "look") as connection:
        seen = last_look(connection, number)
    assert seen is not None
    return seen.evidence.counts


def test_what_was_counted_before_the_article_outlives_the_log(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    for days in range(-80, -20):
        ask(days, resolved=False)
    look(engine, PUBLISHED + 3 * DAY)
    first = seen_of(engine, gap.number)
    assert (first.before, first.before_unresolved, first.questions) == (60, 60, 1)
    look(engine, PUBLISHED + 150 * DAY)
    assert seen_of(engine, gap.number) == first


def test_a_first_look_so_late_counts_nothing_of_which_the_rest_is_forgotten(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    for days in range(-80, -20):
        ask(days, resolved=False)
    look(engine, PUBLISHED + 150 * DAY)
    late = seen_of(engine, gap.number)
    assert 0 < late.before == late.before_unresolved < 60


def test_new_words_that_fail_do_not_reopen_an_article_that_was_there_before(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    ask(-9, resolved=True, article=ARTICLE, text="what it was written for", times=3)
    ask(-3, resolved=False, times=6)
    ask(1, resolved=True, article=ARTICLE, text="hiring a telescope", times=60)
    ask(1, resolved=False, text="telescope for hire", times=9)
    joins(engine, gap.number, "telescope for hire")
    for days in (2, 4):
        look(engine, PUBLISHED + days * DAY)
        found = seen_of(engine, gap.number)
        assert (found.before, found.after, found.after_unresolved) == (6, 0, 0)
    ask(4, resolved=True, article=ARTICLE, times=9)
    look(engine, PUBLISHED + 5 * DAY)
    assert GapStore(engine, lambda: NOW).get(gap.number).state == State.CLOSED


def test_an_article_published_again_is_still_new_and_new_words_that_it_answers_count(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    store = GapStore(engine, Moving(PUBLISHED + 5 * DAY))
    ask(-3, resolved=False, times=6)
    ask(1, resolved=False, times=9)
    ask(1, resolved=True, article=ARTICLE, text="hiring a telescope")
    look(engine, PUBLISHED + 2 * DAY)
    reopened = store.get(gap.number)
    assert reopened.state == State.REOPENED
    store.set_state(gap.number, State.PUBLISHED, by="Ann", version=reopened.version)
    ask(6, resolved=True, article=ARTICLE, text="hiring a telescope", times=30)
    look(engine, PUBLISHED + 7 * DAY)
    found = seen_of(engine, gap.number)
    assert (found.before, found.before_unresolved) == (16, 15)
    assert (found.after, found.after_unresolved) == (30, 0)


def test_a_translation_is_another_article_and_two_gaps_of_one_count_their_own_words(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    store = GapStore(engine, Moving(PUBLISHED))
    others = []
    for text, article in (("望远镜可以租吗", f"zh-Hans:{ARTICLE}"), ("a", "en:b"), ("c", "en:b")):
        with transaction(engine, "make a gap", writes=True) as connection:
            number = new_gap(connection, name=text, locale="en", at=PUBLISHED - 5 * DAY)
        joins(engine, number, text)
        others.append(number)
        store.set_state(number, State.PUBLISHED, by="Ann", version=1, article=article)
    ask(1, resolved=True, article=ARTICLE, text="hiring a telescope", times=3)
    ask(1, resolved=True, article="b", text="answered by one that closes two", times=3)
    ask(1, resolved=True, article="b", text="c", times=2)
    look(engine, PUBLISHED + 2 * DAY)
    assert [seen_of(engine, number).after for number in (gap.number, *others)] == [3, 0, 0, 2]


def test_what_is_typed_on_the_way_to_another_question_is_not_asked(
    engine: sa.Engine, gap: Gap
) -> None:
    store = SqlEventStore(engine, lambda: NOW)
    for number, text in enumerate((TEXT, f"{TEXT} for a week")):
        at = PUBLISHED + DAY + timedelta(seconds=3 * number)
        store.record_search(
            SearchEvent(f"t{number}", at, "v", "en", text, "typed", "hybrid", 0.9, True, "x", None,
                        None, "g", 1.0, False, (ShownResult("x", "en", "", 1.0),))
        )  # fmt: skip
    look(engine, PUBLISHED + 2 * DAY)
    with transaction(engine, "look") as connection:
        seen = last_look(connection, gap.number)
    assert seen is not None
    assert seen.evidence.counts.after == 0


def test_the_report_counts_what_was_closed_in_the_period(
    engine: sa.Engine, gap: Gap, ask: Ask
) -> None:
    ask(-3, resolved=False, times=6, handed=True)
    ask(1, resolved=True, article=ARTICLE, times=9)
    look(engine, PUBLISHED + 2 * DAY)
    report = read_report(engine, PUBLISHED - DAY, NOW)
    assert [line.gap for line in report.closed] == [gap.number]
    assert (report.questions, report.answered) == (1, 1)
    assert report.saved is not None
    assert report.saved.value == pytest.approx(9.0)
    table = rows(report)
    assert len(table[0]) == len(COLUMNS)
    assert as_dict(report)["closed"] == 1
    assert read_report(engine, NOW - DAY, NOW).lines == ()


def test_every_threshold_is_in_the_written_rule() -> None:
    text = rule.__doc__ or ""
    for name in ("BEFORE", "LEAST_VISITORS", "MOST_LEFT", "BACK", "LEAST_BACK", "BACK_SHARE"):
        assert f"`{name}`" in text
    assert proof_words.interval(None) == "–"
