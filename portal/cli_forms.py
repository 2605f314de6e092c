"""`kb forms`: what came of the forms that suggest articles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from portal.cli_settings import with_settings
from portal.config import Settings

if TYPE_CHECKING:
    from portal.forms.counts import Counts
    from portal.forms.figures import Figures
    from portal.forms.intervals import Share

_DAYS = 30
_WEEKS_FROM = timedelta(days=62)


@click.command()
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]),
    help=f"First day, UTC; when absent the last {_DAYS} days.",
)  # fmt: skip
@click.option("--form", help="Only the form of this key.")
@click.option(
    "--locale", type=click.Choice(["en", "zh-Hans"]), help="Only sessions in this language."
)
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
@with_settings
def forms(
    settings: Settings, since: datetime | None, form: str | None, locale: str | None, as_json: bool
) -> None:
    """Say what came of the forms that suggest articles, with 95 % intervals.

    \b
    intent     something was typed, or happened to the form
    withheld   held out: suggestions were found and kept back
    suggested  something was above the threshold
    shown      the page showed it
    opened     an article was opened
    confirmed  the customer said "this solved it", and did not send the form
    assumed    not sent within 24 hours of its beginning, and nobody said why
    sent       sent all the same
    reversed   confirmed or left, but sent later by the same visitor
    left       said that it did not help, and left
    Shown is not solved. Sessions younger than 24 hours are not counted yet.
    """
    from portal.forms.export import as_dict
    from portal.forms.figures import Selection, Step
    from portal.forms.registry import open_forms
    from portal.forms.store import open_form_log
    from search.errors import QueryRejected

    now = datetime.now(UTC)
    day = since or datetime.combine(now.date() - timedelta(days=_DAYS - 1), time())
    first = day.replace(tzinfo=UTC)
    step: Step = "week" if now - first > _WEEKS_FROM else "day"
    if form is not None and open_forms(settings).get(form) is None:
        raise QueryRejected(f"--form: {form!r} is not set up; see KB_FORMS")
    log = open_form_log(settings.events_url)
    found = log.figures(Selection(first, now, form, locale, step))
    if as_json:
        click.echo(json.dumps(as_dict(found), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_lines(found)))


def _lines(figures: Figures) -> list[str]:
    chosen = figures.selection
    lines = [f"Sessions that began from {chosen.since:%Y-%m-%d} and are over"]
    for group in figures.groups:
        lines += ["", f"{group.form} ({group.locale or 'no language named'})"]
        lines += _table(group.counts)
    if len(figures.groups) > 1:
        lines += ["", "all together", *_table(figures.total)]
    if not figures.groups:
        lines += ["", "None yet."]
    if (compared := figures.holdout) is not None:
        gap = compared.difference
        lines += [
            "",
            "sent, where something was found",
            f"  suggested  {_share(compared.suggested)}",
            f"  held out   {_share(compared.withheld)}",
            f"  difference {100 * gap.value:+.1f} points ({100 * gap.low:+.1f} to "
            f"{100 * gap.high:+.1f})",
        ]
    lines += [
        "",
        f"Not counted yet, younger than 24 hours: {figures.open.sessions}. "
        f"Programs: {figures.bots}. Suggestions without a session: {figures.unfollowed}.",
    ]
    return lines


def _table(counts: Counts) -> list[str]:
    from portal.forms.figures import shares

    lines = [f"  intent     {counts.intent:6d}", f"  withheld   {counts.withheld:6d}"]
    lines += [
        f"  {name:10s} {_share(share) if share else '     0'}"
        for name, share in shares(counts).items()
    ]
    return lines


def _share(share: Share) -> str:
    return (
        f"{share.count:6d} of {share.of:<6d} {100 * share.value:5.1f} % "
        f"({100 * share.low:.1f} to {100 * share.high:.1f})"
    )
