"""What the editors' pages of figures cost on a large log: `python benchmarks/overview.py FOLDER`.

Plays a log of a million events in FOLDER by `kb simulate`'s visitors (it is kept, and used again),
adds its days up, and times in one run: the overview as a page, just after the start of a process
and warm, for several periods; the questions behind its figures; the health of articles; and beside
them the same figures counted from the log alone. Needs a published index: KB_DATA, as for `kb`.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from portal.accounts.types import Role
from portal.app import create_app
from portal.config import load_settings
from portal.database import migrate, open_engine
from portal.editor.access import COOKIE
from portal.event_types import SearchEvent
from portal.figures.read import Selection, figures
from portal.figures.rollup import roll_up
from portal.figures.tables import DAYS
from portal.services import open_services
from portal.simulate.play import simulate
from portal.tables import EVENTS, FORM_EVENTS, SEARCHES, SUGGESTIONS
from search.embed import open_embedder
from search.library import open_searcher
from search.threads import limit_threads

_ADDRESSES = (
    "/editor/overview?days=7", "/editor/overview?days=30", "/editor/overview?days=90",
    "/editor/overview?days=30&locale=en&platform=pinecart", "/editor/questions",
    "/editor/questions?reason=handed_over", "/editor/questions?q=refund+to+my+card&days=90",
    "/editor/questions?state=log&q=no+such+words&days=90", "/editor/articles?days=90",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{given.folder / 'overview.db'}"
    settings = load_settings().model_copy(update={"database_url": url, "rate_limit": "off"})
    limit_threads()
    embedder = open_embedder(settings.model, cache=settings.cache)
    engine = open_engine(url)
    migrate(engine)
    now = datetime.now(UTC)
    if _count(engine) == 0:
        searcher = open_searcher(settings.data, embedder)
        seconds = _timed(lambda: simulate(
            engine, searcher, now=now, days=given.days, events=given.events, seed=1
        ))  # fmt: skip
        print(f"playing the log: {seconds:.0f} s", flush=True)
    with engine.begin() as connection:
        # As if it had been written up to now, so that today has its share.
        now = connection.scalar(sa.select(sa.func.max(SEARCHES.c.at, type_=SEARCHES.c.at.type)))
    assert now is not None
    print(f"events in the log: {_count(engine):,} over {given.days} days")
    with engine.begin() as connection:
        connection.execute(sa.delete(DAYS))
    seconds = _timed(lambda: roll_up(engine, now))
    print(
        f"adding all days up: {seconds:.1f} s; again: {_timed(lambda: roll_up(engine, now)):.2f} s"
    )
    print()
    services = open_services(settings, clock=lambda: now, embedder=embedder)
    client = create_app(settings, services).test_client()
    user = next(iter(services.accounts.users.all()), None) or services.accounts.users.add(
        "benchmark", Role.READER
    )
    token = services.accounts.sessions.begin(user.id, way="password", agent="benchmark")
    client.set_cookie(COOKIE, token, path="/editor/")

    written = itertools.count()

    def get(address: str) -> None:
        # A shop is asked all the time: something has come since the page was shown last.
        event = SearchEvent(
            id=f"benchmark-{time.time_ns()}-{next(written)}", at=now, visitor="b", locale="en",
            query="refund", channel="page", mode="hybrid", confidence=0.9, resolved=True,
            answer_article=None, section=None, platform=None, generation="g", duration_ms=1.0,
            bot=False, results=(),
        )  # fmt: skip
        services.events.record_search(event)
        status = client.get(address).status_code
        if status != 200:
            raise SystemExit(f"{address}: {status}")

    print("| page | first, ms | of the processor | next ones, median, ms | of the processor |")
    print("|---|--:|--:|--:|--:|")
    for address in _ADDRESSES:
        services.engine.dispose()
        once = functools.partial(get, address)
        first = _times(once)
        rest = [_times(once) for _ in range(given.repeat)]
        later = [statistics.median(column) for column in zip(*rest, strict=True)]
        cells = " | ".join(f"{1000 * seconds:.0f}" for seconds in (*first, *later))
        print(f"| `{address}` | {cells} |", flush=True)
    print()
    selection = Selection(now.date() - timedelta(days=29), now.date())

    def count() -> object:
        with engine.begin() as connection:
            return figures(connection, selection, now)

    kept = min(_timed(count) for _ in range(3))
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.delete(DAYS))
        raw = _timed(lambda: figures(connection, selection, now))
        transaction.rollback()
    print(f"figures of 30 days and the 30 before: {1000 * kept:.0f} ms with kept days, "
          f"{1000 * raw:.0f} ms from the log alone")  # fmt: skip


def _count(engine: sa.Engine) -> int:
    with engine.begin() as connection:
        tables = (*EVENTS, FORM_EVENTS, SUGGESTIONS)
        return sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                   for table in tables)  # fmt: skip


def _times(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor; the latter say more on a busy machine."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
