"""The queue in front of the event log: nobody waits for it, and little is lost with it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.events import SafeEventStore, SqlEventStore
from portal.write_behind import WriteBehind
from test_events import HANDOVER, NOW, SEARCH, VIEW, VOTE
from tests_support import ROOT


@dataclass
class Sink:
    """Takes items, or fails as often as it is told to."""

    failures: int = 0
    batches: list[list[int]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    dropped: int = 0
    now: float = 0.0

    def write(self, items: Sequence[int]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is away")
        self.batches.append(list(items))

    def drop(self, count: int) -> None:
        self.dropped += count

    @property
    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]

    def queue(self, *, delay: float = 60.0, **limits: int) -> WriteBehind[int]:
        return WriteBehind(
            self.write, on_failure=self.errors.append, on_drop=self.drop, delay_seconds=delay,
            monotonic=lambda: self.now, **limits,
        )  # fmt: skip


def _soon(condition: Callable[[], bool]) -> bool:
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_items_are_written_in_order_many_at_once_without_being_asked_for() -> None:
    sink = Sink()
    queue = sink.queue(delay=0.02)
    for item in range(10):
        queue.put(item)
    assert _soon(lambda: sink.items == list(range(10)))
    assert len(sink.batches) < 10
    queue.put(10)
    assert _soon(lambda: sink.items == list(range(11)))
    queue.close()


def test_a_full_batch_does_not_wait_for_the_delay() -> None:
    sink = Sink()
    queue = sink.queue(delay=60, most_at_once=5)
    for item in range(5):
        queue.put(item)
    assert _soon(lambda: sink.batches == [[0, 1, 2, 3, 4]])
    queue.close()


def test_nothing_runs_before_the_first_item() -> None:
    before = threading.active_count()
    queue = Sink().queue()
    queue.flush()
    assert threading.active_count() == before
    queue.close()


def test_what_does_not_fit_is_dropped_and_counted_and_nobody_waits() -> None:
    sink = Sink(failures=1)
    queue = sink.queue(most_waiting=3)
    for item in range(10):
        queue.put(item)
    queue.flush()
    assert (len(queue), sink.dropped, len(sink.errors)) == (3, 7, 1)
    sink.now += 60
    queue.flush()
    assert sink.items == [0, 1, 2]
    queue.close()


def test_after_a_failure_there_is_a_pause_and_then_another_attempt() -> None:
    sink = Sink(failures=2)
    queue = sink.queue(delay=0.5)
    queue._thread = threading.current_thread()  # flushed by hand alone
    queue.put(1)
    for now, failed in ((0.0, 1), (0.4, 1), (0.6, 2), (1.5, 2)):
        sink.now = now
        queue.flush()
        assert len(sink.errors) == failed
    sink.now = 1.7
    queue.flush()
    assert sink.items == [1]
    assert sink.dropped == 0


def test_what_can_never_be_written_does_not_block_the_rest_for_ever() -> None:
    sink = Sink(failures=10)
    queue = sink.queue(most_at_once=2)
    queue._thread = threading.current_thread()
    for item in range(3):
        queue.put(item)
    for _ in range(11):
        queue.flush()
        sink.now += 60
    queue.flush()
    assert sink.dropped == 2
    assert sink.items == [2]


def test_closing_writes_what_is_left_and_counts_what_cannot_be() -> None:
    sink = Sink()
    queue = sink.queue()
    queue.put(1)
    queue.close()
    assert sink.items == [1]
    broken = Sink(failures=1)
    queue = broken.queue()
    queue.put(1)
    queue.close()
    queue.put(2)
    queue.flush()
    assert (broken.items, broken.dropped, len(broken.errors)) == ([], 2, 1)


def test_an_orderly_exit_writes_what_waits() -> None:
    code = """
        from portal.write_behind import WriteBehind
        queue = WriteBehind(print, on_failure=print, on_drop=print, delay_seconds=60)
        queue.put("last words")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=ROOT,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "['last words']\n"


# --- in front of the event log ---------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def safe(engine: sa.Engine, failures: list[str]) -> Iterator[SafeEventStore]:
    store = SafeEventStore(
        SqlEventStore(engine, lambda: NOW), lambda operation, _error: failures.append(operation),
        behind=True,
    )  # fmt: skip
    yield store
    store.close()


def _count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_many_searches_are_one_transaction_and_the_same_id_is_one_search(
    engine: sa.Engine,
) -> None:
    store = SqlEventStore(engine, lambda: NOW)
    begun: list[int] = []
    sa.event.listen(engine, "begin", lambda _connection: begun.append(1))
    searches = [replace(SEARCH, id=f"s{number % 50}") for number in range(60)]
    store.record_searches(searches)
    store.record_searches(searches[:5])
    assert len(begun) == 2
    assert _count(engine, "searches") == 50
    assert _count(engine, "search_results") == 100


@pytest.mark.parametrize("later", ["view", "vote", "handover", "report"])
def test_whoever_refers_to_a_search_finds_it(
    safe: SafeEventStore, engine: sa.Engine, later: str
) -> None:
    safe.record_search(SEARCH)
    if later == "view":
        safe.record_view(replace(VIEW, search_id=SEARCH.id, position=1))
    elif later == "vote":
        safe.record_vote(replace(VOTE, search_id=SEARCH.id))
    elif later == "handover":
        safe.record_handover(HANDOVER)
    else:
        assert safe.counts().searches == 1
    assert _count(engine, "searches") == 1


def test_a_search_never_waits_for_a_locked_database_and_is_written_later(
    safe: SafeEventStore, engine: sa.Engine, failures: list[str]
) -> None:
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin():
        started = time.perf_counter()
        for number in range(500):
            safe.record_search(replace(SEARCH, id=f"s{number}"))
        # Five hundred waits for the lock would be minutes.
        assert time.perf_counter() - started < 30
        assert _soon(lambda: "record_search" in failures)
    assert _soon(lambda: _count(engine, "searches") == 500)
    assert "drop_search" not in failures
