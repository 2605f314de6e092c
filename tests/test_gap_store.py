"""What editors do to a gap: nothing is lost, nobody is overruled unawares."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from conftest import NOW
from gap_support import Log, new_engine, put
from portal.cli import cli
from portal.database import migrate, open_engine
from portal.gaps.encoding import key_of
from portal.gaps.rank import Asked, figures_of, is_spike
from portal.gaps.read_log import forget, read_log
from portal.gaps.refresh import _count
from portal.gaps.store import NOBODY, GapFilter, GapStore
from portal.gaps.tables import GAP_QUESTIONS, GAPS
from portal.gaps.types import (
    Gap,
    GapChanged,
    GapRefused,
    GapUnknown,
    Kind,
    Reason,
    State,
)


@pytest.fixture
def engine() -> sa.Engine:
    return new_engine()


@pytest.fixture
def store(engine: sa.Engine) -> GapStore:
    return GapStore(engine, lambda: NOW)


@pytest.fixture
def number(engine: sa.Engine) -> int:
    return put(engine, ["sofa", "couch"], ["lamp"])[0]


_WRITES: dict[str, Callable[[GapStore, int, int], Gap]] = {
    "assign": lambda s, n, v: s.assign(n, "ben", by="anna", version=v, due=date(2026, 12, 1)),
    "due": lambda s, n, v: s.set_due(n, date(2026, 12, 1), by="anna", version=v),
    "note": lambda s, n, v: s.note(n, "asked logistics", by="anna", version=v),
    "ignore": lambda s, n, v: s.ignore(n, "not ours", by="anna", version=v),
    "kind": lambda s, n, v: s.correct_kind(n, Kind.OUTDATED, by="anna", version=v),
    "state": lambda s, n, v: s.set_state(n, State.DRAFTED, by="anna", version=v, article="en:x"),
    "split": lambda s, n, v: s.split(n, [key_of("sofa")], by="anna", version=v),
    "move": lambda s, n, v: s.move(n, [key_of("sofa")], n + 1, by="anna", version=v),
    "merge": lambda s, n, v: s.merge(n, n + 1, by="anna", version=v),
}


@pytest.mark.parametrize("name", _WRITES)
def test_every_change_is_in_the_history_and_refuses_a_stale_version(
    store: GapStore, number: int, name: str
) -> None:
    _WRITES[name](store, number, 1)
    entry = store.history(number)[0]
    assert entry.by == "anna"
    assert store.get(number).version == 2
    before = store.get(number)
    with pytest.raises(GapChanged) as caught:
        _WRITES[name](store, number, 1)
    assert [change.id for change in caught.value.changes] == [entry.id]
    assert store.get(number) == before
    assert len(store.history(number)) == 1


@pytest.mark.parametrize("name", _WRITES)
def test_a_gap_that_there_is_not_is_unknown(store: GapStore, name: str) -> None:
    with pytest.raises(GapUnknown):
        _WRITES[name](store, 404, 1)


def test_ignoring_is_undone_by_reopening(store: GapStore, number: int) -> None:
    ignored = store.ignore(number, "not ours", by="anna", version=1)
    assert (ignored.state, ignored.ignored_because) == (State.IGNORED, "not ours")
    assert number not in [gap.number for gap in store.list(GapFilter(least=0))]
    opened = store.reopen(number, by="anna", version=2)
    assert (opened.state, opened.ignored_because) == (State.OPEN, "")
    assert number in [gap.number for gap in store.list(GapFilter(least=0))]


def test_two_editors_at_once_never_overwrite_each_other(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'events.db'}").execution_options(
        sqlite_busy_seconds=30
    )
    migrate(engine)
    [number] = put(engine, ["sofa"])
    store = GapStore(engine, lambda: NOW)
    refused: list[Exception] = []
    start = threading.Barrier(4)

    def write(name: str) -> None:
        start.wait()
        for turn in range(5):
            try:
                store.note(number, f"{name} {turn}", by=name, version=store.get(number).version)
            except GapChanged as error:
                refused.append(error)

    threads = [threading.Thread(target=write, args=(f"editor-{place}",)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = store.history(number)
    engine.dispose()
    assert len(history) + len(refused) == 20
    assert store.get(number).version == len(history) + 1


@pytest.mark.parametrize(
    ("act", "match"),
    [
        (lambda s, n: s.merge(n, n, by="a", version=1), "itself"),
        (lambda s, n: s.move(n, [key_of("sofa")], n, by="a", version=1), "already"),
        (lambda s, n: s.split(n, [], by="a", version=1), "at least one"),
        (lambda s, n: s.split(n, [key_of("lamp")], by="a", version=1), "at least one"),
        (lambda s, n: s.split(n, [key_of("sofa"), key_of("couch")], by="a", version=1), "leave"),
        (lambda s, n: s.note(n, " \n", by="a", version=1), "words"),
        (lambda s, n: s.ignore(n, " \n", by="a", version=1), "why"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    store: GapStore, number: int, act: Callable[[GapStore, int], Gap], match: str
) -> None:
    with pytest.raises(GapRefused, match=match):
        act(store, number)
    assert store.get(number).version == 1
    assert store.history(number) == []


def test_a_merge_keeps_the_article_unless_there_is_one(store: GapStore, number: int) -> None:
    other = number + 1
    store.set_state(number, State.DRAFTED, by="anna", version=1, article="en:x")
    mine = store.set_state(other, State.IGNORED, by="anna", version=1, article="en:y")
    version = store.get(number).version
    merged = store.merge(number, other, by="anna", version=version)
    assert (merged.state, merged.article) == (State.IGNORED, mine.article)
    assert store.merged() == {number: other}


def test_a_merge_is_taken_back_with_what_the_gap_was(store: GapStore, number: int) -> None:
    other = number + 1
    due = date(2026, 12, 1)
    store.assign(number, "ben", by="anna", version=1, due=due)
    store.note(number, "asked logistics", by="anna", version=2)
    store.set_state(number, State.DRAFTED, by="anna", version=3, article="en:x")
    store.merge(number, other, by="anna", version=4)
    assert (store.get(other).state, store.get(other).article) == (State.DRAFTED, "en:x")
    assert [gap.number for gap in store.parts(other)] == [number]
    assert store.can_unmerge(number)
    store.move(other, [key_of("couch")], store.split(
        other, [key_of("lamp")], by="anna", version=2).number, by="anna", version=3)  # fmt: skip
    back = store.unmerge(number, by="anna", version=5)
    assert (back.merged_into, back.owner, back.due, back.state) == (None, "ben", due, State.DRAFTED)
    assert [one.text for one in store.questions(number)] == ["sofa"]  # the couch was moved since
    assert (store.get(other).state, store.get(other).article) == (State.OPEN, None)
    assert "asked logistics" in str(store.history(number))
    assert store.history(other)[0].action == "gave_back"
    assert store.merged() == {}


def test_what_has_gone_on_since_a_merge_goes_on_when_it_is_taken_back(
    store: GapStore, number: int
) -> None:
    other = number + 1
    store.set_state(number, State.DRAFTED, by="anna", version=1, article="en:x")
    store.merge(number, other, by="anna", version=2)
    store.set_state(other, State.PUBLISHED, by="anna", version=2)
    store.unmerge(number, by="anna", version=3)
    assert (store.get(other).state, store.get(other).article) == (State.PUBLISHED, "en:x")


def test_a_gap_that_is_no_part_is_not_taken_out(store: GapStore, number: int) -> None:
    with pytest.raises(GapRefused, match="no merge to"):
        store.unmerge(number, by="anna", version=1)
    assert not store.can_unmerge(number)


def test_a_part_of_another_gap_takes_nothing_in(store: GapStore, number: int) -> None:
    store.merge(number, number + 1, by="anna", version=1)
    with pytest.raises(GapRefused, match="part of"):
        store.move(number + 1, [key_of("lamp")], number, by="anna", version=2)


def test_notes_and_reasons_keep_no_personal_data(store: GapStore, number: int) -> None:
    store.note(number, "call zhang.wei@qq.com", by="anna", version=1)
    gap = store.ignore(number, "see zhang.wei@qq.com", by="anna", version=2)
    assert "zhang" not in gap.ignored_because
    assert "zhang" not in str(store.history(number))


def test_half_of_the_questions_is_held_out_and_always_the_same(
    engine: sa.Engine, store: GapStore
) -> None:
    [number] = put(engine, [f"question {place}" for place in range(200)])
    held = {one.key for one in store.questions(number) if one.held_out}
    assert 70 < len(held) < 130
    assert {one.key for one in store.questions(number) if one.held_out} == held


# --- figures ----------------------------------------------------------------------------------


def _asked(visitor: str, days: float, *reasons: Reason, platform: str | None = None) -> Asked:
    from portal.gaps.encoding import bits_of

    return Asked(visitor, NOW - timedelta(days=days), "en", platform, bits_of(reasons), 1)


def test_the_score_is_visitors_times_severity_times_recency() -> None:
    figures = figures_of(
        [
            _asked("a", 0, Reason.NOTHING),
            _asked("b", 14, Reason.NOTHING),
            _asked("c", 0, Reason.NO_CLICK, Reason.NOT_HELPFUL),
            _asked("c", 1, Reason.NO_CLICK),
        ],
        now=NOW,
        days=30,
    )
    assert figures.visitors == 3
    assert figures.score == pytest.approx(1 + 0.5 + 0.8)
    assert figures.visitors * figures.severity * figures.recency == pytest.approx(
        figures.score, rel=1e-3
    )
    assert figures.searches == 4
    assert figures.reasons == {Reason.NOTHING: 2, Reason.NO_CLICK: 1, Reason.NOT_HELPFUL: 1}


def test_the_trend_compares_with_the_period_before() -> None:
    figures = figures_of(
        [_asked(f"n{n}", 3, Reason.NOTHING) for n in range(3)]
        + [_asked(f"o{n}", 10, Reason.NOTHING) for n in range(2)]
        + [_asked("older", 15, Reason.NOTHING)],
        now=NOW,
        days=7,
    )
    assert (figures.visitors, figures.before, figures.trend) == (3, 2, 0.5)
    assert figures.weeks[-3:] == (1, 2, 3)


@pytest.mark.parametrize(
    ("before", "last", "spike"), [(2, 4, True), (0, 4, True), (3, 5, False), (1, 3, False)]
)
def test_a_spike_has_doubled_and_is_more_than_chance(before: int, last: int, spike: bool) -> None:
    assert is_spike((0, before, last)) is spike


def _counted() -> tuple[Log, GapStore]:
    """Two gaps of a real log: sofas (3 visitors, one in Chinese) and lamps (1)."""
    log = Log()
    day = NOW - timedelta(hours=1)
    for place in range(2):
        log.ask("sofa", visitor=f"s{place}", at=day, found=False, platform="kuailane")
    log.ask("沙发", visitor="s2", at=day, locale="zh-Hans")
    log.ask("lamp", visitor="s0", at=day)
    read_log(log.engine, since=NOW - timedelta(days=9), now=NOW, last=None,
             progress=lambda *_: None)  # fmt: skip
    put(log.engine, ["sofa", "沙发"], ["lamp"])
    _count(log.engine, NOW)
    return log, GapStore(log.engine, lambda: NOW)


def test_filters_choose_gaps_and_what_is_counted_of_them() -> None:
    _log, store = _counted()

    def visitors(chosen: GapFilter) -> dict[str, int]:
        return {gap.name: gap.visitors for gap in store.list(chosen)}

    assert visitors(GapFilter()) == {"sofa": 3, "lamp": 1}
    assert visitors(GapFilter(days=7)) == {"sofa": 3, "lamp": 1}
    assert visitors(GapFilter(locale="zh-Hans")) == {"sofa": 1}
    assert visitors(GapFilter(platform="kuailane")) == {"sofa": 2}
    assert visitors(GapFilter(reason=Reason.LOW_CONFIDENCE)) == {"sofa": 1, "lamp": 1}
    assert visitors(GapFilter(least=2)) == {"sofa": 3}
    assert visitors(GapFilter(owner=NOBODY)) == {"sofa": 3, "lamp": 1}
    assert visitors(GapFilter(owner="ben")) == {}
    store.assign(1, "ben", by="anna", version=1)
    store.correct_kind(2, Kind.OUTDATED, by="anna", version=1)
    assert visitors(GapFilter(owner="ben")) == {"sofa": 3}
    assert visitors(GapFilter(kind=Kind.OUTDATED)) == {"lamp": 1}
    assert visitors(GapFilter(states=(State.CLOSED,))) == {}
    assert visitors(GapFilter(spikes=True)) == {}


def test_moving_questions_moves_their_visitors() -> None:
    _log, store = _counted()
    store.move(1, [key_of("沙发")], 2, by="anna", version=1)
    assert [gap.visitors for gap in (store.get(1), store.get(2))] == [2, 2]


def test_the_rows_behind_a_figure_are_as_many_as_it_says() -> None:
    _log, store = _counted()
    for chosen in (GapFilter(), GapFilter(locale="en"), GapFilter(reason=Reason.NOTHING)):
        [sofa] = [gap for gap in store.list(chosen) if gap.number == 1]
        assert len(store.asks(1, chosen)) == sofa.visitors  # each asked one thing


def test_what_the_log_forgets_the_report_forgets() -> None:
    log, store = _counted()
    store.note(1, "ask the buyers", by="anna", version=1)
    assert forget(log.engine, NOW + timedelta(seconds=1)) == 4 + 3
    assert store.questions(1) == []
    assert store.asks(1) == []
    assert (store.get(1).name, store.get(1).typical) == ("gap-1", ())
    assert [entry.action for entry in store.history(1) if entry.by] == ["note"]
    with pytest.raises(GapUnknown):  # nobody had worked on it
        store.get(2)
    with log.engine.connect() as connection:
        words = str(connection.execute(sa.select(GAPS)).all())
    assert "sofa" not in words
    assert "沙发" not in words


def test_a_gap_that_keeps_some_questions_quotes_none_that_is_forgotten() -> None:
    log, store = _counted()
    with log.engine.begin() as connection:
        old = sa.update(GAP_QUESTIONS).where(GAP_QUESTIONS.c.text == "sofa")
        connection.execute(old.values(last_seen=NOW - timedelta(days=9)))
        quoted = sa.update(GAPS).where(GAPS.c.number == 1)
        connection.execute(
            quoted.values(evidence=[{"key": "add_questions", "questions": ["sofa"]}])
        )
    forget(log.engine, NOW - timedelta(days=5))
    kept = store.get(1)
    assert (kept.name, kept.typical, kept.evidence) == ("沙发", ("沙发",), ())
    assert store.get(2).name == "lamp"


def test_reading_again_changes_nothing_and_late_votes_are_seen() -> None:
    log, store = _counted()
    search = log.ask("rug", visitor="r", at=NOW - timedelta(days=1), resolved=True)
    log.vote(search, helpful=False, visitor="r", after=-60)

    def read() -> list[tuple[object, ...]]:
        read_log(log.engine, since=NOW - timedelta(days=9), now=NOW, last=NOW,
                 progress=lambda *_: None)  # fmt: skip
        with log.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(
                sa.text("SELECT * FROM unresolved ORDER BY event"))]  # fmt: skip

    first = read()
    assert len(first) == 5
    assert read() == first
    assert store.last_run() is None


@pytest.mark.parametrize("days", ["0", "181", "400"])
def test_a_period_the_command_does_not_have_is_refused_and_not_changed(days: str) -> None:
    done = CliRunner().invoke(cli, ["gaps", "--days", days])
    assert done.exit_code == 2
    assert "1<=x<=180" in done.output
