"""What came of a session of a form: a pure function of what is known of it, and of the hour.

A session is one filling-in of a form. It has **intent** once a text long enough to mean something
was typed, or anything else happened to the form. Suggestions are **shown** once the page says
that they are visible; that something was found is not enough, and shown is not solved. Of the
sessions that were shown suggestions each has one outcome:

confirmed
    The customer said "this solved it", and has not sent the form since.
assumed
    The form was not sent within 24 hours of the session's beginning, and nobody said why. It may
    have been solved, or given up, or sent by telephone: reported apart, never added to confirmed.
sent
    The form was sent all the same, within the 24 hours and before anybody said "solved".
reversed
    It was confirmed, or left, and then sent after all: in the same session, or in another one by
    the same visitor.
left
    The last thing the customer said was that it did not help; then they left without sending.
    They are not assumed to be helped.
pending
    Less than 24 hours old, not sent, not confirmed: nothing is said of it yet.

Of a session that was shown nothing nothing can have been solved: it is sent, left or pending.

Visitors are told apart by a key that changes at midnight UTC (`portal.visitors`), so one who
comes back another day on another page is not recognised, and two people behind one address with
one browser count as one. The second errs towards fewer solved, the first towards more.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from portal.forms.sessions import Facts


class Outcome(StrEnum):
    """What came of a session; the module says what each means."""

    CONFIRMED = "confirmed"
    ASSUMED = "assumed"
    SENT = "sent"
    REVERSED = "reversed"
    LEFT = "left"
    PENDING = "pending"


def outcome(facts: Facts, now: datetime, sent_elsewhere: datetime | None = None) -> Outcome:
    """What came of a session as of `now`.

    `sent_elsewhere` is when the same visitor last sent the same form in another session.
    Moments that are the same count against the suggestions: sent at the moment it was confirmed
    is sent.
    """
    if facts.submitted_at is not None:
        confirmed = facts.resolved_at is not None and facts.resolved_at < facts.submitted_at
        assumed = _may_be_solved(facts) and facts.submitted_at > facts.assumed_at
        return Outcome.REVERSED if confirmed or assumed else Outcome.SENT
    if facts.resolved_at is not None:
        reversed_ = sent_elsewhere is not None and sent_elsewhere > facts.resolved_at
        return Outcome.REVERSED if reversed_ else Outcome.CONFIRMED
    if _may_be_solved(facts) and sent_elsewhere is not None and sent_elsewhere > facts.started_at:
        return Outcome.REVERSED
    if now < facts.assumed_at:
        return Outcome.PENDING
    return Outcome.ASSUMED if _may_be_solved(facts) else Outcome.LEFT


def _may_be_solved(facts: Facts) -> bool:
    """Whether the silence of a session could mean that it was helped."""
    if facts.shown_at is None:
        return False
    if facts.not_helpful_at is None:
        return True
    return facts.helpful_at is not None and facts.helpful_at > facts.not_helpful_at
