"""Runs in the database: how far each is, what it found, and whose turn it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.drafts.paths import ArticlePath
from portal.event_types import Clock
from portal.proof.tables import PROOF_CLAIMS, PROOF_OUTCOMES, PROOF_RUNS
from portal.proof.types import (
    Outcome,
    Proof,
    Run,
    RunKind,
    RunsBusy,
    RunState,
    RunUnknown,
    outcome_dict,
    outcome_of,
)
from portal.transactions import purge, transaction

LAPSES = timedelta(seconds=60)
"""A run that has said nothing for so long has died with its process."""
_TASK = "index"
_INTERRUPTED = "The process that did this was stopped before it was done. Start it again."
_WHY_INTERRUPTED = {"failure": {"code": "interrupted"}}
_MOST_ERROR = 4000  # characters


class RunStore:
    """Runs by id and by gap. Everything may raise `EventsUnavailable`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(
        self, kind: RunKind, article: ArticlePath, *, gap: int | None, by: str, digest: str
    ) -> Run:
        """Take the turn. Raises `RunsBusy` while another run, of any process, has it."""
        now = self._clock()
        name = secrets.token_hex(16)
        with transaction(self._engine, "begin a run", writes=True) as connection:
            claim = connection.execute(sa.select(PROOF_CLAIMS)).first()
            if claim is not None and claim.claimed_until > now:
                raise RunsBusy("Another proof or publish is under way; wait for it.", claim.run)
            connection.execute(sa.delete(PROOF_CLAIMS))
            _fail_running(connection, now)
            connection.execute(
                sa.insert(PROOF_CLAIMS).values(task=_TASK, run=name, claimed_until=now + LAPSES)
            )
            connection.execute(
                sa.insert(PROOF_RUNS).values(
                    id=name, kind=kind, gap=gap, article=str(article), by=by,
                    state=RunState.RUNNING, stage="", done=0, total=1, started_at=now,
                    alive_at=now, finished_at=None, error="", digest=digest, result=None,
                )
            )  # fmt: skip
        return self.get(name)

    def alive(self, name: str, stage: str, done: int, total: int) -> None:
        """Say how far a run is, and keep its turn."""
        now = self._clock()
        with transaction(self._engine, "note a run's progress", writes=True) as connection:
            connection.execute(
                sa.update(PROOF_RUNS)
                .where(PROOF_RUNS.c.id == name, PROOF_RUNS.c.state == RunState.RUNNING)
                .values(stage=stage, done=done, total=total, alive_at=now)
            )
            connection.execute(
                sa.update(PROOF_CLAIMS)
                .where(PROOF_CLAIMS.c.run == name)
                .values(claimed_until=now + LAPSES)
            )

    def finish(
        self, name: str, result: Mapping[str, Any], outcomes: Iterable[Outcome] = ()
    ) -> None:
        """Keep what a run came to, and give the turn back."""
        rows = [
            {
                **{key: value for key, value in outcome_dict(outcome).items() if key != "part"},
                "part": outcome.part.value, "run": name, "position": position,
                "text": outcome.text[:500],
            }
            for position, outcome in enumerate(outcomes)
        ]  # fmt: skip
        with transaction(self._engine, "keep a proof", writes=True) as connection:
            if rows:
                connection.execute(sa.insert(PROOF_OUTCOMES), rows)
            self._end(connection, name, state=RunState.DONE, result=dict(result))

    def fail(self, name: str, error: str, facts: Mapping[str, Any]) -> None:
        """Keep why a run came to nothing, in English and as facts, and give the turn back."""
        with transaction(self._engine, "end a run", writes=True) as connection:
            self._end(
                connection, name, state=RunState.FAILED, error=error[:_MOST_ERROR],
                result={"failure": dict(facts)},
            )  # fmt: skip

    def get(self, name: str) -> Run:
        """A run. Raises `RunUnknown`."""
        with transaction(self._engine, "read a run") as connection:
            row = connection.execute(sa.select(PROOF_RUNS).where(PROOF_RUNS.c.id == name)).first()
        if row is None:
            raise RunUnknown("There is no such run; it may be too old.")
        return self._run(row)

    def latest(self, gap: int, kind: RunKind) -> Run | None:
        """The last run of a kind for a gap."""
        query = (
            sa.select(PROOF_RUNS)
            .where(PROOF_RUNS.c.gap == gap, PROOF_RUNS.c.kind == kind)
            .order_by(PROOF_RUNS.c.started_at.desc(), PROOF_RUNS.c.id)
            .limit(1)
        )
        with transaction(self._engine, "read a gap's runs") as connection:
            row = connection.execute(query).first()
        return None if row is None else self._run(row)

    def proof(self, run: Run) -> Proof | None:
        """What a run of that kind found; None of one that is not done."""
        if run.kind != RunKind.PROOF or run.state != RunState.DONE or run.result is None:
            return None
        query = (
            sa.select(PROOF_OUTCOMES)
            .where(PROOF_OUTCOMES.c.run == run.id)
            .order_by(PROOF_OUTCOMES.c.position)
        )
        with transaction(self._engine, "read a proof") as connection:
            rows = connection.execute(query).mappings().all()
        return Proof(outcomes=tuple(outcome_of(dict(row)) for row in rows), **run.result)

    def purge(self, before: datetime) -> int:
        """Forget runs that began earlier, with the questions they asked; gives how many."""
        old = sa.select(PROOF_RUNS.c.id).where(PROOF_RUNS.c.started_at < before)
        with transaction(self._engine, "forget proofs", writes=True) as connection:
            connection.execute(sa.delete(PROOF_OUTCOMES).where(PROOF_OUTCOMES.c.run.in_(old)))
        return purge(self._engine, PROOF_RUNS, "started_at", before)

    def _end(self, connection: sa.Connection, name: str, **values: Any) -> None:
        now = self._clock()
        connection.execute(
            sa.update(PROOF_RUNS)
            .where(PROOF_RUNS.c.id == name)
            .values(**values, finished_at=now, alive_at=now)
        )
        connection.execute(sa.delete(PROOF_CLAIMS).where(PROOF_CLAIMS.c.run == name))

    def _run(self, row: Any) -> Run:
        """A run as the table has it; one whose process has died has failed."""
        state, error, result = RunState(row.state), row.error, row.result
        if state == RunState.RUNNING and row.alive_at + LAPSES <= self._clock():
            state, error, result = RunState.FAILED, _INTERRUPTED, _WHY_INTERRUPTED
        return Run(
            row.id, RunKind(row.kind), row.gap, ArticlePath.parse(row.article), row.by, state,
            row.stage, row.done, row.total, row.started_at, row.finished_at, error, row.digest,
            result,
        )  # fmt: skip


def _fail_running(connection: sa.Connection, now: datetime) -> None:
    """Runs that still say they are under way while nobody has the turn have died."""
    connection.execute(
        sa.update(PROOF_RUNS)
        .where(PROOF_RUNS.c.state == RunState.RUNNING)
        .values(state=RunState.FAILED, error=_INTERRUPTED, result=_WHY_INTERRUPTED, finished_at=now)
    )
