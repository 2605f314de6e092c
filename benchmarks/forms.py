"""What a year of a form's sessions costs to count: `python benchmarks/forms.py [--sessions N]`.

Beside it, in the same run, reading the same rows from the database and doing nothing with them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.forms.figures import Selection
from portal.forms.sessions import Facts
from portal.forms.store import SqlFormLog, _facts, _insert
from portal.tables import FORM_SESSIONS

_RUNS = 5
_CHUNK = 10_000


def fill(engine: sa.Engine, count: int, now: datetime) -> None:
    """Sessions spread over the year before `now`, two in three of them sent."""
    first, step = now - timedelta(days=365), timedelta(days=365) / count
    for low in range(0, count, _CHUNK):
        rows = []
        for number in range(low, min(count, low + _CHUNK)):
            at, sent = first + number * step, bool(number % 3)
            facts = Facts(
                at, f"v{number}", "en", at, found_at=at, shown_at=at,
                submitted_at=at if sent else None, sent_by=f"v{number}" if sent else "",
            )  # fmt: skip
            rows.append({"form": "request", "session": f"s{number}", **_facts(facts)})
        with engine.begin() as connection:
            _insert(connection, FORM_SESSIONS, rows)


def seconds(work: Callable[[], object]) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    options = parser.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'portal.db'}")
        migrate(engine)
        fill(engine, options.sessions, now)
        log = SqlFormLog(engine, lambda: now)

        def read() -> None:
            with engine.begin() as connection:
                connection.execute(sa.select(FORM_SESSIONS)).all()

        since = now - timedelta(days=400)
        counted = seconds(lambda: log.figures(Selection(since, now)))
        bare = seconds(read)
        engine.dispose()
    print("| sessions | counted in s | rows read in s | ratio |\n|--:|--:|--:|--:|")
    print(f"| {options.sessions:,} | {counted:.2f} | {bare:.2f} | {counted / bare:.2f} |")


if __name__ == "__main__":
    main()
