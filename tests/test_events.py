"""The event log: what it keeps, what it forgets, and what happens when it fails."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.events import (
    Counts,
    EventsUnavailable,
    Handover,
    SafeEventStore,
    SearchEvent,
    ShownResult,
    SqlEventStore,
    View,
    Vote,
    VoteCounts,
    open_event_store,
)
from portal.tables import METADATA
from search.errors import KnowledgeBaseError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=365)

SEARCH = SearchEvent(
    id="s1",
    at=NOW,
    visitor="v1",
    locale="en",
    query="where is my refund",
    channel="page",
    mode="hybrid",
    confidence=0.2,
    resolved=False,
    answer_article=None,
    section=None,
    platform=None,
    generation="g1",
    duration_ms=12.5,
    bot=False,
    results=(
        ShownResult("refund-timing", "en", "cards", 0.9),
        ShownResult("refund-methods", "en", "", 0.5),
    ),
)
VIEW = View(id="w1", at=NOW, visitor="v1", article_id="refund-timing", locale="en")
VOTE = Vote(id="o1", at=NOW, visitor="v1", article_id="refund-timing", locale="en", helpful=True)
HANDOVER = Handover(
    id="h1",
    reference="HO-ABCD-EFGH",
    at=NOW,
    visitor="v1",
    locale="zh-Hans",
    query="退款没到",
    articles=("refund-timing", "refund-methods"),
    message="请联系我",
    delivered=False,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "portal.db"


@pytest.fixture
def engine(path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> SqlEventStore:
    return SqlEventStore(engine, lambda: NOW)


def read(engine: sa.Engine, query: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


# --- privacy ---------------------------------------------------------------------------------

PLANTED = {
    "zhang.wei@qq.com": "邮箱 zhang.wei@qq.com",
    "13812345678": "电话13812345678",
    "WF-204-118-552": "order WF-204-118-552",
    "4111111111111111": "card 4111111111111111",
    "11010519491231002X": "身份证11010519491231002X",
    "GB29NWBK60161331926819": "GB29NWBK60161331926819",
    "SF1234567890123": "SF1234567890123",
    "Baker Street": "221B Baker Street, London NW1 6XE",
    "文三路90号": "浙江省杭州市西湖区文三路90号2号楼301室",
    "王小明": "我叫王小明",
}


def test_personal_data_never_reaches_the_disk(store, engine, path):
    for number, (secret, text) in enumerate(PLANTED.items()):
        store.record_search(replace(SEARCH, id=f"s{number}", query=text))
        store.record_vote(replace(VOTE, id=f"o{number}", comment=text, reason=text))
        handover = replace(HANDOVER, id=f"h{number}", reference=f"R{number}")
        store.record_handover(replace(handover, query=text, message=f"{text}\n{text}"))
        assert secret.encode() not in bytes_on_disk(path)
    with_journal = bytes_on_disk(path)
    engine.dispose()
    folded_in = bytes_on_disk(path)
    for content in (with_journal, folded_in):
        assert b"[email]" in content
        folded = content.lower()
        assert not [secret for secret in PLANTED if secret.lower().encode() in folded]


def test_texts_are_capped_after_redaction(store, engine):
    long = "x " * 10_000
    store.record_search(replace(SEARCH, query="a" * 495 + " 13812345678"))
    store.record_vote(replace(VOTE, comment=long))
    store.record_handover(replace(HANDOVER, query=long, message=long))
    [(query,)] = read(engine, "SELECT query FROM searches")
    assert query == "a" * 495 + " "
    [(comment,)] = read(engine, "SELECT length(comment) FROM votes")
    [(question, message)] = read(engine, "SELECT length(query), length(message) FROM handovers")
    assert (comment, question, message) == (2000, 500, 5000)


def test_odd_characters_are_stored(store, engine):
    store.record_search(replace(SEARCH, query="a\0b \ud800 \U0001f600"))
    assert read(engine, "SELECT query FROM searches") == [("a b ? \U0001f600",)]


def test_an_error_does_not_repeat_what_the_visitor_wrote(engine):
    store = SqlEventStore(engine, lambda: NOW)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE votes")
    with pytest.raises(EventsUnavailable) as caught:
        store.record_vote(replace(VOTE, comment="quite private"))
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None


# --- writing ---------------------------------------------------------------------------------


def test_the_same_id_twice_is_one_event(store):
    for _ in range(2):
        store.record_search(SEARCH)
        store.record_view(VIEW)
        store.record_vote(VOTE)
        store.record_handover(HANDOVER)
    assert store.counts() == Counts(searches=1, views=1, votes=1, handovers=1)


def test_a_handover_recorded_again_becomes_delivered_and_stays_so(store):
    store.record_handover(HANDOVER)
    store.record_handover(replace(HANDOVER, delivered=True, message="another"))
    store.record_handover(HANDOVER)
    assert store.handovers(LONG_AGO) == [replace(HANDOVER, delivered=True)]


def test_a_reference_is_given_once(store):
    store.record_handover(HANDOVER)
    with pytest.raises(EventsUnavailable, match="hand-over"):
        store.record_handover(replace(HANDOVER, id="h2"))


def test_times_of_any_zone_compare_as_moments(store):
    china = timezone(timedelta(hours=8))
    at = (NOW - timedelta(minutes=1)).astimezone(china)  # a later day's text, an earlier moment
    store.record_handover(replace(HANDOVER, at=at))
    assert store.handovers(NOW) == []
    [handover] = store.handovers(NOW - timedelta(minutes=2))
    assert handover.at == at
    assert handover.at.tzinfo == UTC


def test_a_time_without_zone_is_refused(store):
    with pytest.raises(EventsUnavailable):
        store.record_view(replace(VIEW, at=NOW.replace(tzinfo=None)))


def test_results_keep_their_order(store, engine):
    store.record_search(SEARCH)
    rows = read(engine, "SELECT position, article_id FROM search_results ORDER BY position")
    assert rows == [(1, "refund-timing"), (2, "refund-methods")]


def test_threads_write_at_once(engine):
    store = SqlEventStore(engine, lambda: NOW)
    failures: list[Exception] = []

    def write(thread: int) -> None:
        for number in range(20):
            event = replace(SEARCH, id=f"{thread}-{number}", visitor=f"v{thread}")
            for _ in range(20):  # a slow disk may keep a writer waiting longer than its patience
                try:
                    store.record_search(event)
                    break
                except EventsUnavailable as error:
                    last = error
            else:
                failures.append(last)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.counts().searches == 120


# --- reading ---------------------------------------------------------------------------------


def test_popular_counts_visitors_not_views(store):
    for number in range(5):
        store.record_view(replace(VIEW, id=f"a{number}"))
    for number in range(2):
        store.record_view(replace(VIEW, id=f"b{number}", visitor=f"v{number}", article_id="other"))
    store.record_view(replace(VIEW, id="bot", visitor="v9", bot=True))
    store.record_view(replace(VIEW, id="zh", visitor="v8", locale="zh-Hans"))
    store.record_view(replace(VIEW, id="old", visitor="v7", at=LONG_AGO))
    since = NOW - timedelta(days=1)
    assert store.popular("en", since, 10) == [("other", 2), ("refund-timing", 1)]
    assert store.popular("en", since, 1) == [("other", 2)]


def test_only_the_latest_vote_of_a_visitor_counts(store):
    store.record_vote(VOTE)
    store.record_vote(replace(VOTE, id="o2", helpful=False, at=NOW + timedelta(seconds=1)))
    store.record_vote(replace(VOTE, id="o3", visitor="v2"))
    store.record_vote(replace(VOTE, id="o4", article_id="other"))
    assert store.votes("refund-timing") == VoteCounts(helpful=1, unhelpful=1)
    assert store.votes("nothing") == VoteCounts()
    assert store.counts().votes == 4


def test_counts_tell_people_from_programs(store):
    store.record_search(SEARCH)
    store.record_search(replace(SEARCH, id="s2", resolved=True, at=LONG_AGO))
    store.record_search(replace(SEARCH, id="s3", bot=True))
    store.record_view(VIEW)
    store.record_view(replace(VIEW, id="w2", search_id="s1", position=1))
    store.record_view(replace(VIEW, id="w3", bot=True))
    assert store.counts() == Counts(searches=2, resolved=1, views=2, clicks=1, bots=2)
    assert store.counts(since=NOW) == Counts(searches=1, resolved=0, views=2, clicks=1, bots=2)


# --- forgetting ------------------------------------------------------------------------------


def test_purge_removes_what_is_older_and_nothing_else(store, engine, monkeypatch):
    monkeypatch.setattr("portal.transactions._PURGE_CHUNK", 3)
    for number in range(10):
        at = NOW - timedelta(days=number)
        store.record_search(replace(SEARCH, id=f"s{number}", at=at))
        store.record_view(replace(VIEW, id=f"w{number}", at=at))
        store.record_vote(replace(VOTE, id=f"o{number}", at=at))
        store.record_handover(replace(HANDOVER, id=f"h{number}", reference=f"{number}", at=at))
    before = NOW - timedelta(days=4)
    assert store.purge(before) == 20
    assert store.purge(before) == 0
    counts = store.counts()
    assert (counts.searches, counts.views, counts.votes, counts.handovers) == (5, 5, 5, 5)
    assert read(engine, "SELECT count(*) FROM search_results") == [(10,)]


def test_what_was_purged_is_gone_from_the_files(store, path):
    store.record_search(replace(SEARCH, query="peculiarword"))
    assert b"peculiarword" in bytes_on_disk(path)
    store.purge(NOW + timedelta(days=1))
    assert b"peculiarword" not in bytes_on_disk(path)


# --- failing ---------------------------------------------------------------------------------


def write_everything(store) -> list[str]:
    failed = []
    for name, event in (
        ("record_search", replace(SEARCH, id="new")),
        ("record_view", VIEW),
        ("record_vote", VOTE),
        ("record_handover", HANDOVER),
    ):
        try:
            getattr(store, name)(event)
        except EventsUnavailable:
            failed.append(name)
    return failed


ALL = ["record_search", "record_view", "record_vote", "record_handover"]


@pytest.fixture
def lock(path: Path, engine: sa.Engine) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_a_locked_database_is_given_up_soon(store, lock):
    with pytest.raises(EventsUnavailable, match="locked"):
        store.record_search(SEARCH)
    assert store.handovers(LONG_AGO) == []  # readers do not wait for writers
    lock.execute("ROLLBACK")
    store.record_search(SEARCH)
    assert store.counts().searches == 1


def test_a_locked_database_costs_one_wait_not_one_per_search(store, lock):
    failures: list[str] = []
    now = [0.0]
    safe = SafeEventStore(
        store, lambda operation, error: failures.append(operation), monotonic=lambda: now[0]
    )
    for number in range(50):
        safe.record_search(replace(SEARCH, id=f"s{number}"))
        safe.record_view(VIEW)
    assert failures == ["record_search"]  # no other was tried
    assert safe.paused
    with pytest.raises(EventsUnavailable):
        safe.record_handover(HANDOVER)
    assert failures == ["record_search", "record_handover"]
    lock.execute("ROLLBACK")
    now[0] += 6
    safe.record_search(SEARCH)
    assert not safe.paused
    assert store.counts().searches == 1


def test_a_handover_is_tried_while_others_are_skipped(store, engine):
    safe = SafeEventStore(store, lambda operation, error: None)
    safe.record_view(replace(VIEW, at=NOW.replace(tzinfo=None)))
    assert safe.paused
    safe.record_handover(HANDOVER)
    assert store.counts().handovers == 1


def test_a_read_only_database_is_said_to_be_so(store, path):
    store.record_search(SEARCH)
    engine = open_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    read_only = SqlEventStore(engine, lambda: NOW)
    assert write_everything(read_only) == ALL
    with pytest.raises(EventsUnavailable, match="readonly"):
        read_only.record_view(VIEW)
    assert read_only.counts().searches == 1
    engine.dispose()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path}/file/portal.db"
    engine = open_engine(url)
    with pytest.raises(EventsUnavailable, match=r"file/portal\.db.*check that the folder"):
        migrate(engine)
    with pytest.raises(EventsUnavailable):
        open_event_store(url)
    assert write_everything(SqlEventStore(engine, lambda: NOW)) == ALL
    engine.dispose()


def test_a_full_disk_keeps_what_was_written(engine, store):
    store.record_search(SEARCH)

    def fill(connection, record, proxy):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    sa.event.listen(engine, "checkout", fill)

    def write_until_it_fails() -> None:
        for number in range(1000):
            long = replace(HANDOVER, id=f"h{number}", reference=f"{number}", message="z " * 2500)
            store.record_handover(long)

    with pytest.raises(EventsUnavailable, match="full"):
        write_until_it_fails()
    assert store.counts().searches == 1


def test_a_deleted_file_is_a_failure_until_it_is_migrated_again(engine, store, path):
    engine.dispose()
    for file in path.parent.iterdir():
        file.unlink()
    assert write_everything(store) == ALL
    with pytest.raises(EventsUnavailable, match="no such table"):
        store.popular("en", LONG_AGO, 10)
    migrate(engine)
    assert write_everything(store) == []


def test_a_file_that_is_no_database_is_a_failure(tmp_path):
    (tmp_path / "portal.db").write_bytes(b"not a database " * 1000)
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    with pytest.raises(EventsUnavailable, match="not a database"):
        migrate(engine)
    assert write_everything(SqlEventStore(engine, lambda: NOW)) == ALL
    engine.dispose()


def test_the_safe_store_answers_empty_and_never_raises(tmp_path):
    failures: list[tuple[str, Exception]] = []
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")  # never migrated
    safe = SafeEventStore(
        SqlEventStore(engine, lambda: NOW),
        lambda operation, error: failures.append((operation, error)),
        pause_seconds=0,
    )
    safe.record_search(SEARCH)
    safe.record_view(VIEW)
    safe.record_vote(VOTE)
    assert safe.popular("en", LONG_AGO, 10) == []
    assert safe.handovers(LONG_AGO) == []
    assert safe.votes("refund-timing") == VoteCounts()
    assert safe.counts() == Counts()
    assert len(failures) == 7
    assert all(isinstance(error, EventsUnavailable) for _, error in failures)
    with pytest.raises(EventsUnavailable):
        safe.purge(NOW)
    engine.dispose()


def test_the_error_is_one_of_ours():
    assert issubclass(EventsUnavailable, KnowledgeBaseError)
    assert EventsUnavailable.status == 503


# --- the database itself ---------------------------------------------------------------------


def test_sqlite_is_set_up_for_many_readers_and_one_writer(engine):
    assert read(engine, "PRAGMA journal_mode") == [("wal",)]
    assert read(engine, "PRAGMA foreign_keys") == [(1,)]
    assert read(engine, "PRAGMA busy_timeout") == [(250,)]
    assert read(engine, "PRAGMA secure_delete") == [(1,)]


def test_the_migrated_tables_are_those_the_queries_name(engine):
    inspector = sa.inspect(engine)
    assert set(inspector.get_table_names()) == {*METADATA.tables, "alembic_version"}
    for name, table in METADATA.tables.items():
        columns = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        indexed = {tuple(index["column_names"]) for index in inspector.get_indexes(name)}
        assert {
            tuple(column.name for column in index.columns) for index in table.indexes
        } <= indexed


def test_migrating_again_changes_nothing(engine, store):
    store.record_search(SEARCH)
    migrate(engine)
    assert store.counts().searches == 1


def test_a_failed_migration_leaves_nothing_behind(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE votes (other TEXT)")  # in the way of step three
    with pytest.raises(EventsUnavailable):
        migrate(engine)
    assert sa.inspect(engine).get_table_names() == ["votes"]
    engine.dispose()


def test_a_database_of_a_later_version_is_left_alone(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(EventsUnavailable, match="update kb-portal"):
        migrate(engine)


def test_a_store_in_memory_is_one_database_for_all_threads():
    store = open_event_store("sqlite://")
    thread = threading.Thread(target=store.record_search, args=(SEARCH,))
    thread.start()
    thread.join()
    assert store.counts().searches == 1
    store._engine.dispose()


def migrate_and_write(url: str, number: int, start: multiprocessing.synchronize.Event) -> None:
    start.wait()
    store = open_event_store(url)
    for _ in range(50):
        try:
            store.record_search(replace(SEARCH, id=f"s{number}"))
            break
        except EventsUnavailable:
            continue
    store._engine.dispose()


def test_processes_that_start_together_migrate_once(path):
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    url = f"sqlite:///{path}"
    processes = [
        context.Process(target=migrate_and_write, args=(url, number, start)) for number in range(3)
    ]
    for process in processes:
        process.start()
    time.sleep(0.1)
    start.set()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    store = open_event_store(url)
    assert store.counts().searches == 3
    store._engine.dispose()
