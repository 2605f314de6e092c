"""What stands in the audit trail, in the reader's language; exports have the keys themselves."""

from __future__ import annotations

import json
from typing import Any

from flask_babel import gettext as _

from portal.accounts.trail import COMMAND_LINE, Entry
from portal.accounts.types import GIVEN
from portal.editor.gap_words import day_text, kind_names
from portal.editor.navigation import role_name
from portal.editor.words import way_names
from portal.i18n import NAMES

_ROLES = {role.key: role for role in GIVEN}


def action_names() -> dict[str, str]:
    """Every action that is recorded."""
    return {
        "sign_in": _("signed in"),
        "sign_in.failed": _("was not let in"),
        "sign_out": _("signed out"),
        "session.ended": _("ended a session"),
        "session.all_ended": _("signed out everywhere"),
        "password.changed": _("password changed"),
        "password.refused": _("wrong password when changing it"),
        "invitation.accepted": _("invitation accepted"),
        "feed.made": _("address of the feed made"),
        "feed.ended": _("address of the feed ended"),
        "user.added": _("account made"),
        "user.invited": _("link made"),
        "user.role": _("role changed"),
        "user.disabled": _("account disabled"),
        "user.enabled": _("account enabled"),
        "user.signed_out": _("signed out by an admin"),
        "gaps.refreshed": _("gap report refreshed"),
        "gap.assigned": _("gap assigned"),
        "gap.noted": _("note on a gap"),
        "gap.ignored": _("gap ignored"),
        "gap.reopened": _("gap reopened"),
        "gap.kind": _("kind of a gap corrected"),
        "gap.merged": _("gap merged"),
        "gap.unmerged": _("merge of a gap taken back"),
        "gap.split": _("gap split"),
        "gap.moved": _("questions moved"),
        "gap.drafted": _("article drafted"),
        "gap.questions_added": _("questions added to an article"),
        "gap.synonym_added": _("synonym added"),
        "gap.synonym_undone": _("synonym taken back"),
        "gap.questions_undone": _("questions taken out of an article again"),
        "gap.proof": _("proof made"),
        "gap.proof_failed": _("a proof could not be made"),
        "draft.saved": _("draft saved"),
        "draft.deleted": _("draft deleted"),
        "draft.published": _("articles published"),
        "draft.publish_failed": _("not published: it failed"),
    }


def detail_names() -> dict[str, str]:
    """What an entry may say besides, by the key it is recorded under."""
    return {
        "article": _("article"),
        "due": _("due"),
        "from": _("from"),
        "into": _("into gap"),
        "kind": _("kind"),
        "locale": _("language"),
        "meant": _("searched as"),
        "new": _("new gap"),
        "owner": _("owner"),
        "questions": _("questions"),
        "role": _("role"),
        "run": _("run"),
        "said": _("word"),
        "sessions": _("sessions"),
        "source": _("source"),
        "to": _("to"),
        "way": _("way"),
        "why": _("reason"),
    }


def reason_names() -> dict[str, str]:
    """Why somebody was not let in who came from the provider."""
    return {
        "mail domain": _("the mail address is none of those that are let in"),
        "no role": _("no role at the provider"),
        "disabled": _("the account is disabled"),
        "name": _("no account of this name can be made"),
        "access_denied": _("access denied"),
        "account_selection_required": _("no account chosen"),
        "consent_required": _("no consent given"),
        "interaction_required": _("the provider wants to ask something"),
        "invalid_client": _("the provider does not take the portal’s secret"),
        "invalid_grant": _("the provider’s code was not valid any more"),
        "invalid_request": _("the provider could not read the request"),
        "invalid_scope": _("the provider does not give what was asked for"),
        "login_required": _("not signed in at the provider"),
        "server_error": _("error at the provider"),
        "temporarily_unavailable": _("the provider was busy"),
        "unauthorized_client": _("the provider does not know the portal"),
        "unsupported_grant_type": _("the provider does not offer this way"),
        "unsupported_response_type": _("the provider does not offer this way"),
        "other": _("something else"),
    }


def who(name: str) -> str:
    """Who did it, by the name that the trail has."""
    if name == COMMAND_LINE:
        return str(_("kb (command line)"))
    return name or str(_("nobody signed in"))


def details(entry: Entry) -> list[tuple[str, str]]:
    """What an entry says besides, as names and texts; what is not known stands as it is."""
    names = detail_names()
    if entry.action == "gap.moved":  # elsewhere it is what something was changed to
        names["to"] = names["into"]
    return [(names.get(key, key), _text(key, value)) for key, value in entry.detail.items()]


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if key in ("role", "from", "to") and value in _ROLES:
        return role_name(_ROLES[value])
    if key == "due":
        return day_text(value) or "–"
    known: dict[str, str] = {}
    if key == "kind":
        known = {"": str(_("to be proposed again"))}
        known |= {kind.value: name for kind, name in kind_names().items()}
    elif key == "way":
        known = way_names()
    elif key == "why":
        known = reason_names()
    elif key == "locale":
        known = NAMES
    elif key == "owner":
        known = {"": str(_("nobody"))}
    return known.get(value, value)
