"""Signs a test's browser in, without the tenth of a second that a password takes."""

from __future__ import annotations

from flask.testing import FlaskClient

from portal.accounts.types import AccountUnknown, Role, User
from portal.editor.access import COOKIE
from portal.services import Services


def sign_in(client: FlaskClient, services: Services, role: str = "editor") -> User:
    """Have `client` signed in as somebody of this role, named after it; made when needed."""
    user = account(services, role)
    token = services.accounts.sessions.begin(user.id, way="password", agent="test")
    client.set_cookie(COOKIE, token, path="/editor/")
    return user


def account(services: Services, role: str = "editor") -> User:
    """The account named after its role; it has no password."""
    try:
        return services.accounts.users.named(role)
    except AccountUnknown:
        return services.accounts.users.add(role, Role.named(role))
