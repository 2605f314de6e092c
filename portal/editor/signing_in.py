"""`/editor/sign-in`: name and password, or the way to whoever knows them."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts.audit import audit, present_user
from portal.accounts.passwords import LONGEST
from portal.accounts.types import AccountUnknown, User
from portal.addresses import counted_address
from portal.config import Settings
from portal.editor.access import CAN_LEAVE, LEFT, begin_session, end_session
from portal.services import services

_LONGEST_NEXT = 2000


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/sign-in", "sign_in", page)
    blueprint.add_url_rule("/sign-in", "sign_in_post", sign_in, methods=["POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])


def page() -> Response | str:
    """The form; who is signed in already goes on at once."""
    wanted = safe_next(request.args.get("next", ""))
    return redirect(wanted) if present_user() else form(wanted)


def sign_in() -> Response:
    """Let in whoever knows the password. One message for a wrong name and a wrong password.

    After too many wrong ones even the right one is refused, which could be guessed otherwise.
    """
    accounts = services().accounts
    name = request.form.get("name", "").strip()[:300]
    password = request.form.get("password", "")[: LONGEST + 1]
    wanted = safe_next(request.form.get("next", ""))
    address = counted_address()
    if not name or not password:
        error = _("Write your name and your password")
        return make_response(form(wanted, name, error), 422)
    if seconds := accounts.failures.attempt(address, name):
        error = _(
            "Too many wrong passwords. Try again in %(minutes)s minutes",
            minutes=math.ceil(seconds / 60),
        )
        response = make_response(form(wanted, name, error), 429)
        response.headers["Retry-After"] = str(seconds)
        return response
    user = accounts.users.check(name, password)
    if user is None:
        audit("sign_in.failed", _known(name), {"source": _source()})
        error = _("Name or password is wrong")
        return make_response(form(wanted, name, error), 401)
    accounts.failures.succeeded(address, name)
    return let_in(user, wanted, way="password")


def sign_out() -> Response:
    """End this session."""
    audit("sign_out", _me())
    response = redirect(url_for("editor.sign_in"), 303)
    end_session(response)
    flash(_("You are signed out."))
    return response


def let_in(user: User, wanted: str, *, way: str) -> Response:
    """Begin a session for `user` and lead on to `wanted`; forms of before are good no more."""
    for name in ("csrf_token", CAN_LEAVE, LEFT):
        session.pop(name, None)
    response = redirect(wanted, 303)
    begin_session(response, user, way=way)
    audit("sign_in", user.name, {"way": way, "source": _source()}, user=user)
    return response


def form(wanted: str, name: str = "", error: str = "") -> str:
    """The page for signing in; before the first account it says how to make one."""
    return render_template(
        "editor/sign_in.html",
        next=wanted,
        name=name,
        error=error,
        first=not services().accounts.users.any(),
        oidc=provider_name(services().settings),
        left=LEFT in session,
    )


def provider_name(settings: Settings) -> str:
    """What the page calls the OpenID Connect provider; empty without one."""
    return settings.oidc_issuer and (settings.oidc_name or urlsplit(settings.oidc_issuer).netloc)


def safe_next(address: str) -> str:
    """A page for editors of this site, else the one they begin with; never another site."""
    home = url_for("editor.home")
    plain = address.isprintable() and "\\" not in address and "//" not in address
    own = address.startswith(home) and not address.startswith(url_for("editor.sign_in"))
    return address if plain and own and len(address) <= _LONGEST_NEXT else home


def _known(name: str) -> str:
    """The name if somebody has it; else it may be a password that slipped into the wrong field."""
    try:
        return services().accounts.users.named(name).name
    except AccountUnknown:
        return ""


def _source() -> str:
    """Tells addresses apart for a day, without saying whose they are."""
    return services().visitors.key(counted_address(), request.user_agent.string)


def _me() -> str:
    user = present_user()
    return user.name if user else ""
