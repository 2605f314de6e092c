"""The pages an editor can go to, as far as they exist and may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext as _

from portal.accounts.audit import present_user
from portal.accounts.types import Role
from portal.editor.language import language_url
from portal.editor.roles import ROLES
from portal.event_types import EventsUnavailable
from portal.services import services
from portal.simulate.mark import is_simulated

_OF_FIGURES = frozenset({
    "overview", "gaps", "gap", "gap_asked", "questions", "question", "articles", "forms",
    "proof_report",
})  # fmt: skip
"""Pages whose numbers come from the log."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation; `current` is the page one is on, or one below it."""

    title: str
    url: str
    current: bool


def _entries() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Endpoint, title, and the endpoints of pages below it."""
    return (
        ("overview", _("Overview"), ()),
        ("gaps", _("Gaps"), ("gap", "run")),
        ("proof_report", _("Proof"), ()),
        ("questions", _("Questions"), ("question",)),
        ("articles", _("Articles"), ("draft",)),
        ("forms", _("Forms"), ()),
        ("people", _("People"), ()),
        ("audit", _("Audit"), ()),
    )


def navigation() -> list[Link]:
    """The entries in their order; none while nobody is signed in."""
    user = present_user()
    role = user.role if user else Role.ANYONE
    here = (request.endpoint or "").rpartition(".")[2]
    return [
        Link(title, url_for(f"editor.{name}"), here in (name, *below))
        for name, title, below in _entries()
        if f"editor.{name}" in current_app.view_functions and Role.ANYONE < ROLES[name] <= role
    ]


def shows_simulated() -> bool:
    """Whether the page is one of figures, and some of them are of visitors who were played."""
    if present_user() is None or (request.endpoint or "").rpartition(".")[2] not in _OF_FIGURES:
        return False
    try:
        return is_simulated(services().engine)
    except EventsUnavailable:
        return False  # and neither are there figures


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
        "shows_simulated": shows_simulated,
        "Role": Role,
    }
