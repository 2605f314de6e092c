"""`kb digest`: the week in a minute, as Markdown, by mail or to the webhook."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from portal.cli_settings import with_settings
from portal.config import Settings


@click.command()
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]),
    help="First day, UTC; when absent the last seven days. The last day is yesterday.",
)  # fmt: skip
@click.option(
    "--locale", type=click.Choice(["en", "zh-Hans"]), help="Language, instead of KB_DEFAULT_LOCALE."
)
@click.option("--mail", "address", metavar="ADDRESS", help="Send it there instead of printing it.")
@click.option("--webhook", is_flag=True, help="Post it to KB_WEBHOOK_URL instead of printing it.")
@click.option("--json", "as_json", is_flag=True, help="Print everything in it as JSON.")
@with_settings
def digest(
    settings: Settings,
    since: datetime | None,
    locale: str | None,
    address: str | None,
    webhook: bool,
    as_json: bool,
) -> None:
    """Say what a week of questions came to: for those who write the articles.

    New gaps and those that were asked about twice as often, gaps closed by evidence and reopened,
    gaps and reviews that are due, and the answer rate against the week before. It is made from
    the last refresh of the gap report; `kb gaps` makes a new one.
    """
    from portal.database import migrate, open_engine
    from portal.digest import markdown, send
    from portal.digest.content import as_dict, read_digest
    from search.errors import QueryRejected
    from search.generation import open_current

    now = datetime.now(UTC)
    if since is not None and since.date() >= now.date():
        raise QueryRejected(f"--since {since:%Y-%m-%d}: is not over yet; give an earlier day")
    engine = open_engine(settings.events_url)
    migrate(engine)
    articles = open_current(settings.data).catalogue
    found = read_digest(engine, articles, now, since.date() if since else None)
    language = locale or settings.default_locale
    data = as_dict(found, settings.base_url)
    text = markdown.as_markdown(found, locale=language, base_url=settings.base_url)
    name = f"digest_{found.first:%Y%m%d}_{found.last:%Y%m%d}"
    if (address or webhook) and not settings.base_url:
        click.echo(
            "KB_BASE_URL is not set, so the links of the digest have no host: nobody can follow "
            "them. Set it to the portal's address, such as https://help.example.",
            err=True,
        )
    if address:
        subject = markdown.subject(found, locale=language)
        send.mail(settings, address, subject=subject, text=text, message_id=name)
        click.echo(f"Sent to {address}.")
    if webhook:
        send.post(settings, data, text=text, message_id=name, now=now)
        click.echo("Posted to KB_WEBHOOK_URL.")
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    elif not address and not webhook:
        click.echo(text, nl=False)
