"""The gap report: gaps, their questions, what happened to them, and its refreshes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("state_at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("kind_by", sa.String(100), nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("looked", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("due", sa.String(10)),
        sa.Column("article", sa.String(220)),
        sa.Column("ignored_because", sa.String(500), nullable=False),
        sa.Column("merged_into", sa.Integer),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("typical", sa.JSON, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gap_questions",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("gap", sa.Integer, nullable=False, index=True),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("normalised", sa.Text, nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("visitors", sa.Integer, nullable=False),
        sa.Column("searches", sa.Integer, nullable=False),
        sa.Column("reasons", sa.Integer, nullable=False),
        sa.Column("last_seen", sa.String(32), nullable=False, index=True),
        sa.Column("pinned_by", sa.String(100), nullable=False),
    )
    op.create_table(
        "unresolved",
        sa.Column("source", sa.String(16), primary_key=True),
        sa.Column("event", sa.String(64), primary_key=True),
        sa.Column("question", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("platform", sa.String(100)),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("reasons", sa.Integer, nullable=False),
        sa.Column("searches", sa.Integer, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("top_article", sa.String(220)),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("normalised", sa.Text, nullable=False),
    )
    op.create_index("ix_unresolved_question_at", "unresolved", ["question", "at"])
    op.create_table(
        "gap_history",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("gap", sa.Integer, nullable=False, index=True),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_table(
        "gap_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("unresolved", sa.Integer, nullable=False),
        sa.Column("gaps", sa.Integer, nullable=False),
        sa.Column("new", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("generation", sa.String(100), nullable=False),
    )
    op.create_table(
        "gap_claims",
        sa.Column("task", sa.String(32), primary_key=True),
        sa.Column("claimed_by", sa.String(64), nullable=False),
        sa.Column("claimed_until", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "gap_claims",
        "gap_runs",
        "gap_history",
        "unresolved",
        "gap_questions",
        "gaps",
    ):
        op.drop_table(table)
