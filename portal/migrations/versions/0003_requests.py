"""Refund requests: drafts, requests, what is needed to answer them, and their deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request_drafts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.String(32), nullable=False, index=True),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("platform", sa.String(100), nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("wish", sa.String(32), nullable=False),
        sa.Column("comments", sa.Text, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("opened", sa.JSON, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
    )
    op.create_table(
        "request_contacts",
        sa.Column(
            "request_id",
            sa.String(64),
            sa.ForeignKey("requests.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("order_number", sa.String(60), nullable=False),
        sa.Column("contact", sa.String(254), nullable=False),
        sa.Column("comments", sa.Text, nullable=False),
    )
    op.create_table(
        "request_deliveries",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "request_id",
            sa.String(64),
            sa.ForeignKey("requests.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.String(32), nullable=False, index=True),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claimed_until", sa.String(32)),
        sa.Column("delivered_at", sa.String(32)),
        sa.Column("error", sa.String(300), nullable=False),
    )


def downgrade() -> None:
    for table in ("request_deliveries", "request_contacts", "requests", "request_drafts"):
        op.drop_table(table)
