"""`/editor/people`: who has an account, and what they may do. For admins."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response

from portal.accounts.audit import audit
from portal.accounts.invitations import VALID
from portal.accounts.types import GIVEN, AccountRefused, Role, User
from portal.editor.arguments import NUMBER
from portal.editor.words import moment, refusal
from portal.help.context import absolute
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/people", "people", page)
    for name, address, view in (
        ("people_invite", "/people/invite", invite),
        ("people_link", f"/people/{NUMBER}/link", make_link),
        ("people_role", f"/people/{NUMBER}/role", set_role),
        ("people_disable", f"/people/{NUMBER}/disable", disable),
        ("people_enable", f"/people/{NUMBER}/enable", enable),
        ("people_sign_out", f"/people/{NUMBER}/sign-out", sign_out),
    ):
        blueprint.add_url_rule(address, name, view, methods=["POST"])


def page() -> str:
    """Every account with its role, and the form that invites somebody."""
    return _page()


def invite() -> Response:
    """Make an account without a password, and the link by which its owner chooses one."""
    name = request.form.get("name", "")[:200]
    users = services().accounts.users
    try:
        role = Role.named(request.form.get("role", ""))
        user = users.add(name, role)
    except AccountRefused as error:
        return make_response(_page(name=name, error=refusal(error)), 422)
    audit("user.added", user.name, {"role": role.key})
    return _show_link(user)


def make_link(number: int) -> Response:
    """A link to choose a password anew, for whoever has forgotten it or never chose one."""
    user = services().accounts.users.get(number)
    if user.external or user.disabled:
        flash(_("There is no password to choose for this account."), "error")
        return _back()
    return _show_link(user)


def set_role(number: int) -> Response:
    """Another role; the owner has to sign in again."""
    accounts = services().accounts
    before = accounts.users.get(number)
    role = Role.named(request.form.get("role", ""))
    if role == before.role:
        return _back()
    try:
        accounts.users.set_role(number, role)
    except AccountRefused as error:
        flash(refusal(error), "error")
        return _back()
    audit("user.role", before.name, {"from": before.role.key, "to": role.key})
    flash(_("%(name)s has another role now, and has to sign in again.", name=before.name))
    return _back()


def disable(number: int) -> Response:
    """Let nobody in to the account; ends its sessions."""
    user = services().accounts.users.get(number)
    try:
        services().accounts.users.disable(number)
    except AccountRefused as error:
        flash(refusal(error), "error")
        return _back()
    audit("user.disabled", user.name)
    flash(_("%(name)s cannot sign in any more.", name=user.name))
    return _back()


def enable(number: int) -> Response:
    """Take a disabled account back."""
    services().accounts.users.enable(number)
    user = services().accounts.users.get(number)
    audit("user.enabled", user.name)
    flash(_("%(name)s can sign in again.", name=user.name))
    return _back()


def sign_out(number: int) -> Response:
    """End every session of an account."""
    user = services().accounts.users.get(number)
    ended = services().accounts.sessions.end_all(number)
    audit("user.signed_out", user.name, {"sessions": ended})
    flash(_("%(name)s is signed out everywhere.", name=user.name))
    return _back()


def _show_link(user: User) -> Response:
    secret = services().accounts.invitations.make(user.id)
    audit("user.invited", user.name)
    link = absolute(url_for("editor.invitation", secret=secret))
    return make_response(_page(invited=user, link=link))


def _page(*, name: str = "", error: str = "", invited: User | None = None, link: str = "") -> str:
    accounts = services().accounts
    return render_template(
        "editor/people.html",
        people=accounts.users.all(),
        sessions=accounts.sessions.count(),
        pending=accounts.invitations.pending(),
        roles=GIVEN,
        name=name,
        error=error,
        invited=invited,
        link=link,
        days=VALID.days,
        moment=moment,
    )


def _back() -> Response:
    return redirect(url_for("editor.people"), 303)
