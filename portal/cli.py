"""The command line: `kb`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from portal.config import Settings, load_settings
from search.errors import KnowledgeBaseError

R = TypeVar("R")


class _Group(click.Group):
    """Turns every error of ours into one message on stderr and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KnowledgeBaseError as error:
            click.echo(f"kb: {error}", err=True)
            ctx.exit(error.exit_code)


def main() -> None:
    """Entry point of the `kb` script."""
    cli(prog_name="kb")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kb-portal", prog_name="kb")
def cli() -> None:
    """A help centre from a folder of Markdown articles."""


def _with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Hand a command the settings, and set the log up by them."""

    @wraps(command)
    def wrapper(*args: Any, **options: Any) -> R:
        from portal.logs import configure_logging

        settings = load_settings()
        configure_logging(level=settings.log_level, form=settings.log_format)
        return command(settings, *args, **options)

    return wrapper


@cli.command()
@click.option("--rebuild", is_flag=True, help="Build anew even if nothing has changed.")
@_with_settings
def index(settings: Settings, rebuild: bool) -> None:
    """Build the index from the articles and publish it.

    Exit code 2 when an article has an error; the published index then stays as it was.
    """
    from indexer.build import build_and_publish
    from portal.progress import Bars
    from search.embed import open_embedder
    from search.threads import limit_threads

    limit_threads()
    embedder = open_embedder(settings.model)
    with Bars() as bars:
        outcome = build_and_publish(
            settings.articles, settings.data, embedder, today=date.today(),
            keep=settings.keep_generations, rebuild=rebuild, progress=bars.update,
        )  # fmt: skip
    for warning in outcome.warnings:
        click.echo(str(warning), err=True)
    size = f"{outcome.articles} articles, {outcome.passages} passages, {outcome.units} vectors"
    if outcome.changed:
        click.echo(f"Published {outcome.name}: {size}, {outcome.encoded} encoded.")
    else:
        click.echo(f"Nothing has changed; {outcome.name} stays: {size}.")


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT.")
@click.option("--host", help="Instead of KB_HOST.")
@click.option("--workers", type=click.IntRange(1, 64), help="Instead of KB_WORKERS.")
@_with_settings
def serve(settings: Settings, port: int | None, host: str | None, workers: int | None) -> None:
    """Serve the portal with gunicorn."""
    from portal.server import run

    given = {"port": port, "host": host, "workers": workers}
    run(settings.model_copy(update={k: v for k, v in given.items() if v is not None}))


@cli.command()
@click.argument("query")
@click.option("--locale", help="The reader's language: en or zh. Guessed when absent.")
@click.option(
    "--mode", type=click.Choice(["hybrid", "keyword", "vector"]), default="hybrid",
    show_default=True,
)  # fmt: skip
@click.option("--section", help="Only articles of this section.")
@click.option("--platform", help="Only articles about this platform.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--explain", is_flag=True, help="Say why each result stands where it stands.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")
@_with_settings
def search(
    settings: Settings,
    query: str,
    locale: str | None,
    mode: str,
    section: str | None,
    platform: str | None,
    limit: int,
    explain: bool,
    as_json: bool,
) -> None:
    """Ask QUERY and print the answer and the results. Nothing is logged."""
    from portal.api.search import response_to_dict
    from portal.i18n import match_locale
    from portal.show import show_response
    from search.embed import open_embedder
    from search.errors import QueryRejected
    from search.library import open_searcher
    from search.threads import limit_threads
    from search.types import Filters

    if locale and match_locale(locale) is None:
        raise QueryRejected(f"--locale: {locale!r} is unknown; use en or zh")
    limit_threads()
    embedder = open_embedder(settings.model)
    found = open_searcher(settings.data, embedder).search(
        query, locale=match_locale(locale), filters=Filters(section, platform), limit=limit,
        mode=mode, explain=explain,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(response_to_dict(found), ensure_ascii=False, indent=2))
    else:
        click.echo(show_response(found))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@_with_settings
def check(settings: Settings, as_json: bool) -> None:
    """Check every article: schema, names, links, addresses, translations, review dates.

    Exit code 2 when there is an error, 0 when there are only warnings.
    """
    import dataclasses

    from indexer.check import check_folder

    library, problems = check_folder(settings.articles, today=date.today())
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(p) for p in problems], ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(
            f"{len(library.files)} articles read, {errors} errors, "
            f"{len(problems) - errors} warnings."
        )
    if errors:
        sys.exit(2)


@cli.command()
@click.argument("name", required=False)
@_with_settings
def rollback(settings: Settings, name: str | None) -> None:
    """Go back to the generation before the present one, or to NAME."""
    from indexer.publish import roll_back
    from search.embed import open_embedder

    embedder = open_embedder(settings.model)
    click.echo(f"Serving {roll_back(settings.data, name, embedder=embedder)}.")


@cli.command()
@click.option("--json", "as_json", is_flag=True)
@_with_settings
def generations(settings: Settings, as_json: bool) -> None:
    """List the published generations, newest last."""
    import dataclasses

    from indexer.publish import generations as complete
    from search.generation import current_name

    present = current_name(settings.data)
    rows = [
        {**dataclasses.asdict(m), "current": m.name == present} for m in complete(settings.data)
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        mark = "*" if row["current"] else " "
        click.echo(f"{mark} {row['name']}  {row['articles']} articles  {row['model']}")


@cli.command()
@click.option("--days", type=click.IntRange(1), default=30, show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@_with_settings
def gaps(settings: Settings, days: int, limit: int, as_json: bool) -> None:
    """List the questions that were not answered, the most pressing first."""
    import dataclasses

    from portal.events import open_event_store

    since = datetime.now(UTC) - timedelta(days=days)
    rows = open_event_store(settings.events_url).unresolved(since, limit)
    if as_json:
        click.echo(
            json.dumps([dataclasses.asdict(row) for row in rows], ensure_ascii=False, default=str)
        )
        return
    for row in rows:
        click.echo(
            f"{row.visitors:4d} visitors  {row.searches:4d} searches  {row.last_seen:%Y-%m-%d}  "
            f"{row.locale:7s} {row.query}"
        )
    if not rows:
        click.echo(f"No unanswered question in the last {days} days.")


@cli.command()
@click.option("--days", type=click.IntRange(1), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@_with_settings
def handovers(settings: Settings, days: int, as_json: bool) -> None:
    """List what customers handed over to a person, the latest first."""
    import dataclasses

    from portal.events import open_event_store

    since = datetime.now(UTC) - timedelta(days=days)
    rows = open_event_store(settings.events_url).handovers(since)
    if as_json:
        click.echo(
            json.dumps([dataclasses.asdict(row) for row in rows], ensure_ascii=False, default=str)
        )
        return
    for row in rows:
        click.echo(f"{row.reference}  {row.at:%Y-%m-%d %H:%M}  {row.locale}  {row.query}")
        click.echo(f"    read: {', '.join(row.articles) or 'nothing'}")
        for line in row.message.splitlines():
            click.echo(f"    {line}")
    if not rows:
        click.echo(f"No hand-over in the last {days} days.")


@cli.group()
def events() -> None:
    """Look after the event log."""


@events.command()
@click.option("--days", type=click.IntRange(1), help="Instead of KB_RETENTION_DAYS.")
@_with_settings
def purge(settings: Settings, days: int | None) -> None:
    """Remove events older than the retention period, and salts of visitor keys past their day."""
    from portal.database import open_engine
    from portal.events import open_event_store
    from portal.visitors import VisitorKeys

    age = days or settings.retention_days
    removed = open_event_store(settings.events_url).purge(datetime.now(UTC) - timedelta(days=age))
    VisitorKeys(open_engine(settings.events_url), lambda: datetime.now(UTC)).forget_old()
    click.echo(f"Removed {removed} events older than {age} days.")


@cli.command()
def settings() -> None:
    """Print the table of settings in Markdown."""
    from portal.config import settings_table

    click.echo(settings_table())


@cli.command("eval")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
@_with_settings
def evaluate(settings: Settings, folder: Path, as_json: bool) -> None:
    """Measure retrieval on FOLDER: a BEIR data set, or golden questions about our articles."""
    from portal import cli_quality

    summaries = cli_quality.measure(settings, folder)
    click.echo((cli_quality.as_json if as_json else cli_quality.as_table)(folder, summaries))


@cli.command()
@click.argument("golden", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Instead of confidence.json in KB_DATA, which the portal reads.",
)  # fmt: skip
@_with_settings
def calibrate(settings: Settings, golden: Path, output: Path | None) -> None:
    """Fit the confidence on GOLDEN questions about our articles, part by part.

    The `fit` part is fitted on, the `test` part judges. A language in which the fit is no better
    than the present calibration keeps that.
    """
    from portal import cli_quality
    from search.library import CALIBRATION

    click.echo(cli_quality.calibrate(settings, golden, output or settings.data / CALIBRATION))
