"""Lets everybody into the pages for editors who may see them, and nobody else."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import (
    Request,
    Response,
    abort,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.audit import present_user
from portal.accounts.types import Session, User
from portal.editor.language import choose_language
from portal.editor.roles import ROLES, Role
from portal.problems import csrf_error, problem
from portal.services import services

COOKIE = "kb-editor"
CAN_LEAVE = "oidc_can_leave"
"""In Flask's cookie: who is signed in came from a provider that can be signed out of too."""
LEFT = "oidc_left"
"""Likewise, once the session here is over: the provider may still know them."""
_DATA = (".json", ".csv", ".atom")
_NEVER_SHOWN = frozenset(
    {"csrf_token", "next", "seen", "opened", "question", "password", "old", "new", "again"}
)
_SENTENCE = 20  # characters; what is shorter is typed again as fast as it is copied


class RoleMissing(RuntimeError):
    """A page for editors of which nobody said who may see it."""


def current_user() -> User:
    """Who is signed in. Only for pages that ask for a role: elsewhere it answers 401."""
    user = present_user()
    if user is None:
        abort(401)
    return user


def current_session() -> Session:
    """The session the present request belongs to; likewise."""
    current_user()
    found: Session = g.editor_session
    return found


def admit() -> AnyResponse | None:
    """Find out who asks, and let the request pass or answer it.

    The signed-out are led to the page for signing in and back; programs, which cannot follow, get
    401. Raises `RoleMissing` for an endpoint without a role, `EventsUnavailable` without a
    database: nobody is let in on trust.
    """
    name = (request.endpoint or "").rpartition(".")[2]
    if name not in ROLES:
        raise RoleMissing(f"{request.endpoint}: has no role; add it to portal/editor/roles.py")
    recognise()
    user = present_user()
    if ROLES[name] <= (user.role if user else Role.ANYONE):
        return None
    if user is not None:
        return problem(403, "Your role does not allow this.") if wants_data(request) else abort(403)
    if wants_data(request):
        return problem(401, "Sign in first.")
    if kept := _written(request):
        page = render_template("editor/signed_out.html", next=_wanted(request), kept=kept)
        return make_response(page, 401)
    return redirect(url_for("editor.sign_in", next=_wanted(request)))


def keep_written(error: CSRFError) -> AnyResponse:
    """A form of a browser whose cookies are all gone: what was written is shown here as well."""
    choose_language()
    if wants_data(request) or not (kept := _written(request)):
        return csrf_error(error)
    page = render_template("editor/signed_out.html", next=_wanted(request), kept=kept)
    return make_response(page, 400)


def _written(asked: Request) -> list[str]:
    """What somebody wrote into a form that a session ended under: never lost, not saved either."""
    return [
        value
        for name, values in asked.form.lists()
        for value in values
        if name not in _NEVER_SHOWN and (len(value) >= _SENTENCE or "\n" in value)
    ]


def _wanted(asked: Request) -> str | None:
    """The page to go back to; for a form the page it stood on, since forms are not sent twice."""
    if asked.method == "GET":
        return asked.full_path.rstrip("?")
    try:
        came_from = urlsplit(asked.referrer or "")
    except ValueError:
        return None
    if came_from.netloc != asked.host:
        return None
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path


def keep_private(response: Response) -> Response:
    """No cache and no search engine keeps a page for editors; none is framed or referred to."""
    response.cache_control.no_store = True
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def wants_data(asked: Request) -> bool:
    """Whether a request comes from a program rather than from a person."""
    if asked.path.endswith(_DATA):
        return True
    kinds = asked.accept_mimetypes
    return kinds.best_match(["text/html", "application/json"]) == "application/json"


def begin_session(response: AnyResponse, user: User, *, way: str) -> None:
    """Sign `user` in: a new session with a new token, whatever the browser came with."""
    accounts = services().accounts
    token = accounts.sessions.begin(
        user.id,
        way=way,
        agent=request.user_agent.string,
        instead_of=request.cookies.get(COOKIE, ""),
    )
    response.set_cookie(COOKIE, token, path=url_for("editor.home"), httponly=True,
                        samesite="Lax", secure=_secure())  # fmt: skip


def end_session(response: AnyResponse) -> None:
    """Sign out on this device."""
    if token := request.cookies.get(COOKIE):
        services().accounts.sessions.end(token)
    if session.pop(CAN_LEAVE, False):
        session[LEFT] = True
    response.delete_cookie(COOKIE, path=url_for("editor.home"), httponly=True, samesite="Lax",
                           secure=_secure())  # fmt: skip


def _secure() -> bool:
    settings = services().settings
    https = settings.base_url.startswith("https://")
    return settings.secure_cookies or https or request.is_secure


def recognise() -> None:
    """Set who asks, from the cookie, once a request. Raises `EventsUnavailable`."""
    if "editor_asked" in g:
        return
    token = request.cookies.get(COOKIE)
    found = services().accounts.sessions.find(token) if token else None
    g.editor_asked = True
    if found is not None:
        g.editor = services().accounts.users.get(found.user_id)
        g.editor_session = found.session
