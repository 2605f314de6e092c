"""`/editor/account`: one's own password, sessions and feed; and the link that invites to it."""

from __future__ import annotations

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts.audit import audit
from portal.accounts.passwords import LONGEST
from portal.accounts.types import AccountRefused, User
from portal.addresses import counted_address
from portal.editor.access import begin_session, current_session, current_user, end_session
from portal.editor.browsers import browser_words
from portal.editor.signing_in import let_in
from portal.editor.words import moment, refusal, way_names
from portal.help.context import absolute
from portal.i18n import current_locale
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/account", "account", page)
    rule("/account/password", "account_password", change_password, methods=["POST"])
    rule("/account/session", "account_session_end", end_one, methods=["POST"])
    rule("/account/sign-out", "account_sign_out", sign_out_everywhere, methods=["POST"])
    rule("/account/feed", "account_feed", change_feed, methods=["POST"])
    rule("/invitation/<secret>", "invitation", invitation)
    rule("/invitation/<secret>", "invitation_post", accept, methods=["POST"])


def page() -> str:
    """Who one is, how to change the password, where one is signed in."""
    return _page()


def change_password() -> Response:
    """Another password; signs out everywhere else, and here the session is a new one."""
    user = current_user()
    accounts = services().accounts
    old = request.form.get("old", "")[: LONGEST + 1]
    address = counted_address()
    if not user.has_password:
        abort(400, "This account has no password here.")
    if accounts.failures.attempt(address, user.name):
        errors = {"old": _("Too many wrong passwords. Wait a quarter of an hour")}
        return make_response(_page(errors=errors), 429)
    if accounts.users.check(user.name, old) is None:
        audit("password.refused", user.name)
        return make_response(_page(errors={"old": _("This is not your password")}), 422)
    accounts.failures.succeeded(address, user.name)
    if errors := _set_password(user):
        return make_response(_page(errors=errors), 422)
    audit("password.changed", user.name)
    response = redirect(url_for("editor.account"), 303)
    begin_session(response, user, way="password")
    flash(_("The password is changed. You are signed out everywhere else."))
    return response


def end_one() -> Response:
    """End one of one's own sessions; the present one is signed out of."""
    user = current_user()
    key = request.form.get("key", "")
    response = redirect(url_for("editor.account"), 303)
    if key == current_session().key:
        end_session(response)
    elif not services().accounts.sessions.end_one(user.id, key):
        flash(_("This session was over already."))
        return response
    audit("session.ended", user.name)
    flash(_("The session is ended."))
    return response


def sign_out_everywhere() -> Response:
    """End all of one's own sessions, this one too."""
    user = current_user()
    ended = services().accounts.sessions.end_all(user.id)
    audit("session.all_ended", user.name, {"sessions": ended})
    response = redirect(url_for("editor.sign_in"), 303)
    end_session(response)
    flash(_("You are signed out everywhere."))
    return response


def change_feed() -> Response:
    """A new address for the feed of new gaps, shown this once; or none any more."""
    user = current_user()
    users = services().accounts.users
    if request.form.get("end"):
        users.end_feed(user.id)
        audit("feed.ended", user.name)
        flash(_("The address of the feed is good no more."))
        return redirect(url_for("editor.account"), 303)
    secret = users.new_feed(user.id)
    audit("feed.made", user.name)
    return make_response(_page(feed=_feed_address(secret)))


def invitation(secret: str) -> tuple[str, int] | str:
    """Choose a password for the account a link is for. Reading the page does not use it up."""
    user = _invited(secret)
    if user is None:
        return render_template("editor/invitation.html", user=None, errors={}), 404
    return render_template("editor/invitation.html", user=user, errors={})


def accept(secret: str) -> Response:
    """Take the password, which uses the link up, and sign in."""
    user = _invited(secret)
    if user is None:
        return make_response(render_template("editor/invitation.html", user=None, errors={}), 404)
    if errors := _set_password(user):
        return make_response(
            render_template("editor/invitation.html", user=user, errors=errors), 422
        )
    audit("invitation.accepted", user.name, user=user)
    return let_in(user, url_for("editor.home"), way="invitation")


def _page(*, errors: dict[str, str] | None = None, feed: str = "") -> str:
    user = services().accounts.users.get(current_user().id)
    return render_template(
        "editor/account.html",
        user=user,
        sessions=services().accounts.sessions.of(user.id),
        present=current_session().key,
        errors=errors or {},
        feed=feed,
        ways=way_names(),
        browser_words=browser_words,
        moment=moment,
    )


def _feed_address(secret: str) -> str:
    return absolute(url_for("editor.gaps_atom", token=secret, lang=current_locale()))


def _set_password(user: User) -> dict[str, str]:
    """Set the password that was typed twice; what is wrong with it by field, else nothing."""
    new = request.form.get("new", "")[: LONGEST + 1]
    if new != request.form.get("again", "")[: LONGEST + 1]:
        return {"again": _("The two are not the same")}
    try:
        services().accounts.users.set_password(user.id, new)
    except AccountRefused as error:
        return {"new": refusal(error)}
    return {}


def _invited(secret: str) -> User | None:
    accounts = services().accounts
    number = accounts.invitations.find(secret)
    return None if number is None else accounts.users.get(number)
