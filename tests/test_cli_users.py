"""`kb users`: accounts from the command line, whose passwords are never an argument."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.accounts.tables import USERS
from portal.accounts.trail import Chosen
from portal.accounts.types import Role
from portal.cli import cli
from portal.config import Settings
from portal.services import Services
from tests_support import ROOT

PASSWORD = "correct horse 电池 staple"


def kb(runner: CliRunner, *arguments: str, typed: str = "", code: int = 0) -> str:
    done = runner.invoke(cli, ["users", *arguments], input=typed)
    assert done.exit_code == code, done.output
    return done.output


def test_an_account_is_made_with_a_password_that_is_asked_for(
    runner: CliRunner, services: Services
) -> None:
    said = kb(runner, "add", "anna", "--role", "editor", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in said
    user = services.accounts.users.check("anna", PASSWORD)
    assert user is not None
    assert user.role is Role.EDITOR
    kb(runner, "add", "ben", "--password-stdin", typed=f"{PASSWORD}\nrest\n")
    assert services.accounts.users.check("ben", PASSWORD) is not None
    assert services.accounts.users.named("ben").role is Role.READER


def test_no_command_takes_a_password_as_an_argument() -> None:
    users = cli.commands["users"]
    for command in users.commands.values():  # type: ignore[attr-defined]
        for parameter in command.params:
            assert "password" not in parameter.name or parameter.is_flag, command.name


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [(("add", "anna", "--password-stdin"), PASSWORD, "already"),
     (("add", "b", "--password-stdin"), "short", "at least 12"),
     (("add", "b", "--password-stdin"), "", "at least 12"),
     (("password", "nobody", "--password-stdin"), PASSWORD, "no account 'nobody'"),
     (("role", "anna", "root"), "", "root"), (("disable", "boss"), "", "last admin"),
     (("role", "boss", "reader"), "", "last admin"), (("enable", "nobody"), "", "no account")],
)  # fmt: skip
def test_what_cannot_be_done_is_exit_code_2_and_says_why(
    runner: CliRunner, services: Services, arguments: tuple[str, ...], typed: str, said: str
) -> None:
    services.accounts.users.add("anna", Role.READER)
    services.accounts.users.add("boss", Role.ADMIN)
    assert said in kb(runner, *arguments, typed=typed, code=2)
    assert len(services.accounts.users.all()) == 2


def test_accounts_are_changed_listed_and_noted(runner: CliRunner, services: Services) -> None:
    assert "kb users add" in kb(runner, "list")
    services.accounts.users.add("anna", Role.READER)
    number = services.accounts.users.named("anna").id
    services.accounts.sessions.begin(number, way="password", agent="")
    assert "1 sessions ended" in kb(runner, "sign-out", "ANNA")
    kb(runner, "role", "anna", "admin")
    kb(runner, "password", "anna", "--password-stdin", typed=PASSWORD)
    services.accounts.users.add("boss", Role.ADMIN, PASSWORD)
    kb(runner, "disable", "anna")
    assert "disabled" in kb(runner, "list")
    (anna, _boss) = json.loads(kb(runner, "list", "--json"))
    assert (anna["name"], anna["role"], anna["disabled"]) == ("anna", "admin", True)
    assert services.accounts.users.check("anna", PASSWORD) is None
    kb(runner, "enable", "anna")
    assert services.accounts.users.check("anna", PASSWORD) is not None
    entries = services.accounts.trail.entries(Chosen(subject="anna"), limit=10)
    assert [entry.action for entry in reversed(entries)] == [
        "user.signed_out", "user.role", "password.changed", "user.disabled", "user.enabled",
    ]  # fmt: skip
    assert all(entry.user_id is None for entry in entries)


def test_who_signs_in_at_the_provider_gets_no_password_here(
    runner: CliRunner, services: Services
) -> None:
    services.accounts.users.add("anna", Role.READER, issuer="https://login.example", subject="1")
    said = kb(runner, "password", "anna", "--password-stdin", typed=PASSWORD, code=2)
    assert "at the provider" in said
    with services.engine.connect() as connection:
        assert connection.scalar(sa.select(USERS.c.password)) is None


def test_every_command_that_is_documented_exists() -> None:
    text = (ROOT / "docs" / "editors.md").read_text("utf-8")
    users = cli.commands["users"].commands  # type: ignore[attr-defined]
    named = set(re.findall(r"`kb users ([a-z-]+)", text))
    assert named == set(users)
    variables = set(re.findall(r"\bKB_[A-Z_]+\b", text))
    assert variables <= {f"KB_{name.upper()}" for name in Settings.model_fields}
    options = set(re.findall(r"^\| `(--[a-z]+)", text, re.MULTILINE))
    assert options == {option for one in cli.commands["digest"].params for option in one.opts}
