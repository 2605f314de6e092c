"""Notes in the audit trail what the present request did, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog
from flask import current_app, g

from portal.accounts.types import User
from portal.services import services

if TYPE_CHECKING:
    from portal.proof.types import Run

_log = structlog.get_logger(__name__)
_NOTHING: Mapping[str, object] = {}


def present_user() -> User | None:
    """Who is signed in for the present request, or None."""
    return cast("User | None", g.get("editor"))


def audit(
    action: str, subject: str, detail: Mapping[str, object] = _NOTHING, *, user: User | None = None
) -> None:
    """Record that the present user, or `user`, did `action` to `subject`.

    Actions are `<what>.<done>` such as `gap.assigned`; subjects name one thing, such as `gap-17`.
    Never raises: a deed that is done is not undone by a lost note, which is logged as an error.
    """
    user = user or present_user()
    try:
        services().accounts.trail.record(
            action, subject, detail,
            user_id=user.id if user else None, user_name=user.name if user else "",
        )  # fmt: skip
    except Exception as error:
        # What could not be noted at its place is noted at least in the log.
        _log.error(
            "audit_lost", action=action, user=user.id if user else None, error=type(error).__name__
        )
        services().metrics.event_failures.labels("audit").inc()


def audit_of_run(done: str, failed: str, subject: str) -> Callable[[Run, bool], None]:
    """What notes, from the thread of a run that the present user begins, what came of it."""
    app, user = cast("Any", current_app)._get_current_object(), present_user()

    def note(run: Run, well: bool) -> None:
        with app.app_context():
            audit(done if well else failed, subject, {"run": run.id}, user=user)

    return note
