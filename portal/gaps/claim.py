"""One refresh at a time, in whichever process: a claim that lapses, with how far it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.gaps.tables import GAP_CLAIMS
from portal.transactions import transaction

_TASK = "refresh"
_FAILED = "failed"
_LAPSES = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the refresh under way is; `total` is 0 where nobody knows."""

    stage: str
    done: int
    total: int


class Claim:
    """The right to refresh. Everything may raise `EventsUnavailable`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._name = secrets.token_hex(8)

    def take(self, now: datetime) -> bool:
        """Whether it is ours now; what another process holds lapses after two minutes' silence."""
        c = GAP_CLAIMS.c
        with transaction(self._engine, "claim the refresh of gaps", writes=True) as connection:
            held = connection.execute(sa.select(GAP_CLAIMS).where(c.task == _TASK)).one_or_none()
            if held is not None and held.claimed_until > now:
                return False
            connection.execute(sa.delete(GAP_CLAIMS).where(c.task == _TASK))
            connection.execute(
                sa.insert(GAP_CLAIMS).values(
                    task=_TASK, claimed_by=self._name, claimed_until=now + _LAPSES,
                    stage="read", done=0, total=0,
                )
            )  # fmt: skip
        return True

    def keep(self, now: datetime, stage: str, done: int, total: int) -> None:
        """Hold on to it, and say how far the work is."""
        values = {"claimed_until": now + _LAPSES, "stage": stage, "done": done, "total": total}
        with transaction(self._engine, "keep the claim on gaps", writes=True) as connection:
            connection.execute(sa.update(GAP_CLAIMS).where(*self._ours()).values(values))

    def fail(self, now: datetime) -> None:
        """Let the next one, and leave a note for every process that it failed."""
        values = {"claimed_until": now, "stage": _FAILED, "done": 0, "total": 0}
        with transaction(self._engine, "note the failed refresh", writes=True) as connection:
            connection.execute(sa.update(GAP_CLAIMS).where(*self._ours()).values(values))

    def failed_at(self) -> datetime | None:
        """When the latest refresh failed, in whichever process; None if it did not."""
        c = GAP_CLAIMS.c
        query = sa.select(c.claimed_until).where(c.task == _TASK, c.stage == _FAILED)
        with transaction(self._engine, "read the refresh of gaps") as connection:
            return connection.scalar(query)

    def release(self) -> None:
        """Let the next one."""
        with transaction(self._engine, "release the refresh of gaps", writes=True) as connection:
            connection.execute(sa.delete(GAP_CLAIMS).where(*self._ours()))

    def progress(self, now: datetime) -> Progress | None:
        """How far whoever refreshes now is, None while nobody does."""
        c = GAP_CLAIMS.c
        query = sa.select(GAP_CLAIMS).where(c.task == _TASK, c.claimed_until > now)
        with transaction(self._engine, "read the refresh of gaps") as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Progress(row.stage, row.done, row.total)

    def _ours(self) -> tuple[sa.ColumnElement[bool], ...]:
        return (GAP_CLAIMS.c.task == _TASK, GAP_CLAIMS.c.claimed_by == self._name)
