"""Proofs and publishes: their runs, the outcome of every question, and whose turn it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proof_runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("gap", sa.Integer, index=True),
        sa.Column("article", sa.String(220), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False, index=True),
        sa.Column("alive_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("result", sa.JSON),
    )
    op.create_table(
        "proof_outcomes",
        sa.Column(
            "run",
            sa.String(32),
            sa.ForeignKey("proof_runs.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("part", sa.String(16), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("wanted", sa.JSON, nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
    )
    op.create_table(
        "proof_claims",
        sa.Column("task", sa.String(32), primary_key=True),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("claimed_until", sa.String(32), nullable=False),
    )
    op.create_table(
        "proof_live",
        sa.Column("gap", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("published_at", sa.String(32), nullable=False, index=True),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("baseline", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    for table in ("proof_live", "proof_claims", "proof_outcomes", "proof_runs"):
        op.drop_table(table)
