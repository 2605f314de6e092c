"""The audit trail: who did what, and when. Rows are added and never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.accounts.tables import AUDIT
from portal.event_types import Clock
from portal.transactions import transaction

COMMAND_LINE = "kb (command line)"
"""Who did what was done by command, which nobody signs in for."""
_LONGEST_TEXT = 300
_LONGEST_SUBJECT = 200
_LONGEST_ACTION = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed. `user_id` is None where nobody was signed in, or on the command line."""

    id: int
    at: datetime
    user_id: int | None
    user_name: str
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which entries; what is empty does not restrict. `until` is not part of the period."""

    user: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


class AuditTrail:
    """Adds to the trail and reads it. Everything here raises `EventsUnavailable`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def record(
        self,
        action: str,
        subject: str,
        detail: Mapping[str, object],
        *,
        user_id: int | None,
        user_name: str,
    ) -> None:
        """Add an entry; texts are shortened, and what JSON has no word for becomes text."""
        plain = json.loads(json.dumps(dict(detail), default=str))
        values = {
            "at": self._clock(), "user_id": user_id, "user_name": _plain(user_name)[:100],
            "action": _plain(action)[:_LONGEST_ACTION],
            "subject": _plain(subject)[:_LONGEST_SUBJECT], "detail": _plain(plain),
        }  # fmt: skip
        with transaction(self._engine, "add to the audit trail") as connection:
            connection.execute(sa.insert(AUDIT).values(values))

    def entries(self, chosen: Chosen, *, limit: int, before: int | None = None) -> list[Entry]:
        """The newest entries first, older than entry `before`."""
        wanted = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        wanted = wanted.where(*_conditions(chosen))
        if before is not None:
            wanted = wanted.where(AUDIT.c.id < before)
        with transaction(self._engine, "read the audit trail") as connection:
            rows = connection.execute(wanted).all()
        return [Entry(r.id, r.at, r.user_id, r.user_name, r.action, r.subject, r.detail)
                for r in rows]  # fmt: skip

    def words(self) -> tuple[list[str], list[str]]:
        """The names and the actions there are in the trail, to choose from."""
        with transaction(self._engine, "read the audit trail") as connection:
            names, actions = (
                list(connection.scalars(sa.select(column).distinct().order_by(column)))
                for column in (AUDIT.c.user_name, AUDIT.c.action)
            )
        return names, actions


def _conditions(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    given = [
        AUDIT.c[name] == text
        for name, text in (("user_name", chosen.user), ("action", chosen.action))
        if text
    ]
    if chosen.subject:
        given.append(AUDIT.c.subject.contains(chosen.subject, autoescape=True))
    if chosen.since:
        given.append(AUDIT.c.at >= chosen.since)
    if chosen.until:
        given.append(AUDIT.c.at < chosen.until)
    return given


def _plain(value: Any) -> Any:
    """What a database takes, and a page can show: texts without control characters."""
    if isinstance(value, str):
        text = value.encode(errors="replace").decode()
        return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_TEXT]
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
