"""Signing in at an OpenID Connect provider: code flow with PKCE, state and nonce, by Authlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    make_response,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts.audit import audit
from portal.accounts.types import GIVEN, AccountRefused, Role, User
from portal.config import Settings
from portal.editor.signing_in import form, let_in, safe_next
from portal.help.context import absolute
from portal.services import services

_CLIENT = "kb"
_NEXT = "oidc_next"
_SECONDS = 10
_RETRY_SECONDS = 30
_log = structlog.get_logger(__name__)


class _NotLetIn(Exception):
    """The provider knows who it is, and that is not enough; `why` is for the audit trail."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(why)
        self.why = why
        self.said = said


def init_app(app: Flask, settings: Settings) -> None:
    """Make the provider known; nothing is asked of it before somebody signs in."""
    if not settings.oidc_issuer:
        return
    from authlib.integrations.flask_client import OAuth  # a third of a second

    OAuth(app).register(
        _CLIENT,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "default_timeout": _SECONDS,
        },
    )


def add_routes(blueprint: Blueprint) -> None:
    # A link and no form: the pages' policy lets forms lead nowhere else.
    blueprint.add_url_rule("/oidc", "oidc_start", start)
    blueprint.add_url_rule("/oidc/callback", "oidc_callback", callback)


def start() -> Response:
    """Lead to the provider."""
    wanted = safe_next(request.args.get("next", ""))
    problems = _problems()
    try:
        client = _client()
        issuer = client.load_server_metadata().get("issuer", "")
        if issuer.rstrip("/") != services().settings.oidc_issuer.rstrip("/"):
            raise ValueError(f"the provider calls itself {issuer!r}")
        response: Response = client.authorize_redirect(absolute(url_for("editor.oidc_callback")))
    except problems as error:
        return _away(error, wanted)
    session[_NEXT] = wanted
    return response


def callback() -> Response:
    """Take what the provider says, and let in whom the settings let in."""
    wanted = safe_next(session.pop(_NEXT, ""))
    problems = _problems()
    from authlib.integrations.base_client.errors import OAuthError

    if "error" in request.args:
        audit("sign_in.failed", "", {"way": "oidc", "why": request.args["error"]})
        return _refuse(_("The provider did not let you in"), wanted)
    try:
        claims = _claims()
    except OAuthError as error:
        # Begun in another browser, an hour ago, or never; or the code was used before.
        audit("sign_in.failed", "", {"way": "oidc", "why": str(error.error)})
        return _refuse(_("Signing in was begun elsewhere or took too long. Try again"), wanted)
    except problems as error:
        return _away(error, wanted)
    try:
        user = _account(claims)
    except _NotLetIn as error:
        audit("sign_in.failed", "", {"way": "oidc", "why": error.why})
        return _refuse(error.said, wanted)
    return let_in(user, wanted, way="oidc")


def role_of(settings: Settings, claims: Mapping[str, Any]) -> Role | None:
    """The highest role that the claim gives, else the default; None: not let in."""
    given = claims.get(settings.oidc_role_claim) if settings.oidc_role_claim else None
    values = [given] if isinstance(given, str) else given if isinstance(given, Iterable) else ()
    pairs = (pair.rpartition("=") for pair in settings.oidc_roles.split())
    meaning = {name: role for name, _, role in pairs} or {role.key: role.key for role in GIVEN}
    found = [Role.named(meaning[one]) for one in values if isinstance(one, str) and one in meaning]
    if settings.oidc_default_role != "none":
        found.append(Role.named(settings.oidc_default_role))
    return max(found, default=None)


def mail_of(claims: Mapping[str, Any]) -> str:
    """The mail address that the provider has verified, else nothing."""
    mail = claims.get("email")
    return mail if isinstance(mail, str) and claims.get("email_verified") is True else ""


def _claims() -> dict[str, Any]:
    """What the ID token says, once checked, and what the provider adds to it when asked."""
    settings = services().settings
    client = _client()
    issuer = client.load_server_metadata()["issuer"]
    token = client.authorize_access_token(
        claims_options={
            "iss": {"essential": True, "values": [issuer]},
            "aud": {"essential": True, "values": [settings.oidc_client_id]},
            "sub": {"essential": True},
        }
    )
    claims = dict(token.get("userinfo") or {})
    if not claims.get("sub"):
        raise ValueError("the provider sent no ID token")
    if client.server_metadata.get("userinfo_endpoint"):
        more = dict(client.userinfo(token=token))
        if more.get("sub") == claims["sub"]:  # else it speaks of somebody else
            claims = {**more, **claims}
    return claims


def _account(claims: Mapping[str, Any]) -> User:
    """The account of whoever signed in, made the first time. Raises `_NotLetIn`."""
    settings, users = services().settings, services().accounts.users
    domains = [domain.casefold() for domain in settings.oidc_mail_domains.split()]
    mail = mail_of(claims)
    if domains and mail.rpartition("@")[2].casefold() not in domains:
        said = _("Your mail address is not one of those that are let in, or not verified")
        raise _NotLetIn("mail domain", said)
    role = role_of(settings, claims)
    if role is None:
        raise _NotLetIn("no role", _("You have no role here. Ask an admin at the provider"))
    issuer, subject = settings.oidc_issuer.rstrip("/"), str(claims["sub"])[:255]
    user = users.by_identity(issuer, subject)
    if user is None:
        user = _add(claims, mail, role, issuer, subject)
    elif user.disabled:
        raise _NotLetIn("disabled", _("Your account is disabled"))
    elif settings.oidc_role_claim and role != user.role:
        user = _change_role(user, role)
    return user


def _add(claims: Mapping[str, Any], mail: str, role: Role, issuer: str, subject: str) -> User:
    given = (mail, claims.get("preferred_username"), claims.get("name"), subject)
    name = next(str(one).strip() for one in given if one and str(one).isprintable())[:80]
    users = services().accounts.users
    try:
        user = users.add(name, role, issuer=issuer, subject=subject)
    except AccountRefused as error:
        # Whoever has the name here already is somebody else.
        if error.reason != "taken":
            raise _NotLetIn("name", str(error)) from None
        host = urlsplit(issuer).netloc
        user = users.add(f"{name} ({host})"[:100], role, issuer=issuer, subject=subject)
    audit("user.added", user.name, {"role": role.key, "way": "oidc"}, user=user)
    return user


def _change_role(user: User, role: Role) -> User:
    users = services().accounts.users
    try:
        users.set_role(user.id, role)
    except AccountRefused as error:  # the last admin stays one, or nobody could make another
        _log.warning("oidc_role_kept", user=user.id, detail=str(error))
        return user
    audit("user.role", user.name, {"from": user.role.key, "to": role.key, "way": "oidc"}, user=user)
    return users.get(user.id)


def _client() -> Any:
    oauth = current_app.extensions.get("authlib.integrations.flask_client")
    if oauth is None:
        abort(404)
    return oauth.create_client(_CLIENT)


def _problems() -> tuple[type[Exception], ...]:
    """What Authlib and those it builds on raise when a provider is away or talks nonsense."""
    if "authlib.integrations.flask_client" not in current_app.extensions:
        abort(404)
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    return (AuthlibBaseError, JoseError, RequestException, ValueError, KeyError, RuntimeError)


def _away(error: Exception, wanted: str) -> Response:
    """Say so; whoever has a password can still sign in by it."""
    _log.error("oidc_unavailable", error=type(error).__name__, detail=str(error)[:300])
    said = _("The provider cannot be reached just now. Try again in a few minutes")
    response = make_response(form(wanted, error=said), 503)
    response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def _refuse(said: str, wanted: str) -> Response:
    return make_response(form(wanted, error=said), 403)
