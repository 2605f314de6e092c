"""The accounts in the database."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.accounts.passwords import (
    check_password,
    hash_password,
    is_outdated,
    verify_password,
)
from portal.accounts.secrets import key_of, new_secret
from portal.accounts.tables import INVITATIONS, SESSIONS, USERS
from portal.accounts.types import AccountRefused, AccountUnknown, Role, User
from portal.event_types import Clock, EventsUnavailable
from portal.transactions import transaction

LONGEST_NAME = 100


class Users:
    """Makes, finds and changes accounts. Everything here raises `EventsUnavailable`.

    Whatever changes what an account may do, or how to get into it, ends its sessions in the same
    transaction. `issuer` is the OpenID Connect provider by which accounts can sign in; empty: none.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, *, issuer: str = "") -> None:
        self._engine = engine
        self._clock = clock
        self._issuer = issuer.rstrip("/")

    def any(self) -> bool:
        """Whether there is an account at all."""
        with transaction(self._engine, "read accounts") as connection:
            return connection.scalar(sa.select(USERS.c.id).limit(1)) is not None

    def all(self) -> list[User]:
        """Every account, by name."""
        with transaction(self._engine, "read accounts") as connection:
            rows = connection.execute(sa.select(USERS).order_by(USERS.c.login)).all()
        return [_user(row) for row in rows]

    def get(self, number: int) -> User:
        """An account by its number. Raises `AccountUnknown`."""
        return self._one(USERS.c.id == number, f"there is no account {number}")

    def named(self, name: str) -> User:
        """An account by its name. Raises `AccountUnknown`."""
        wanted = USERS.c.login == login_of(name)
        return self._one(wanted, f"there is no account {name!r}; see `kb users list`")

    def add(
        self,
        name: str,
        role: Role,
        password: str | None = None,
        *,
        issuer: str | None = None,
        subject: str | None = None,
    ) -> User:
        """A new account. Raises `AccountRefused`.

        Without a password an invitation is needed, or an identity at a provider.
        """
        name = _check_name(name)
        stored = hash_password(check_password(password, name)) if password is not None else None
        values = {
            "name": name, "login": login_of(name), "role": role.key, "password": stored,
            "issuer": issuer, "subject": subject, "created_at": self._clock(),
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                number = connection.execute(
                    sa.insert(USERS).values(values).returning(USERS.c.id)
                ).scalar_one()
        except IntegrityError:
            raise AccountRefused(f"there is an account {name!r} already", "taken") from None
        except sa.exc.SQLAlchemyError as error:
            raise EventsUnavailable(f"accounts: cannot add one ({type(error).__name__})") from None
        return self.get(number)

    def check(self, name: str, password: str) -> User | None:
        """The account whose name and password these are, unless it is disabled.

        As much work is done for a name nobody has. A hash made with older parameters is renewed.
        """
        with transaction(self._engine, "read accounts") as connection:
            row = connection.execute(
                sa.select(USERS).where(USERS.c.login == login_of(name))
            ).first()
        stored = row.password if row is not None else None
        if not verify_password(stored, password) or row is None or row.disabled_at is not None:
            return None
        if is_outdated(row.password):
            self._change(row.id, {"password": hash_password(password)}, ends_sessions=False)
        return _user(row)

    def by_identity(self, issuer: str, subject: str) -> User | None:
        """The account that signs in at this provider as this subject, or None."""
        wanted = (USERS.c.issuer == issuer) & (USERS.c.subject == subject)
        with transaction(self._engine, "read accounts") as connection:
            row = connection.execute(sa.select(USERS).where(wanted)).first()
        return _user(row) if row is not None else None

    def by_feed(self, secret: str) -> User | None:
        """The account whose feed has this secret in its address, or None; none if disabled."""
        wanted = (USERS.c.feed_key == key_of(secret)) & USERS.c.disabled_at.is_(None)
        with transaction(self._engine, "read accounts") as connection:
            row = connection.execute(sa.select(USERS).where(wanted)).first()
        return _user(row) if row is not None else None

    def set_password(self, number: int, password: str) -> None:
        """Another password; ends every session and invitation. Raises `AccountRefused`."""
        stored = hash_password(check_password(password, self.get(number).name))
        self._change(number, {"password": stored})

    def set_role(self, number: int, role: Role) -> None:
        """Another role; ends every session. Raises `AccountRefused` for the last admin."""
        self._change(number, {"role": role.key}, keeps_admin=role < Role.ADMIN)

    def disable(self, number: int) -> None:
        """Let nobody in any more. Raises `AccountRefused` for the last admin."""
        self._change(number, {"disabled_at": self._clock()}, keeps_admin=True)

    def enable(self, number: int) -> None:
        """Take a disabled account back."""
        self._change(number, {"disabled_at": None})

    def shut_out(self, number: int) -> None:
        """End every session and the feed of whom their provider lets in no more."""
        self._change(number, {"feed_key": None})

    def new_feed(self, number: int) -> str:
        """The secret of a new address of the account's feed; the old address is none any more."""
        secret = new_secret()
        self._change(number, {"feed_key": key_of(secret)}, ends_sessions=False)
        return secret

    def end_feed(self, number: int) -> None:
        """Let the account's feed have no address."""
        self._change(number, {"feed_key": None}, ends_sessions=False)

    def _one(self, wanted: sa.ColumnElement[bool], otherwise: str) -> User:
        with transaction(self._engine, "read accounts") as connection:
            row = connection.execute(sa.select(USERS).where(wanted)).first()
        if row is None:
            raise AccountUnknown(otherwise)
        return _user(row)

    def _change(
        self,
        number: int,
        values: dict[str, Any],
        *,
        ends_sessions: bool = True,
        keeps_admin: bool = False,
    ) -> None:
        change = sa.update(USERS).where(USERS.c.id == number).values(values)
        with transaction(self._engine, "change an account", writes=True) as connection:
            if keeps_admin and not _has_admin(connection, besides=number, issuer=self._issuer):
                raise AccountRefused("this is the last admin; make another one first", "last")
            if not connection.execute(change).rowcount:
                raise AccountUnknown(f"there is no account {number}")
            if ends_sessions:
                for table in (SESSIONS, INVITATIONS):
                    connection.execute(sa.delete(table).where(table.c.user_id == number))


def login_of(name: str) -> str:
    """A name as it is compared: however it is written, it is the same account."""
    plain = name.encode(errors="replace").decode().replace("\0", "")
    folded = unicodedata.normalize("NFKC", plain).casefold()
    return unicodedata.normalize("NFKC", folded)[:300].strip()


def _check_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name.encode(errors="replace").decode()).strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise AccountRefused(f"a name has 1 to {LONGEST_NAME} characters", "name")
    if not name.isprintable():
        raise AccountRefused(f"the name {name!r} has characters that cannot be shown", "name")
    return name


def _has_admin(connection: sa.Connection, *, besides: int, issuer: str) -> bool:
    """Whether an admin who can sign in is left; who never was one counts as no loss.

    Who was only invited cannot yet, and who comes from another provider cannot any more.
    """
    way_in: sa.ColumnElement[bool] = USERS.c.password.is_not(None)
    if issuer:
        way_in |= USERS.c.issuer == issuer
    admins = (USERS.c.role == Role.ADMIN.key) & USERS.c.disabled_at.is_(None)
    found = set(connection.scalars(sa.select(USERS.c.id).where(admins)).all())
    able = set(connection.scalars(sa.select(USERS.c.id).where(admins & way_in)).all())
    return besides not in found or bool(able - {besides})


def _user(row: Any) -> User:
    signed_in_at: datetime | None = row.signed_in_at
    return User(
        id=row.id,
        name=row.name,
        role=Role.named(row.role),
        external=row.issuer is not None,
        has_password=row.password is not None,
        has_feed=row.feed_key is not None,
        created_at=row.created_at,
        signed_in_at=signed_in_at,
        disabled_at=row.disabled_at,
    )
