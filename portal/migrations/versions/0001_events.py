"""The event log and the salts of visitor keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "searches",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
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
    op.create_table(
        "search_results",
        sa.Column(
            "search_id",
            sa.String(64),
            sa.ForeignKey("searches.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("article_id", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("anchor", sa.String(200), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
    )
    op.create_table(
        "views",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("article_id", sa.String(200), nullable=False, index=True),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("search_id", sa.String(64), index=True),
        sa.Column("position", sa.Integer),
        sa.Column("bot", sa.Boolean, nullable=False),
    )
    op.create_table(
        "votes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("article_id", sa.String(200), nullable=False, index=True),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("helpful", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(100)),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("search_id", sa.String(64), index=True),
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("reference", sa.String(64), nullable=False, unique=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("query", sa.String(500), nullable=False),
        sa.Column("articles", sa.JSON, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
    )
    op.create_table(
        "visitor_salts",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    tables = ("visitor_salts", "handovers", "votes", "views", "search_results", "searches")
    for table in tables:
        op.drop_table(table)
