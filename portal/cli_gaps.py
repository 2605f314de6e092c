"""`kb gaps`: refreshes the gap report and prints it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from portal.cli_settings import with_settings
from portal.config import Settings
from portal.gaps.definitions import LEAST

if TYPE_CHECKING:
    import sqlalchemy as sa


@click.command()
@click.option("--days", type=click.IntRange(1, 180), default=30, show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option(
    "--least", type=click.IntRange(1), default=LEAST, show_default=True,
    help="Only gaps that at least this many visitors asked about, as the queue's page lists them.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Closed and ignored ones too.")
@click.option("--stored", is_flag=True, help="Print the last refresh instead of making a new one.")
@click.option("--again", is_flag=True, help="Read the whole log anew, not only the latest days.")
@click.option("--json", "as_json", is_flag=True, help="Print everything known of each gap.")
@with_settings
def gaps(
    settings: Settings,
    days: int,
    limit: int,
    least: int,
    everything: bool,
    stored: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Refresh the gap report and list the gaps, the most pressing first.

    A gap is a group of questions that mean the same and found no answer; its number stays. The
    score is distinct visitors x severity x recency, which halves every 14 days.
    """
    from portal.database import migrate, open_engine
    from portal.gaps.enough import enough
    from portal.gaps.show import as_lines, as_rows
    from portal.gaps.store import GapFilter, GapStore
    from portal.gaps.types import UNDER_WAY, State
    from portal.simulate.mark import is_simulated

    engine = open_engine(settings.events_url)
    migrate(engine)
    store = GapStore(engine, lambda: datetime.now(UTC))
    if not stored:
        _refresh(settings, engine, again=again)
    simulated = is_simulated(engine)
    if simulated:
        click.echo("There are visitors here who never were: `kb simulate` played them.", err=True)
    states = tuple(State) if everything else UNDER_WAY
    every = store.list(GapFilter(days=days, states=states))
    told = enough(every, least)
    found = told[:limit]
    if told and all(gap.visitors < least for gap in told):
        click.echo(f"No gap was asked about by {least} visitors yet, so all are listed.", err=True)
    elif fewer := len(every) - len(told):
        noun = "gap was" if fewer == 1 else "gaps were"
        click.echo(f"{fewer} {noun} asked about by fewer visitors: `--least 1`.", err=True)
    if as_json:
        rows = as_rows(found, store.shown_first(), simulated=simulated)
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for line in as_lines(found):
        click.echo(line)
    if not found:
        click.echo(f"No unanswered question in the last {days} days.")


def _refresh(settings: Settings, engine: sa.Engine, *, again: bool) -> None:
    """Make the report anew, unless a serving process just does."""
    from portal.gaps.refresher import GapRefresher
    from portal.progress import Bars
    from search.embed import open_embedder
    from search.library import PublishedLibrary
    from search.threads import limit_threads

    limit_threads()
    embedder = open_embedder(settings.model, cache=settings.cache)
    library = PublishedLibrary(settings.data, embedder)
    refresher = GapRefresher(
        engine, library, embedder, lambda: datetime.now(UTC), cache=settings.cache
    )
    with Bars() as bars:
        run = refresher.run_now(bars.update, again=again)
    if run is None:
        click.echo("Another process is just refreshing; this is the last report.", err=True)
