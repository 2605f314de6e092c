"""Signing in at an OpenID Connect provider: code flow with PKCE, state and nonce, by Authlib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts.audit import audit
from portal.accounts.types import GIVEN, AccountRefused, Role, User
from portal.accounts.users import LONGEST_NAME
from portal.config import Settings
from portal.editor.access import CAN_LEAVE, LEFT
from portal.editor.signing_in import form, let_in, safe_next
from portal.editor.words import refusal
from portal.help.context import absolute
from portal.services import services

_CLIENT = "kb"
_NEXT = "oidc_next"
_SECONDS = 10
_RETRY_SECONDS = 30
_NUMBERED = 20
"""How many of one name a provider may send before the next has to wait for an admin."""
_CODES = frozenset(
    {
        "access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type",
        "invalid_scope", "server_error", "temporarily_unavailable", "interaction_required",
        "login_required", "account_selection_required", "consent_required", "invalid_client",
        "invalid_grant", "unsupported_grant_type",
    }
)  # fmt: skip
"""What RFC 6749 and OpenID Connect Core call errors; anything else is somebody's own text."""
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
    blueprint.add_url_rule("/oidc/sign-out", "oidc_sign_out", sign_out)
    blueprint.add_url_rule("/oidc/signed-out", "oidc_signed_out", signed_out)


def start() -> Response:
    """Lead to the provider."""
    wanted = safe_next(request.args.get("next", ""))
    problems = _problems()
    try:
        client = _checked_client()
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

    begun = _begun()
    if "error" in request.args:
        _end_flow()
        if begun:
            _audit_failure(request.args["error"])
        return _refuse(_("The provider did not let you in"), wanted)
    try:
        claims = _claims()
    except OAuthError as error:
        # Begun in another browser, an hour ago, or never; or the code was used before.
        if begun:
            _audit_failure(str(error.error))
        return _refuse(_("Signing in was begun elsewhere or took too long. Try again"), wanted)
    except problems as error:
        return _away(error, wanted)
    try:
        user = _account(claims)
    except _NotLetIn as error:
        audit("sign_in.failed", "", {"way": "oidc", "why": error.why})
        return _refuse(error.said, wanted)
    response = let_in(user, wanted, way="oidc")
    if _client().server_metadata.get("end_session_endpoint"):
        session[CAN_LEAVE] = True
    return response


def sign_out() -> Response:
    """Lead to where the provider ends its own session; whoever has signed out here is offered it.

    The provider is told who asks by `client_id` alone: ID tokens, which it would rather have, are
    not kept. It asks back for that.
    """
    if not session.get(LEFT):
        return redirect(url_for("editor.sign_in"))
    problems = _problems()
    try:
        response: Response = _checked_client().logout_redirect(
            absolute(url_for("editor.oidc_signed_out")),
            client_id=services().settings.oidc_client_id,
        )
    except problems as error:
        return _away(error, "")
    return response


def signed_out() -> Response:
    """Back from there; anybody may come here, so only who was sent there is told."""
    problems = _problems()
    try:
        _client().validate_logout_response()
    except problems:
        return redirect(url_for("editor.sign_in"))
    session.pop(LEFT, None)
    flash(_("You are signed out at the provider too."))
    return redirect(url_for("editor.sign_in"))


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


def _begun() -> bool:
    """Whether this browser began what is answered; anybody may send the rest."""
    client, state = _client(), request.args.get("state", "")
    return client.framework.get_state_data(session, state) is not None


def _end_flow() -> None:
    """Forget what was begun: an answer counts once."""
    _client().framework.clear_state_data(session, request.args.get("state", ""))


def _audit_failure(code: str) -> None:
    why = code if code in _CODES else "other"
    audit("sign_in.failed", "", {"way": "oidc", "why": why})


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
    issuer, subject = settings.oidc_issuer.rstrip("/"), str(claims["sub"])[:255]
    user = users.by_identity(issuer, subject)
    domains = [domain.casefold() for domain in settings.oidc_mail_domains.split()]
    mail = mail_of(claims)
    if domains and mail.rpartition("@")[2].casefold() not in domains:
        said = _("Your mail address is not one of those that are let in, or not verified")
        raise _shut_out(user, "mail domain", said)
    role = role_of(settings, claims)
    if role is None:
        said = _("You have no role here. Ask an admin at the provider")
        raise _shut_out(user, "no role", said)
    if user is None:
        user = _add(claims, mail, role, issuer, subject)
    elif user.disabled:
        raise _NotLetIn("disabled", _("Your account is disabled"))
    elif settings.oidc_role_claim and role != user.role:
        user = _change_role(user, role)
    return user


def _shut_out(user: User | None, why: str, said: str) -> _NotLetIn:
    """Why somebody is not let in; what they were let in by before ends with it."""
    if user is not None:
        services().accounts.users.shut_out(user.id)
    return _NotLetIn(why, said)


def _add(claims: Mapping[str, Any], mail: str, role: Role, issuer: str, subject: str) -> User:
    given = (mail, claims.get("preferred_username"), claims.get("name"), subject)
    name = next(str(one).strip() for one in given if one and str(one).isprintable())[:80]
    users = services().accounts.users
    for free in _names(name, urlsplit(issuer).netloc):
        try:
            user = users.add(free, role, issuer=issuer, subject=subject)
        except AccountRefused as error:
            if error.reason != "taken":
                raise _NotLetIn("name", refusal(error)) from None
            # Taken is the identity, by a sign-in at the same moment, or the name, by another.
            if known := users.by_identity(issuer, subject):
                return known
        else:
            audit("user.added", user.name, {"role": role.key, "way": "oidc"}, user=user)
            return user
    said = _("Too many accounts have your name here. Ask an admin")
    raise _NotLetIn("name", said)


def _names(name: str, host: str) -> Iterator[str]:
    """A name and what tells others of it apart; none longer than names may be."""
    yield name
    for number in range(1, _NUMBERED):
        end = f" ({host[:50]})" if number == 1 else f" ({host[:50]} {number})"
        yield name[: LONGEST_NAME - len(end)] + end


def _change_role(user: User, role: Role) -> User:
    users = services().accounts.users
    try:
        users.set_role(user.id, role)
    except AccountRefused as error:  # the last admin stays one, or nobody could make another
        _log.warning("oidc_role_kept", user=user.id, detail=str(error))
        return user
    audit("user.role", user.name, {"from": user.role.key, "to": role.key, "way": "oidc"}, user=user)
    return users.get(user.id)


def _checked_client() -> Any:
    """The provider as it describes itself. Raises `ValueError` for another than is set."""
    client = _client()
    issuer = client.load_server_metadata().get("issuer", "")
    if issuer.rstrip("/") != services().settings.oidc_issuer.rstrip("/"):
        raise ValueError(f"the provider calls itself {issuer!r}")
    return client


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
