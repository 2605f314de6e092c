"""Accounts in the database: passwords, sessions by the clock, invitations, failures, the trail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from moved_clock import MovedClock
from portal.accounts import desk, failures, passwords
from portal.accounts.desk import Accounts, open_accounts
from portal.accounts.passwords import check_password, verify_password
from portal.accounts.tables import FAILURES, INVITATIONS, SESSIONS, USERS
from portal.accounts.trail import Chosen
from portal.accounts.types import AccountRefused, AccountUnknown, Role
from portal.accounts.users import Users, login_of
from portal.config import Settings
from portal.database import migrate, open_engine

PASSWORD = "correct horse 电池 staple"


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def accounts(engine: sa.Engine, clock: MovedClock, tmp_path: Path) -> Accounts:
    settings = Settings(data=tmp_path, session_idle_minutes=60, session_hours=24)
    return open_accounts(settings, engine, clock)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Argon2 with the least it takes; what it costs is not what is tested here."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    return cheap


# --- passwords -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "short"), ("x" * 201, "long"), ("aaaaaaaaaaaaaaaa", "easy"),
     ("abababababababab", "easy"), ("my name is Anna B", "easy")],
)  # fmt: skip
def test_weak_passwords_are_refused_with_their_reason(password: str, reason: str) -> None:
    with pytest.raises(AccountRefused) as refused:
        check_password(password, "anna")
    assert refused.value.reason == reason


def test_the_password_is_kept_as_argon2id_and_found_however_it_is_composed(
    accounts: Accounts, engine: sa.Engine
) -> None:
    accounts.users.add("anna", Role.EDITOR, "café crème brûlée")
    with engine.connect() as connection:
        stored = connection.execute(sa.select(USERS.c.password)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert "caf" not in stored
    assert accounts.users.check("anna", "cafe\u0301 cre\u0300me bru\u0302le\u0301e") is not None
    assert accounts.users.check("anna", "cafe creme brulee") is None


def test_a_hash_of_older_parameters_is_renewed_when_its_password_is_known(
    accounts: Accounts, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.users.add("anna", Role.EDITOR, PASSWORD)
    read = sa.select(USERS.c.password)
    with engine.connect() as connection:
        before = connection.scalar(read)
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    assert accounts.users.check("anna", "not the password") is None
    with engine.connect() as connection:
        assert connection.scalar(read) == before
    token = accounts.sessions.begin(1, way="password", agent="")
    assert accounts.users.check("anna", PASSWORD) is not None
    with engine.connect() as connection:
        after = connection.scalar(read)
    assert "m=16,t=2" in str(after)
    assert accounts.sessions.find(token) is not None  # nobody is signed out by it


def test_as_much_is_computed_for_a_name_nobody_has(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.users.add("anna", Role.EDITOR, PASSWORD)
    accounts.users.add("no password yet", Role.EDITOR)
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash))
            return super().verify(hash, password)

    counting = Counting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: counting)
    for name in ("anna", "no password yet", "nobody"):
        assert accounts.users.check(name, "wrong password") is None
    parameters = {one.rsplit("$", 2)[0] for one in verified}
    assert len(verified) == 3
    assert len(parameters) == 1


def test_the_stand_in_for_no_password_is_no_password() -> None:
    assert not verify_password(None, "nobody's")
    assert not verify_password("not a hash", PASSWORD)


# --- accounts --------------------------------------------------------------------------------


@pytest.mark.parametrize("same", ["Anna", " anna ", "ＡＮＮＡ"])
def test_names_are_the_same_however_they_are_written(accounts: Accounts, same: str) -> None:
    accounts.users.add("anna", Role.READER)
    assert accounts.users.named(same).name == "anna"
    with pytest.raises(AccountRefused, match="already"):
        accounts.users.add(same, Role.READER)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", "a\u202eb", "a\0b"])
def test_names_that_cannot_be_shown_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused) as refused:
        accounts.users.add(name, Role.READER)
    assert refused.value.reason == "name"
    assert not accounts.users.any()


@given(st.text(max_size=200))
def test_a_compared_name_fits_and_is_stable(name: str) -> None:
    login = login_of(name)
    assert len(login) <= 300
    assert login_of(login) == login


def test_the_last_admin_stays_one(accounts: Accounts) -> None:
    anna = accounts.users.add("anna", Role.ADMIN, PASSWORD)
    for change in (lambda: accounts.users.disable(anna.id),
                   lambda: accounts.users.set_role(anna.id, Role.EDITOR)):  # fmt: skip
        with pytest.raises(AccountRefused, match="last admin"):
            change()
    second = accounts.users.add("ben", Role.ADMIN, PASSWORD)
    accounts.users.disable(second.id)
    with pytest.raises(AccountRefused, match="last admin"):
        accounts.users.disable(anna.id)  # who is disabled does not count
    accounts.users.enable(second.id)
    accounts.users.set_role(anna.id, Role.EDITOR)
    assert accounts.users.get(anna.id).role is Role.EDITOR


def test_an_admin_who_cannot_sign_in_is_no_other_admin(
    engine: sa.Engine, clock: MovedClock, accounts: Accounts
) -> None:
    anna = accounts.users.add("anna", Role.ADMIN, PASSWORD)
    accounts.users.add("invited", Role.ADMIN)
    accounts.users.add("external", Role.ADMIN, issuer="https://login.example", subject="1")
    elsewhere = Users(engine, clock, issuer="https://other.example")
    for users in (accounts.users, elsewhere):
        with pytest.raises(AccountRefused, match="last admin"):
            users.disable(anna.id)
    Users(engine, clock, issuer="https://login.example/").disable(anna.id)
    assert accounts.users.get(anna.id).disabled


def test_what_is_not_there_cannot_be_changed(accounts: Accounts) -> None:
    for change in (lambda: accounts.users.get(7), lambda: accounts.users.enable(7),
                   lambda: accounts.users.named("nobody")):  # fmt: skip
        with pytest.raises(AccountUnknown):
            change()
    with pytest.raises(AccountRefused, match="unknown"):
        Role.named("anyone")


# --- sessions --------------------------------------------------------------------------------


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(
    accounts: Accounts, clock: MovedClock
) -> None:
    user = accounts.users.add("anna", Role.EDITOR)
    token = accounts.sessions.begin(user.id, way="password", agent="")
    for _ in range(23):
        clock.pass_by(minutes=59)
        assert accounts.sessions.find(token) is not None
    clock.now = NOW + timedelta(hours=24)  # used a moment ago, but a day old
    assert accounts.sessions.find(token) is None
    other = accounts.sessions.begin(user.id, way="password", agent="")
    clock.pass_by(minutes=60)
    assert accounts.sessions.find(other) is None
    assert accounts.sessions.of(user.id) == []


def test_the_table_knows_no_token(accounts: Accounts, engine: sa.Engine) -> None:
    user = accounts.users.add("anna", Role.EDITOR)
    secrets = (
        accounts.sessions.begin(user.id, way="password", agent=""),
        accounts.invitations.make(user.id),
        accounts.users.new_feed(user.id),
    )
    with engine.connect() as connection:
        rows = [connection.execute(sa.select(t)).all() for t in (SESSIONS, INVITATIONS, USERS)]
    for secret in secrets:
        assert re.fullmatch(r"[\w-]{43}", secret)
        assert secret not in repr(rows)


@pytest.mark.parametrize("change", ["role", "password", "disable", "end", "one"])
def test_whatever_changes_an_account_ends_its_sessions_and_no_others(
    accounts: Accounts, change: str
) -> None:
    user = accounts.users.add("anna", Role.EDITOR, PASSWORD)
    other = accounts.users.add("ben", Role.ADMIN)
    token = accounts.sessions.begin(user.id, way="password", agent="")
    kept = accounts.sessions.begin(other.id, way="password", agent="")
    {
        "role": lambda: accounts.users.set_role(user.id, Role.READER),
        "password": lambda: accounts.users.set_password(user.id, PASSWORD + "!"),
        "disable": lambda: accounts.users.disable(user.id),
        "end": lambda: accounts.sessions.end_all(user.id),
        "one": lambda: accounts.sessions.end_one(user.id, accounts.sessions.of(user.id)[0].key),
    }[change]()
    assert accounts.sessions.find(token) is None
    assert accounts.sessions.find(kept) is not None


def test_nobody_ends_the_session_of_another(accounts: Accounts) -> None:
    user = accounts.users.add("anna", Role.EDITOR)
    other = accounts.users.add("ben", Role.READER)
    token = accounts.sessions.begin(user.id, way="password", agent="")
    assert not accounts.sessions.end_one(other.id, accounts.sessions.of(user.id)[0].key)
    assert accounts.sessions.find(token) is not None


# --- invitations and failures ----------------------------------------------------------------


def test_an_invitation_is_good_once_for_a_while_and_alone(
    accounts: Accounts, clock: MovedClock
) -> None:
    user = accounts.users.add("anna", Role.EDITOR)
    first, second = accounts.invitations.make(user.id), accounts.invitations.make(user.id)
    assert accounts.invitations.find(first) is None
    assert accounts.invitations.find(second) == user.id
    assert accounts.invitations.pending() == {user.id}
    accounts.users.set_password(user.id, PASSWORD)
    assert accounts.invitations.find(second) is None
    third = accounts.invitations.make(user.id)
    clock.pass_by(days=3)
    assert accounts.invitations.find(third) is None
    assert accounts.invitations.pending() == frozenset()


def test_an_address_and_a_name_have_their_limits(accounts: Accounts, clock: MovedClock) -> None:
    tried = accounts.failures
    for number in range(failures.FROM_ADDRESS):
        assert tried.attempt("10.0.0.1", f"name {number}") == 0
    for _ in range(3):  # what is refused is not counted, so the wait has an end
        assert tried.attempt("10.0.0.1", "another") == 15 * 60
    assert tried.attempt("10.0.0.2", "another") == 0
    for number in range(failures.FOR_ACCOUNT):
        assert tried.attempt(f"10.1.0.{number}", "anna") == 0
        clock.pass_by(seconds=1)
    assert tried.attempt("10.9.9.9", " ANNA ") == 15 * 60 - failures.FOR_ACCOUNT
    clock.pass_by(minutes=15)
    assert tried.attempt("10.9.9.9", "anna") == 0
    assert tried.attempt("10.0.0.1", "anna") == 0


def test_a_right_password_counts_neither_itself_nor_the_slips_before_it(
    accounts: Accounts,
) -> None:
    tried = accounts.failures
    for _ in range(3 * failures.FOR_ACCOUNT):
        assert tried.attempt("10.0.0.1", "anna") == 0
        tried.succeeded("10.0.0.1", "anna")
    for number in range(failures.FROM_ADDRESS - 1):
        assert tried.attempt("10.0.0.1", f"other {number}") == 0
    assert tried.attempt("10.0.0.1", "Anna") == 0
    tried.succeeded("10.0.0.1", "Anna")
    assert tried.attempt("10.0.0.1", "other") == 0
    assert tried.attempt("10.0.0.1", "anna") > 0  # guesses at others are not forgiven


def test_many_attempts_at_once_are_no_way_around_the_limit(accounts: Accounts) -> None:
    def guess(number: int) -> bool:
        return accounts.failures.attempt("10.0.0.1", f"name {number}") == 0

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(guess, range(40)))
    assert taken == failures.FROM_ADDRESS


def test_attempts_are_kept_for_their_window_only_and_name_nobody(
    accounts: Accounts, clock: MovedClock, engine: sa.Engine
) -> None:
    accounts.failures.attempt("10.0.0.1", "anna")
    clock.pass_by(minutes=15)
    accounts.failures.attempt("10.0.0.2", "ben")
    with engine.connect() as connection:
        rows = connection.execute(sa.select(FAILURES)).all()
    assert len(rows) == 2
    assert all(word not in repr(rows) for word in ("10.0", "anna", "ben"))


# --- the trail -------------------------------------------------------------------------------


def test_the_trail_keeps_what_was_done_in_plain_characters(
    accounts: Accounts, clock: MovedClock
) -> None:
    hostile = "a\nb\0c\x1b[31m\u202ed" + "x" * 1000
    accounts.trail.record(
        "gap.note", hostile, {"note": hostile, "at": NOW, "of": {1: [hostile]}},
        user_id=1, user_name="anna",
    )  # fmt: skip
    (entry,) = accounts.trail.entries(Chosen(), limit=10)
    assert (entry.at, entry.user_id, entry.user_name) == (NOW, 1, "anna")
    assert entry.subject.isprintable()
    assert len(entry.subject) == 200
    assert entry.detail["note"].isprintable()
    assert entry.detail["of"]["1"][0].isprintable()
    assert entry.detail["at"].startswith("2026-11-22")


def test_the_trail_is_filtered_and_paged(accounts: Accounts, clock: MovedClock) -> None:
    for number in range(5):
        name = ("anna", "ben")[number % 2]
        accounts.trail.record(f"gap.{name}", f"gap-{number}%", {}, user_id=None, user_name=name)
        clock.pass_by(days=1)

    def subjects(chosen: Chosen, **more: int) -> list[str]:
        found = accounts.trail.entries(chosen, limit=10, **more)
        return [entry.subject for entry in found]

    assert subjects(Chosen(user="ben")) == ["gap-3%", "gap-1%"]
    assert subjects(Chosen(action="gap.anna", since=NOW + timedelta(days=1))) == [
        "gap-4%", "gap-2%",
    ]  # fmt: skip
    assert subjects(Chosen(subject="%", until=NOW + timedelta(days=1))) == ["gap-0%"]
    assert subjects(Chosen(subject="_")) == []
    newest = accounts.trail.entries(Chosen(), limit=1)[0]
    assert len(subjects(Chosen(), before=newest.id)) == 4
    assert accounts.trail.words() == (["anna", "ben"], ["gap.anna", "gap.ben"])


def test_a_busy_database_signs_nobody_out(
    accounts: Accounts, engine: sa.Engine, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "_BUSY_SECONDS", 0.0)
    hasty = desk.open_accounts(Settings(secret_key="x" * 40), engine, clock)
    user = accounts.users.add("anna", Role.EDITOR)
    token = accounts.sessions.begin(user.id, way="password", agent="")
    clock.pass_by(minutes=5)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin():  # somebody else writes
        assert hasty.sessions.find(token) is not None
    assert accounts.sessions.of(user.id)[0].seen_at == NOW
    assert accounts.sessions.find(token) is not None
    assert accounts.sessions.of(user.id)[0].seen_at == clock.now
