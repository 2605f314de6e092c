"""What an account is, and what may go wrong with one."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from search.errors import KnowledgeBaseError


class Role(enum.IntEnum):
    """What somebody may do; each role may do all that a lesser one may.

    `ANYONE` is what pages ask for that need nobody signed in; no account has it.
    """

    ANYONE = 0
    READER = 1
    EDITOR = 2
    ADMIN = 3

    @property
    def key(self) -> str:
        """The role as commands, addresses and the table have it: `reader`, `editor`, `admin`."""
        return self.name.lower()

    @classmethod
    def named(cls, key: str) -> Role:
        """The role of an account by its key. Raises `AccountRefused`."""
        for role in GIVEN:
            if role.key == key:
                return role
        raise AccountRefused(f"role {key!r} is unknown; use {', '.join(r.key for r in GIVEN)}")


GIVEN = (Role.READER, Role.EDITOR, Role.ADMIN)
"""The roles an account can have."""


@dataclass(frozen=True, slots=True)
class User:
    """An account. `external` ones sign in elsewhere, by OpenID Connect."""

    id: int
    name: str
    role: Role
    external: bool
    has_password: bool
    has_feed: bool
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None

    @property
    def disabled(self) -> bool:
        """Whether nobody can sign in to it."""
        return self.disabled_at is not None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in on one device; `key` is a hash, of no use to sign in with."""

    key: str
    user_id: int
    made_at: datetime
    seen_at: datetime
    expires_at: datetime
    way: str
    agent: str


class AccountRefused(KnowledgeBaseError):
    """An account cannot be made or changed so; the message says why.

    `reason` is a word for it, by which pages say the same in the reader's language.
    """

    exit_code = 2
    status = 400

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class AccountUnknown(KnowledgeBaseError):
    """There is no account of that name or number."""

    exit_code = 2
    status = 404
