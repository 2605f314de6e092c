"""`kb requests`: the refund requests that were sent, and how their hand-over goes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from portal.cli_settings import with_settings
from portal.config import Settings
from search.errors import KnowledgeBaseError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from portal.requests.outbox import Outbox
    from portal.requests.store import Delivery, Request, RequestStore


class NoSuchRequest(KnowledgeBaseError):
    """No request has this number."""

    exit_code = 2
    status = 404


@click.group()
def requests() -> None:
    """List the refund requests that were sent, and hand them over again."""


@requests.command("list")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@with_settings
def list_(settings: Settings, days: int, as_json: bool) -> None:
    """List requests, the latest first. Names nobody: `kb requests show` does."""
    rows = _store(settings).since(datetime.now(UTC) - timedelta(days=days))
    if as_json:
        _print_json([_public(row) for row in rows])
        return
    for row in rows:
        ways = ", ".join(f"{way.channel} {way.state}" for way in row.deliveries) or "listed here"
        click.echo(
            f"{row.number}  {row.at:%Y-%m-%d %H:%M}  {row.platform:12s} {row.reason:16s} "
            f"{row.wish:8s} {row.verdict['outcome']:6s} {ways}"
        )
    if not rows:
        click.echo(f"No request in the last {days} days.")


@requests.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True)
@with_settings
def show(settings: Settings, number: str, as_json: bool) -> None:
    """Show one request whole, with what is needed to answer it."""
    row = _store(settings).by_number(number)
    if row is None:
        raise NoSuchRequest(f"{number}: no such request; `kb requests list` has them all")
    contact = row.contact
    if as_json:
        _print_json({**_public(row), "contact": dataclasses.asdict(contact) if contact else None})
        return
    click.echo(f"{row.number}  {row.at:%Y-%m-%d %H:%M} UTC  {row.locale}")
    click.echo(f"  order: {contact.order_number if contact else 'erased'} ({row.platform})")
    click.echo(f"  answer to: {contact.contact if contact else 'erased'}")
    for item in row.items:
        click.echo(f"  item: {item['quantity']} x {item['sku']}")
    click.echo(f"  reason: {row.reason}, wish: {row.wish}")
    verdict = row.verdict
    rule = f" by {verdict['article']}#{verdict['section']}" if verdict["article"] else ""
    click.echo(f"  rules: {verdict['outcome']} ({verdict['because']}){rule}")
    click.echo(f"  shown: {', '.join(row.shown) or 'nothing'}")
    click.echo(f"  read: {', '.join(row.opened) or 'nothing'}")
    for way in row.deliveries:
        click.echo(
            f"  {way.channel}: {way.state} after {way.attempts} attempts, {way.id}"
            + (f", {way.error}" if way.error else "")
        )
    for line in (contact.comments if contact else row.comments).splitlines():
        click.echo(f"    {line}")


@requests.command()
@click.option("--json", "as_json", is_flag=True)
@with_settings
def dead(settings: Settings, as_json: bool) -> None:
    """List deliveries that were given up; `kb requests redeliver` tries them again."""
    store, outbox = _store(settings), _outbox(settings)
    rows = [(way, store.by_id(way.request_id)) for way in outbox.dead()]
    found = [(way, row) for way, row in rows if row is not None]
    if as_json:
        _print_json([{"number": row.number, **_way(way)} for way, row in found])
        return
    for way, row in found:
        click.echo(f"{row.number}  {way.channel}  {way.attempts} attempts  {way.error}")
    if not found:
        click.echo("Nothing was given up.")


@requests.command()
@click.option("--json", "as_json", is_flag=True)
@with_settings
def deliver(settings: Settings, as_json: bool) -> None:
    """Hand over what is due, once; `kb serve` does this by itself. Exit code 1 on a failure."""
    from portal.requests.deliver import Deliverer
    from search.generation import open_current

    deliverer = Deliverer(
        settings, _store(settings), _outbox(settings),
        lambda: open_current(settings.data).catalogue, lambda: datetime.now(UTC),
    )  # fmt: skip
    arrived, failed = deliverer.deliver_due()
    if as_json:
        _print_json({"delivered": arrived, "failed": failed})
    else:
        click.echo(f"{arrived} delivered, {failed} failed.")
    if failed:
        click.get_current_context().exit(1)


@requests.command()
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--dead", "all_dead", is_flag=True, help="All that was given up.")
@click.option("--json", "as_json", is_flag=True)
@with_settings
def redeliver(settings: Settings, numbers: Sequence[str], all_dead: bool, as_json: bool) -> None:
    """Try the given requests again now, or with --dead all that was given up.

    They go out with the next look of `kb serve`, or by `kb requests deliver`.
    """
    if bool(numbers) == all_dead:
        raise click.UsageError("name requests, or give --dead")
    store, outbox = _store(settings), _outbox(settings)
    ids = {way.request_id for way in outbox.dead()} if all_dead else set()
    for number in numbers:
        row = store.by_number(number)
        if row is None:
            raise NoSuchRequest(f"{number}: no such request; `kb requests list` has them all")
        ids.add(row.id)
    now = datetime.now(UTC)
    waiting = sum(outbox.revive(request_id, now) for request_id in sorted(ids))
    if as_json:
        _print_json({"waiting": waiting})
    else:
        click.echo(f"Waiting to go out again: {waiting}")


@requests.command()
@click.option("--days", type=click.IntRange(1), help="Instead of KB_REQUEST_RETENTION_DAYS.")
@with_settings
def purge(settings: Settings, days: int | None) -> None:
    """Erase senders' details older than the retention period, and drafts past their day."""
    from portal.requests.desk import tidy
    from portal.requests.drafts import Drafts

    store = _store(settings)
    drafts, contacts = tidy(Drafts(_engine(settings)), store, settings, datetime.now(UTC), days)
    age = days or settings.request_retention_days
    click.echo(f"Erased the details of {contacts} requests older than {age} days, {drafts} drafts.")


def _engine(settings: Settings) -> sa.Engine:
    from portal.database import migrate, open_engine

    engine = open_engine(settings.events_url)
    migrate(engine)
    return engine


def _store(settings: Settings) -> RequestStore:
    from portal.requests.store import RequestStore

    return RequestStore(_engine(settings))


def _outbox(settings: Settings) -> Outbox:
    from portal.requests.outbox import Outbox

    return Outbox(_engine(settings))


def _public(row: Request) -> dict[str, Any]:
    """A request without what names its sender and without its link."""
    data = dataclasses.asdict(row)
    for name in ("contact", "token", "deliveries"):
        del data[name]
    return {**data, "deliveries": [_way(way) for way in row.deliveries]}


def _way(way: Delivery) -> dict[str, Any]:
    data = dataclasses.asdict(way)
    del data["claim"], data["request_id"]
    return data


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
