"""The command line: `kb`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from portal.cli_digest import digest
from portal.cli_forms import forms
from portal.cli_gaps import gaps
from portal.cli_prove import prove
from portal.cli_requests import requests
from portal.cli_settings import quick, with_settings
from portal.cli_simulate import simulate
from portal.cli_suggest import suggest
from portal.cli_users import users
from portal.config import Settings
from search.errors import KnowledgeBaseError
from search.evaluate import METRICS


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


def _known_locale(name: str | None) -> str | None:
    """The locale that is meant, or None without one. Raises `QueryRejected`."""
    from portal.locales import match_locale
    from search.errors import QueryRejected

    locale = match_locale(name)
    if name and locale is None:
        raise QueryRejected(f"--locale: {name!r} is unknown; use en or zh")
    return locale


@cli.command()
@click.option("--rebuild", is_flag=True, help="Build anew even if nothing has changed.")
@quick
def index(settings: Settings, rebuild: bool) -> None:
    """Build the index from the articles and publish it.

    Exit code 2 when an article has an error; the published index then stays as it was.
    """
    from indexer.folder import read_folder
    from indexer.published import unchanged
    from search.embed import BUNDLED, open_embedder

    embedder = open_embedder(settings.model, cache=settings.cache)
    folder, today = read_folder(settings.articles), date.today()
    outcome = unchanged(folder, settings.data, model=embedder.model_id, today=today)
    if outcome is None or rebuild:
        from indexer.model_file import prepare_weights

        if settings.model == BUNDLED:
            prepare_weights(settings.cache)
            embedder = open_embedder(settings.model, cache=settings.cache, soon=True)
        from indexer.build import build_and_publish  # half a second, so only where it is needed
        from portal.progress import Bars
        from search.threads import limit_threads

        limit_threads()
        with Bars() as bars:
            outcome = build_and_publish(
                folder, settings.data, embedder, today=today, keep=settings.keep_generations,
                rebuild=rebuild, workers=settings.index_workers, progress=bars.update,
            )  # fmt: skip
    for warning in outcome.warnings:
        click.echo(str(warning), err=True)
    size = f"{outcome.articles} articles, {outcome.passages} passages, {outcome.units} vectors"
    if outcome.changed:
        click.echo(f"Published {outcome.name}: {size}, {outcome.encoded} encoded.")
        from portal.gaps.any import may_have_gaps

        if may_have_gaps(settings.events_url):
            from portal.proof.noted import note_published  # the half of a second that changes take

            for number in note_published(settings):
                click.echo(f"gap-{number}: its article is published now; live traffic decides.")
    else:
        click.echo(f"Nothing has changed; {outcome.name} stays: {size}.")


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT.")
@click.option("--host", help="Instead of KB_HOST.")
@click.option("--workers", type=click.IntRange(1, 64), help="Instead of KB_WORKERS.")
@with_settings
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
@click.option("--exact", is_flag=True, help="Take every word as it stands, misspelt or not.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")
@quick
def search(
    settings: Settings,
    query: str,
    locale: str | None,
    mode: str,
    section: str | None,
    platform: str | None,
    limit: int,
    explain: bool,
    exact: bool,
    as_json: bool,
) -> None:
    """Ask QUERY and print the answer and the results. Nothing is logged."""
    from search.embed import open_embedder

    embedder = open_embedder(settings.model, cache=settings.cache, soon=mode != "keyword")

    from portal.search_json import response_to_dict
    from portal.show import show_response
    from search.library import open_searcher
    from search.threads import limit_threads
    from search.types import Filters

    reader = _known_locale(locale)
    limit_threads()
    found = open_searcher(settings.data, embedder).search(
        query, locale=reader, filters=Filters(section, platform), limit=limit,
        mode=mode, explain=explain, exact=exact,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(response_to_dict(found), ensure_ascii=False, indent=2))
    else:
        click.echo(show_response(found))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@with_settings
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
@with_settings
def rollback(settings: Settings, name: str | None) -> None:
    """Go back to the generation before the present one, or to NAME."""
    from indexer.publish import roll_back
    from search.embed import open_embedder

    embedder = open_embedder(settings.model, cache=settings.cache)
    click.echo(f"Serving {roll_back(settings.data, name, embedder=embedder)}.")


@cli.command()
@click.option("--json", "as_json", is_flag=True)
@with_settings
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
@click.option("--json", "as_json", is_flag=True)
@with_settings
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
@with_settings
def purge(settings: Settings, days: int | None) -> None:
    """Remove events older than the retention period, and salts of visitor keys past their day."""
    from portal.database import open_engine
    from portal.events import open_event_store
    from portal.forms.store import open_form_log
    from portal.gaps.read_log import forget
    from portal.proof.store import RunStore
    from portal.transactions import empty_journal
    from portal.visitors import VisitorKeys

    age = days or settings.retention_days
    before = datetime.now(UTC) - timedelta(days=age)
    removed = open_event_store(settings.events_url).purge(before)
    removed += open_form_log(settings.events_url).purge(before)
    engine = open_engine(settings.events_url)
    forget(engine, before)
    RunStore(engine, lambda: datetime.now(UTC)).purge(before)
    VisitorKeys(engine, lambda: datetime.now(UTC)).forget_old()
    empty_journal(engine)
    click.echo(f"Removed {removed} events older than {age} days.")


@cli.command()
def settings() -> None:
    """Print the table of settings in Markdown."""
    from portal.config import settings_table

    click.echo(settings_table())


@cli.command("eval")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--mode", "modes", multiple=True, type=click.Choice(["hybrid", "keyword", "vector"]),
    help="Only this mode; may be given again.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, metavar="NAME",
    help="This model instead of KB_MODEL, with what it costs; several are compared.",
)  # fmt: skip
@click.option(
    "--part", type=click.Choice(["fit", "test"]), help="Only this part of golden questions."
)
@click.option("--locale", help="Only golden questions in this language: en or zh.")
@click.option("--sample", type=click.IntRange(1), help="At most this many, the same each time.")
@click.option(
    "--worst", type=click.IntRange(0), default=0,
    help="Show this many of the worst questions, with their traces.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Write what each question got here, as JSON lines for `kb compare`.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
@with_settings
def evaluate(
    settings: Settings,
    folder: Path,
    modes: tuple[str, ...],
    locale: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure retrieval on FOLDER: a BEIR data set, or golden questions about our articles."""
    from portal import show_quality
    from portal.cli_quality import Request, measure

    request = Request(folder, locale=_known_locale(locale), **options)
    if modes:
        request = replace(request, modes=tuple(dict.fromkeys(modes)))
    report = measure(settings, request)
    click.echo((show_quality.as_json if as_json else show_quality.as_table)(report))


@cli.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("b", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--metric", type=click.Choice(list(METRICS)), default="nDCG@10", show_default=True)
@click.option(
    "--show", "shown", type=click.IntRange(0), default=5, show_default=True,
    help="How many of the questions that moved furthest, each way.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
def compare(a: Path, b: Path | None, metric: str, shown: int, as_json: bool) -> None:
    """Say whether run B is better than run A: files that `kb eval --output` wrote.

    Questions are compared one by one, by a paired randomisation test and a bootstrap interval.
    Without B, the models in A are compared with the first of them.
    """
    from portal import show_compare
    from search.compare import compare_files

    found = compare_files(a, b, metric=metric)
    if as_json:
        click.echo(show_compare.as_json(found, metric=metric))
    else:
        click.echo(show_compare.as_text(found, metric=metric, shown=shown))


@cli.command()
@click.argument(
    "folders", nargs=-1, required=True, metavar="FOLDER...",
    type=click.Path(exists=True, path_type=Path),
)  # fmt: skip
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to instead of KB_DATA, where the portal looks.",
)  # fmt: skip
@with_settings
def calibrate(settings: Settings, folders: tuple[Path, ...], output: Path | None) -> None:
    """Refit ranking and confidence on labelled questions; keep what is no better than now.

    A FOLDER of golden questions about our articles gives the weights of the ranking and the
    confidence of each language: the part `fit` is fitted on, the part `test` judges. BEIR folders,
    together, give the confidence for articles that list no questions: their questions are asked
    with and without what answers them.
    """
    from portal import cli_calibrate

    for line in cli_calibrate.calibrate(settings, folders, output or settings.data):
        click.echo(line)


cli.add_command(digest)
cli.add_command(forms)
cli.add_command(gaps)
cli.add_command(prove)
cli.add_command(requests)
cli.add_command(simulate)
cli.add_command(suggest)
cli.add_command(users)
