"""Every page for editors and every role: who gets through, and that nobody forgot a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter, Rule

from editor_session import sign_in
from portal.app import create_app
from portal.editor.roles import ROLES, Role
from portal.services import Services

_THROUGH = "let through"
_OWN = {
    "sign_out", "account_password", "account_session_end", "account_sign_out", "account_feed",
    "sign_in_post", "invitation_post",
}  # fmt: skip
"""What everybody may send: it changes nothing but their own account."""


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("editor.")]


def requests_of(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and an address of every route and method."""
    for rule in rules(app):
        values: dict[str, Any] = {
            name: 1 if isinstance(converter, IntegerConverter) else "x"
            for name, converter in rule._converters.items()
        }
        with app.test_request_context():
            address = url_for(rule.endpoint, **values)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint.removeprefix("editor."), method, address


@pytest.fixture
def guarded(app: Flask) -> Flask:
    """The real guard before views that only say that it let somebody through."""
    for name in app.view_functions:
        if name.startswith("editor."):
            app.view_functions[name] = lambda **_: _THROUGH
    return app


def test_every_page_for_editors_has_a_role_and_no_role_is_left_over(app: Flask) -> None:
    endpoints = {rule.endpoint.removeprefix("editor.") for rule in rules(app)}
    assert endpoints == set(ROLES)


def test_nobody_below_an_editor_changes_anything_but_their_own_account(app: Flask) -> None:
    for endpoint, method, _address in requests_of(app):
        if method != "GET" and endpoint not in _OWN:
            assert ROLES[endpoint] >= Role.EDITOR, endpoint


def test_other_peoples_accounts_and_deeds_are_for_admins(app: Flask) -> None:
    for endpoint in ROLES:
        if endpoint.startswith(("people", "audit")):
            assert ROLES[endpoint] is Role.ADMIN, endpoint


@pytest.mark.parametrize("role", ["anyone", "reader", "editor", "admin"])
def test_each_role_gets_through_to_its_pages_and_no_others(
    guarded: Flask, services: Services, role: str
) -> None:
    client = guarded.test_client()
    mine = Role.ANYONE
    if role != "anyone":
        mine = sign_in(client, services, role).role
    wrong = []
    for endpoint, method, address in requests_of(guarded):
        answer = client.open(address, method=method)
        allowed = answer.text == _THROUGH
        if allowed != (ROLES[endpoint] <= mine):
            wrong.append((endpoint, method, answer.status_code))
        elif not allowed and mine > Role.ANYONE:
            assert answer.status_code == 403, endpoint
        elif not allowed and address.endswith((".json", ".csv", ".atom")):
            assert answer.status_code == 401, endpoint
            assert answer.mimetype == "application/problem+json", endpoint
        elif not allowed:
            assert answer.status_code == 302, endpoint
            assert answer.location.startswith("/editor/sign-in"), endpoint
    assert wrong == []


def test_every_form_needs_its_token(
    guarded: Flask, services: Services, client: FlaskClient
) -> None:
    guarded.config["WTF_CSRF_ENABLED"] = True
    for endpoint, method, address in requests_of(guarded):
        if method != "GET":
            sign_in(client, services, "admin")
            answer = client.open(address, method=method, data={})
            assert answer.status_code == 400, endpoint
            assert answer.text != _THROUGH, endpoint


def test_a_page_without_a_role_is_shown_to_nobody(services: Services) -> None:
    app = create_app(services.settings, services)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    blueprint = app.blueprints["editor"]
    app.add_url_rule("/editor/new", "editor.new", lambda: _THROUGH)
    assert blueprint.name == "editor"
    client = app.test_client()
    sign_in(client, services, "admin")
    assert client.get("/editor/new").status_code == 500
