"""Everything about accounts in one place, over one engine and one clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from portal.accounts.failures import Failures
from portal.accounts.invitations import Invitations
from portal.accounts.sessions import Sessions
from portal.accounts.trail import AuditTrail
from portal.accounts.users import Users
from portal.config import Settings
from portal.event_types import Clock
from portal.secret import secret_key

_BUSY_SECONDS = 5.0
"""What an editor did is not given up as soon as an event of a visitor."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts, how they are got into, and what was done with them."""

    users: Users
    sessions: Sessions
    invitations: Invitations
    failures: Failures
    trail: AuditTrail


def open_accounts(settings: Settings, engine: sa.Engine, clock: Clock) -> Accounts:
    """The accounts in a database whose tables are up to date."""
    patient = engine.execution_options(sqlite_busy_seconds=_BUSY_SECONDS)
    return Accounts(
        users=Users(patient, clock, issuer=settings.oidc_issuer),
        sessions=Sessions(
            patient,
            clock,
            idle=timedelta(minutes=settings.session_idle_minutes),
            longest=timedelta(hours=settings.session_hours),
        ),
        invitations=Invitations(patient, clock),
        failures=Failures(patient, clock, secret_key(settings)),
        trail=AuditTrail(patient, clock),
    )
