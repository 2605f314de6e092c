"""What the pages about accounts say, in the reader's language."""

from __future__ import annotations

from datetime import datetime

from flask_babel import format_date, format_time
from flask_babel import gettext as _

from portal.accounts.passwords import LONGEST, SHORTEST
from portal.accounts.types import AccountRefused


def refusal(error: AccountRefused) -> str:
    """Why an account cannot be made or changed so."""
    said = {
        "short": _("The password has to have at least %(count)s characters", count=SHORTEST),
        "long": _("The password may have at most %(count)s characters", count=LONGEST),
        "easy": _("The password is too easy to guess. Take several words, without your name"),
        "taken": _("There is an account of this name already"),
        "name": _("Write a name of at most 100 characters"),
        "last": _("This is the last admin. Make another one first"),
    }
    return str(said.get(error.reason, error))


def way_names() -> dict[str, str]:
    """How somebody signed in, by the `way` of a session."""
    return {
        "password": _("with the password"),
        "invitation": _("by an invitation"),
        "oidc": _("at the provider"),
    }


def moment(at: datetime | None) -> str:
    """A moment to the minute, UTC; a dash for never."""
    return f"{format_date(at, 'medium')} {format_time(at, 'short')}" if at else "–"
