"""Visitor keys tell visitors apart for a day and lead back to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from conftest import NOW
from moved_clock import MovedClock
from portal.database import migrate, open_engine
from portal.tables import VISITOR_SALTS
from portal.visitors import VisitorKeys, is_bot

ADDRESS, AGENT = "203.0.113.77", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def salts(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(VISITOR_SALTS.c.day).order_by("day")))


def test_the_same_visitor_has_the_same_key_all_day_in_every_process(engine, clock):
    first, second = VisitorKeys(engine, clock), VisitorKeys(engine, clock)
    key = first.key(ADDRESS, AGENT)
    assert len(key) == 16
    assert int(key, 16) >= 0
    clock.now += timedelta(hours=11)
    assert first.key(ADDRESS, AGENT) == second.key(ADDRESS, AGENT) == key


def test_another_address_or_browser_has_another_key(engine, clock):
    keys = VisitorKeys(engine, clock)
    made = {keys.key(a, b) for a in (ADDRESS, "::1", "") for b in (AGENT, "curl/8", "")}
    assert len(made) == 9
    assert keys.key("1", "23") != keys.key("12", "3")


def test_the_key_changes_at_midnight_utc(engine, clock):
    keys = VisitorKeys(engine, clock)
    before = keys.key(ADDRESS, AGENT)
    clock.now = NOW.replace(day=23, hour=0)
    assert keys.key(ADDRESS, AGENT) != before


def test_the_moment_of_the_event_decides_which_day(engine, clock):
    keys = VisitorKeys(engine, clock)
    today = keys.key(ADDRESS, AGENT, NOW)
    assert keys.key(ADDRESS, AGENT, NOW + timedelta(days=1)) != today


def test_salts_older_than_two_days_are_deleted(engine, clock):
    keys = VisitorKeys(engine, clock)
    for _ in range(5):
        keys.key(ADDRESS, AGENT)
        clock.now += timedelta(days=1)
    assert salts(engine) == ["2026-11-24", "2026-11-25", "2026-11-26"]
    clock.now += timedelta(days=10)
    assert keys.forget_old() == 3
    assert salts(engine) == []


def test_a_salt_is_deleted_within_the_hour_it_turns_two_days_old(engine, clock):
    keys = VisitorKeys(engine, clock)
    clock.now = NOW.replace(hour=22)
    keys.key(ADDRESS, AGENT)
    clock.now = NOW.replace(day=24, hour=21)
    keys.key(ADDRESS, AGENT)
    assert salts(engine) == ["2026-11-22", "2026-11-24"]
    clock.now = NOW.replace(day=24, hour=23)
    keys.key(ADDRESS, AGENT)
    assert salts(engine) == ["2026-11-24"]


def test_a_deleted_salt_is_overwritten_in_the_file(engine, clock, tmp_path):
    VisitorKeys(engine, clock).key(ADDRESS, AGENT)
    with engine.connect() as connection:
        salt = connection.scalar(sa.select(VISITOR_SALTS.c.salt))
    clock.now += timedelta(days=3)
    assert VisitorKeys(engine, clock).forget_old() == 1
    engine.dispose()  # the last connection folds the write-ahead log in
    assert all(salt not in path.read_bytes() for path in tmp_path.iterdir())


def test_the_address_is_never_stored(engine, clock, tmp_path):
    VisitorKeys(engine, clock).key(ADDRESS, AGENT)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert ADDRESS.encode() not in content
        assert AGENT.encode() not in content


def test_without_a_database_a_salt_of_the_process_takes_its_place(tmp_path, clock):
    (tmp_path / "file").write_text("no folder")
    broken = open_engine(f"sqlite:///{tmp_path}/file/portal.db")
    keys = VisitorKeys(broken, clock)
    key = keys.key(ADDRESS, AGENT)
    assert len(key) == 16
    assert keys.key(ADDRESS, AGENT) == key
    assert keys.key("198.51.100.1", AGENT) != key
    assert VisitorKeys(broken, clock).key(ADDRESS, AGENT) != key
    clock.now += timedelta(days=1)
    assert keys.key(ADDRESS, AGENT) != key


def test_a_failing_database_is_asked_once_a_minute(tmp_path, clock):
    broken = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")  # not migrated
    asked: list[int] = []
    sa.event.listen(broken, "begin", lambda connection: asked.append(1))
    keys = VisitorKeys(broken, clock)
    for _ in range(20):
        keys.key(ADDRESS, AGENT)
    assert len(asked) == 1
    broken.dispose()


def test_odd_input_still_gives_a_key(engine, clock):
    keys = VisitorKeys(engine, clock)
    assert len(keys.key("\ud800", "\0" * 10_000 + "纸")) == 16


@pytest.mark.parametrize(
    "agent",
    [
        None,
        "",
        "   ",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "curl/8.5.0",
        "python-requests/2.32",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/131.0",
        "Go-http-client/2.0",
    ],
)
def test_admitted_programs_are_bots(agent):
    assert is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        AGENT,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15",
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/131.0 Mobile Safari/537.36",
    ],
)
def test_browsers_are_not_bots(agent):
    assert not is_bot(agent)


def test_a_program_that_asks_the_api_is_no_bot_but_a_crawler_is() -> None:
    assert is_bot("curl/8.5.0")
    assert not is_bot("curl/8.5.0", api=True)
    assert not is_bot("", api=True)
    assert is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)", api=True)
