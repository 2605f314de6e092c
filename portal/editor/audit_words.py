"""What the audit trail's actions are called in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _


def action_names() -> dict[str, str]:
    """Every action that is recorded; exports have the keys themselves."""
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
        "gap.split": _("gap split"),
        "gap.moved": _("questions moved"),
        "gap.drafted": _("article drafted"),
        "gap.questions_added": _("questions added to an article"),
        "gap.synonym_added": _("synonym added"),
        "gap.proof": _("proof made"),
        "draft.saved": _("draft saved"),
        "draft.published": _("articles published"),
    }
