"""`kb simulate`: visitors who never were, for a first look at the editors' pages."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from portal.cli_settings import with_settings
from portal.config import Settings


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 400), default=56, show_default=True,
    help="How far back it begins.",
)  # fmt: skip
@click.option(
    "--events", type=click.IntRange(1, 5_000_000), default=20_000, show_default=True,
    help="About how many searches, clicks, votes and the like.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Another number, others.")
@with_settings
def simulate(settings: Settings, days: int, events: int, seed: int) -> None:
    """Fill the log with simulated visitors, so that the editors' pages have something to show.

    They ask what the articles answer and what no article answers, with slips of the finger,
    repeats and crawlers; they click, vote, ask for a person and fill in forms. What they do
    is made up; what they are shown is not: every question goes through the real search. From 56
    days on two editors who never were work the gaps to the end of the loop: some articles count as
    written meanwhile, before which the search leaves them out; no file is written. What an earlier
    simulation left is removed, with its gaps and what was done about them. On a log with a single
    real visitor, or with gaps of some, it refuses to run: exit code 2.
    """
    from portal.database import migrate, open_engine
    from portal.figures.rollup import roll_up
    from portal.progress import Bars
    from portal.simulate.log import refuse_real
    from portal.simulate.play import simulate as play
    from search.embed import open_embedder
    from search.library import open_searcher
    from search.threads import limit_threads

    engine = open_engine(settings.events_url)
    migrate(engine)
    refuse_real(engine)
    limit_threads()
    searcher = open_searcher(settings.data, open_embedder(settings.model, cache=settings.cache))
    now = datetime.now(UTC)
    with Bars() as bars:
        played = play(
            engine, searcher, now=now, days=days, events=events, seed=seed, cache=settings.cache,
            progress=lambda done, of: bars.update("simulate", done, of),
        )  # fmt: skip
        roll_up(engine, now, lambda done, of: bars.update("figures", done, of))
    click.echo(
        f"Played {played.events} events over {days} days; {played.questions} distinct questions "
        "were asked."
    )
