"""What refreshing the gap report costs: `python benchmarks/gaps.py FOLDER... [--questions N]`.

Each FOLDER is a labelled set in BEIR layout, whose questions are logged as if visitors had asked
them and found nothing, each by one to three visitors in the last 90 days. The first refresh encodes
every question; the second, as every hour's, finds their vectors and the days read.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import sqlalchemy as sa

from portal.config import load_settings
from portal.database import migrate, open_engine
from portal.event_types import SearchEvent
from portal.events import SqlEventStore
from portal.gaps.refresh import refresh
from portal.gaps.store import GapStore
from search.embed import open_embedder
from search.library import PublishedLibrary
from search.threads import limit_threads

_DAYS = 90
_CHUNK = 500


def fill(engine: sa.Engine, texts: list[str], now: datetime) -> int:
    """Log the questions; gives the number of searches."""
    chance = random.Random(1)
    events = []
    for place, text in enumerate(texts):
        for visitor in range(chance.randint(1, 3)):
            at = now - timedelta(seconds=chance.uniform(3600, _DAYS * 86_400))
            events.append(
                SearchEvent(
                    id=f"{place:016x}{visitor:016x}", at=at, visitor=f"{place}-{visitor}",
                    locale="en", query=text, channel="page", mode="hybrid", confidence=0.1,
                    resolved=False, answer_article=None, section=None, platform=None,
                    generation="g", duration_ms=10.0, bot=False,
                )
            )  # fmt: skip
    store = SqlEventStore(engine, lambda: now)
    for low in range(0, len(events), _CHUNK):
        store.record_searches(events[low : low + _CHUNK])
    return len(events)


@click.command()
@click.argument(
    "folders", nargs=-1, required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--questions", type=click.IntRange(1), default=5000, show_default=True)
def main(folders: tuple[Path, ...], questions: int) -> None:
    """Print the time of two refreshes, by stage, and how many gaps there are."""
    settings = load_settings()
    limit_threads()
    files = [(folder / "queries.jsonl").read_text(encoding="utf-8") for folder in folders]
    texts = [json.loads(line)["text"] for text in files for line in text.splitlines()][:questions]
    embedder = open_embedder(settings.model, cache=settings.cache)
    library = PublishedLibrary(settings.data, embedder)
    library.search("ready?", locale="en")
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        engine = open_engine(f"sqlite:///{name}/events.db")
        migrate(engine)
        searches = fill(engine, texts, now)
        click.echo(f"{len(texts):,} questions, {searches:,} searches\n")
        rows: dict[str, dict[str, float]] = {}
        gaps = 0
        for title in ("first", "next"):
            stages: dict[str, float] = {}

            def note(stage: str, _done: int, _total: int, known: dict[str, float] = stages) -> None:
                known.setdefault(stage, time.perf_counter())

            began, worked = time.perf_counter(), time.process_time()
            run = refresh(engine, library, embedder, lambda: now, note, cache=Path(name))
            ended = time.perf_counter()
            worked = time.process_time() - worked
            starts = [*stages.values(), ended]
            took = {
                stage: end - start
                for stage, start, end in zip(stages, starts, starts[1:], strict=False)
            }
            rows[title] = {**took, "**the whole**": ended - began, "of the processor": worked}
            gaps = run.gaps
        first, following = rows["first"], rows["next"]
        click.echo("| stage | first refresh, s | the next, s |\n|---|--:|--:|")
        for stage in first | following:
            cells = (f"{row[stage]:.1f}" if stage in row else "–" for row in (first, following))
            click.echo(f"| {stage} | {' | '.join(cells)} |")
        began = time.perf_counter()
        listed = GapStore(engine, lambda: now).list()
        took_ms = 1000 * (time.perf_counter() - began)
        click.echo(f"\n{gaps} gaps of the last month; {len(listed)} listed in {took_ms:.0f} ms")
        engine.dispose()


if __name__ == "__main__":
    main()
