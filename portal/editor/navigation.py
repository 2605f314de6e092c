"""The pages an editor can go to, as far as they exist and may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from portal.accounts.audit import present_user
from portal.accounts.types import Role
from portal.editor.language import language_url
from portal.editor.roles import ROLES


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation; `current` is the page one is on, or one below it."""

    title: str
    url: str
    current: bool


_ENTRIES = (
    ("overview", lazy_gettext("Overview"), ()),
    ("gaps", lazy_gettext("Gaps"), ("gap",)),
    ("questions", lazy_gettext("Questions"), ("question",)),
    ("articles", lazy_gettext("Articles"), ("article", "draft")),
    ("forms", lazy_gettext("Forms"), ()),
    ("people", lazy_gettext("People"), ()),
    ("audit", lazy_gettext("Audit"), ()),
)


def navigation() -> list[Link]:
    """The entries in their order; none while nobody is signed in."""
    user = present_user()
    role = user.role if user else Role.ANYONE
    here = (request.endpoint or "").rpartition(".")[2]
    return [
        Link(str(title), url_for(f"editor.{name}"), here in (name, *below))
        for name, title, below in _ENTRIES
        if f"editor.{name}" in current_app.view_functions and Role.ANYONE < ROLES[name] <= role
    ]


def role_name(role: Role) -> str:
    """A role in the reader's language."""
    names = {Role.READER: _("Reader"), Role.EDITOR: _("Editor"), Role.ADMIN: _("Admin")}
    return str(names[role])


def context() -> dict[str, Any]:
    """What every template for editors may use."""
    return {
        "editor_links": navigation,
        "editor_user": present_user(),
        "language_url": language_url,
        "role_name": role_name,
        "Role": Role,
    }
