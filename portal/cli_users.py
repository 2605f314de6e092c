"""`kb users`: the accounts of editors, for whoever has the machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from portal.cli_settings import with_settings
from portal.config import Settings

if TYPE_CHECKING:
    from portal.accounts.desk import Accounts
    from portal.accounts.types import User

_ROLES = click.Choice(["reader", "editor", "admin"])
_FROM_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)


@click.group()
def users() -> None:
    """Look after the accounts of editors.

    \b
    reader  sees every figure and question
    editor  also works the gaps and writes articles
    admin   also looks after people and sees the audit trail
    """


@users.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, default="reader", show_default=True)
@_FROM_STDIN
@with_settings
def add(settings: Settings, name: str, role: str, password_stdin: bool) -> None:
    """Make an account for NAME. The password is asked for; it is never an argument."""
    from portal.accounts.types import Role

    accounts = _open(settings)
    user = accounts.users.add(name, Role.named(role), _password(password_stdin))
    _note(accounts, "user.added", user, role=role)
    click.echo(f"{user.name} can sign in as {role}, at /editor/.")


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print every account as JSON.")
@with_settings
def list_all(settings: Settings, as_json: bool) -> None:
    """List the accounts."""
    accounts = _open(settings)
    sessions = accounts.sessions.count()
    found = accounts.users.all()
    if as_json:
        rows = [
            {
                "id": user.id, "name": user.name, "role": user.role.key,
                "external": user.external, "disabled": user.disabled,
                "signed_in_at": user.signed_in_at.isoformat() if user.signed_in_at else None,
                "sessions": sessions.get(user.id, 0),
            }
            for user in found
        ]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for user in found:
        last = f"{user.signed_in_at:%Y-%m-%d %H:%M}" if user.signed_in_at else "never"
        state = "disabled" if user.disabled else f"{sessions.get(user.id, 0)} sessions"
        click.echo(f"{user.role.key:7s} {user.name:24s} last signed in {last:16s}  {state}")
    if not found:
        click.echo("There is no account yet; make one with `kb users add NAME --role admin`.")


@users.command("role")
@click.argument("name")
@click.argument("role", type=_ROLES)
@with_settings
def set_role(settings: Settings, name: str, role: str) -> None:
    """Give NAME another role, which signs NAME out everywhere."""
    from portal.accounts.types import Role

    accounts = _open(settings)
    user = accounts.users.named(name)
    accounts.users.set_role(user.id, Role.named(role))
    _note(accounts, "user.role", user, **{"from": user.role.key, "to": role})
    click.echo(f"{user.name} is {role} now.")


@users.command("password")
@click.argument("name")
@_FROM_STDIN
@with_settings
def set_password(settings: Settings, name: str, password_stdin: bool) -> None:
    """Give NAME another password, which signs NAME out everywhere."""
    from portal.accounts.types import AccountRefused

    accounts = _open(settings)
    user = accounts.users.named(name)
    if user.external:
        raise AccountRefused(f"{user.name} signs in at the provider and has no password here")
    accounts.users.set_password(user.id, _password(password_stdin))
    _note(accounts, "password.changed", user)
    click.echo(f"{user.name} has another password now.")


@users.command("disable")
@click.argument("name")
@with_settings
def disable(settings: Settings, name: str) -> None:
    """Let NAME in no more, and sign NAME out everywhere."""
    accounts = _open(settings)
    user = accounts.users.named(name)
    accounts.users.disable(user.id)
    _note(accounts, "user.disabled", user)
    click.echo(f"{user.name} cannot sign in any more.")


@users.command("enable")
@click.argument("name")
@with_settings
def enable(settings: Settings, name: str) -> None:
    """Let NAME in again."""
    accounts = _open(settings)
    user = accounts.users.named(name)
    accounts.users.enable(user.id)
    _note(accounts, "user.enabled", user)
    click.echo(f"{user.name} can sign in again.")


@users.command("sign-out")
@click.argument("name")
@with_settings
def sign_out(settings: Settings, name: str) -> None:
    """End every session of NAME."""
    accounts = _open(settings)
    user = accounts.users.named(name)
    ended = accounts.sessions.end_all(user.id)
    _note(accounts, "user.signed_out", user, sessions=ended)
    click.echo(f"{user.name}: {ended} sessions ended.")


def _open(settings: Settings) -> Accounts:
    from datetime import UTC, datetime

    from portal.accounts.desk import open_accounts
    from portal.database import migrate, open_engine

    engine = open_engine(settings.events_url)
    migrate(engine)
    return open_accounts(settings, engine, lambda: datetime.now(UTC))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _note(accounts: Accounts, action: str, user: User, **detail: object) -> None:
    """Who sat at the machine is not known; that it was done there is."""
    from portal.accounts.trail import COMMAND_LINE

    accounts.trail.record(action, user.name, detail, user_id=None, user_name=COMMAND_LINE)
