"""The tables as queries see them; `portal/migrations` is what creates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A moment as fixed-width UTC text, which every database sorts as time does."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass datetime.now(UTC) or the like")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, _: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


METADATA = sa.MetaData()

SEARCHES = sa.Table(
    "searches",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("query", sa.String(500), nullable=False),
    sa.Column("normalised", sa.Text, nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("mode", sa.String(32), nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("resolved", sa.Boolean, nullable=False),
    sa.Column("answer_article", sa.String(200)),
    sa.Column("section", sa.String(100)),
    sa.Column("platform", sa.String(100)),
    sa.Column("generation", sa.String(100), nullable=False),
    sa.Column("duration_ms", sa.Float, nullable=False),
    sa.Column("bot", sa.Boolean, nullable=False),
)
SEARCH_RESULTS = sa.Table(
    "search_results",
    METADATA,
    sa.Column("search_id", sa.ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("article_id", sa.String(200), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("anchor", sa.String(200), nullable=False),
    sa.Column("score", sa.Float, nullable=False),
)
# `search_id` is no foreign key below: a search that failed to be logged must not cost its click.
VIEWS = sa.Table(
    "views",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("article_id", sa.String(200), nullable=False, index=True),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("search_id", sa.String(64), index=True),
    sa.Column("position", sa.Integer),
    sa.Column("bot", sa.Boolean, nullable=False),
)
VOTES = sa.Table(
    "votes",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("article_id", sa.String(200), nullable=False, index=True),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(100)),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("search_id", sa.String(64), index=True),
)
HANDOVERS = sa.Table(
    "handovers",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("reference", sa.String(64), nullable=False, unique=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("query", sa.String(500), nullable=False),
    sa.Column("articles", sa.JSON, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("delivered", sa.Boolean, nullable=False),
)
VISITOR_SALTS = sa.Table(
    "visitor_salts",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
    sa.Column("made_at", UtcTime, nullable=False),
)
# One row for each filling-in of a form: the first or last moment of everything that decides what
# came of it (`portal.forms.session`), so that figures need not read the events.
FORM_SESSIONS = sa.Table(
    "form_sessions",
    METADATA,
    sa.Column("form", sa.String(40), primary_key=True),
    sa.Column("session", sa.String(64), primary_key=True),
    sa.Column("started_at", UtcTime, nullable=False, index=True),
    sa.Column("assumed_at", UtcTime, nullable=False),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("locale_at", UtcTime),
    sa.Column("found_at", UtcTime),
    sa.Column("shown_at", UtcTime),
    sa.Column("opened_at", UtcTime),
    sa.Column("helpful_at", UtcTime),
    sa.Column("not_helpful_at", UtcTime),
    sa.Column("resolved_at", UtcTime),
    sa.Column("submitted_at", UtcTime, index=True),
    sa.Column("sent_by", sa.String(32), nullable=False),
    sa.Column("held_out", sa.Boolean, nullable=False),
    sa.Column("bot", sa.Boolean, nullable=False),
    sa.Index("ix_form_sessions_sent", "form", "sent_by", "submitted_at"),
)
SUGGESTIONS = sa.Table(
    "suggestions",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("session", sa.String(64)),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reason", sa.String(100)),
    sa.Column("platform", sa.String(100)),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("resolved", sa.Boolean, nullable=False),
    sa.Column("held_out", sa.Boolean, nullable=False),
    sa.Column("generation", sa.String(100), nullable=False),
    sa.Column("duration_ms", sa.Float, nullable=False),
    sa.Column("bot", sa.Boolean, nullable=False),
    sa.Index("ix_suggestions_session", "form", "session"),
)
SUGGESTION_ITEMS = sa.Table(
    "suggestion_items",
    METADATA,
    sa.Column(
        "suggestion_id", sa.ForeignKey("suggestions.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("article_id", sa.String(200), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("anchor", sa.String(200), nullable=False),
    sa.Column("score", sa.Float, nullable=False),
)
# `suggestion_id` is no foreign key: an event may come before its suggestion is written.
FORM_EVENTS = sa.Table(
    "form_events",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("session", sa.String(64), nullable=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("suggestion_id", sa.String(64)),
    sa.Column("article", sa.String(200)),
    sa.Column("position", sa.Integer),
    sa.Column("bot", sa.Boolean, nullable=False),
    sa.Index("ix_form_events_session", "form", "session"),
)
EVENTS = (SEARCHES, VIEWS, VOTES, HANDOVERS)
