"""The tables of the gap report; `portal/migrations/versions/0005_gaps.py` is what creates them.

No table names a visitor longer than the log does: `unresolved` is rewritten by every refresh from
the log, and `kb events purge` forgets its rows and old questions with the events.
"""

from __future__ import annotations

import sqlalchemy as sa

from portal.tables import METADATA, UtcTime

# `looked` says of what the kind was proposed, so that it is only thought about when that changes.
GAPS = sa.Table(
    "gaps",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(500), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("state_at", UtcTime, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("kind_by", sa.String(100), nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("looked", sa.String(32), nullable=False),
    sa.Column("owner", sa.String(100), nullable=False),
    sa.Column("due", sa.String(10)),
    sa.Column("article", sa.String(220)),
    sa.Column("ignored_because", sa.String(500), nullable=False),
    sa.Column("merged_into", sa.Integer),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("typical", sa.JSON, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # the number of a gap that is gone is never given again
)
GAP_QUESTIONS = sa.Table(
    "gap_questions",
    METADATA,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("gap", sa.Integer, nullable=False, index=True),
    sa.Column("text", sa.String(500), nullable=False),
    sa.Column("normalised", sa.Text, nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("visitors", sa.Integer, nullable=False),
    sa.Column("searches", sa.Integer, nullable=False),
    sa.Column("reasons", sa.Integer, nullable=False),
    sa.Column("last_seen", UtcTime, nullable=False, index=True),
    sa.Column("pinned_by", sa.String(100), nullable=False),
)
# One row for each visitor's question: what the figures of a period are counted from.
UNRESOLVED = sa.Table(
    "unresolved",
    METADATA,
    sa.Column("source", sa.String(16), primary_key=True),
    sa.Column("event", sa.String(64), primary_key=True),
    sa.Column("question", sa.String(32), primary_key=True),
    sa.Column("visitor", sa.String(32), nullable=False),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("platform", sa.String(100)),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("reasons", sa.Integer, nullable=False),
    sa.Column("searches", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("top_article", sa.String(220)),
    sa.Column("text", sa.String(500), nullable=False),
    sa.Column("normalised", sa.Text, nullable=False),
    sa.Index("ix_unresolved_question_at", "question", "at"),
)
GAP_HISTORY = sa.Table(
    "gap_history",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("gap", sa.Integer, nullable=False, index=True),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)
GAP_RUNS = sa.Table(
    "gap_runs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("unresolved", sa.Integer, nullable=False),
    sa.Column("gaps", sa.Integer, nullable=False),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("generation", sa.String(100), nullable=False),
)
# The one row of who refreshes now. A claim lapses: a process that died holds nobody up.
GAP_CLAIMS = sa.Table(
    "gap_claims",
    METADATA,
    sa.Column("task", sa.String(32), primary_key=True),
    sa.Column("claimed_by", sa.String(64), nullable=False),
    sa.Column("claimed_until", UtcTime, nullable=False),
    sa.Column("stage", sa.String(32), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
)
