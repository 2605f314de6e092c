"""The tables of runs and their outcomes; `portal/migrations/versions/0007_proofs.py` makes them.

A run is work on the articles that goes on beside the pages: a proof, or a publish. Of a proof every
question that was asked is kept with what came of it before and after.
"""

from __future__ import annotations

import sqlalchemy as sa

from portal.tables import METADATA, UtcTime

PROOF_RUNS = sa.Table(
    "proof_runs",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("gap", sa.Integer, index=True),
    sa.Column("article", sa.String(220), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(64), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False, index=True),
    sa.Column("alive_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("result", sa.JSON),
)
PROOF_OUTCOMES = sa.Table(
    "proof_outcomes",
    METADATA,
    sa.Column("run", sa.ForeignKey("proof_runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.String(16), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("text", sa.String(500), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("wanted", sa.JSON, nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
)
# The one row of who works on the index now, so that runs of all processes take turns.
PROOF_CLAIMS = sa.Table(
    "proof_claims",
    METADATA,
    sa.Column("task", sa.String(32), primary_key=True),
    sa.Column("run", sa.String(32), nullable=False),
    sa.Column("claimed_until", UtcTime, nullable=False),
)
# What live traffic says of each gap with a published article, as of the last look: pages only read.
PROOF_LIVE = sa.Table(
    "proof_live",
    METADATA,
    sa.Column("gap", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("published_at", UtcTime, nullable=False, index=True),
    sa.Column("closed_at", UtcTime),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    # What was counted before the article, kept while it is the same publishing: the log forgets.
    sa.Column("baseline", sa.JSON, nullable=False),
)
