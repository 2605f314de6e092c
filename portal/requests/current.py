"""The draft of the present visitor: a random key in the signed cookie, all else in the database."""

from __future__ import annotations

from flask import g, session

from portal.requests.drafts import Draft, new_key, token_of
from portal.services import services

_KEY = "request"
_SENT = "request_sent"


def draft_key() -> str | None:
    """The key of the visitor's draft, whether or not there still is one."""
    key = session.get(_KEY)
    return key if isinstance(key, str) else None


def current() -> Draft | None:
    """The visitor's draft, or None without one or when its day is over."""
    if "request_draft" not in g:
        key = draft_key()
        g.request_draft = services().requests.drafts.load(key, services().clock()) if key else None
    found: Draft | None = g.request_draft
    return found


def begin(draft: Draft) -> None:
    """Keep a draft for a visitor who has none, under a new key."""
    session[_KEY] = key = new_key()
    session.pop(_SENT, None)
    services().requests.drafts.add(key, draft, services().clock())
    g.request_draft = draft


def keep(draft: Draft) -> None:
    """Keep the answers of the visitor's draft."""
    key = draft_key()
    if key:
        services().requests.drafts.save(key, draft, services().clock())
    g.request_draft = draft


def forget() -> None:
    """Remove the draft and its key."""
    key = session.pop(_KEY, None)
    if isinstance(key, str):
        services().requests.drafts.drop(key)
    g.request_draft = None


def remember_sent(token: str) -> None:
    """So that sending twice leads to what was sent once. The draft is gone already."""
    session.pop(_KEY, None)
    session[_SENT] = token


def sent_token() -> str | None:
    """The link of what this visitor sent last.

    Also to whom the answer with the cookie never came, as after two clicks on one button: the link
    follows from the draft's key.
    """
    token = session.get(_SENT)
    if isinstance(token, str):
        return token
    if (key := draft_key()) and services().requests.store.by_token(token_of(key)):
        return token_of(key)
    return None
