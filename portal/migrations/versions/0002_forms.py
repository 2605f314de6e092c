"""What forms showed, what happened to them, and one row for each filling-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "form_sessions",
        sa.Column("form", sa.String(40), primary_key=True),
        sa.Column("session", sa.String(64), primary_key=True),
        sa.Column("started_at", sa.String(32), nullable=False, index=True),
        sa.Column("assumed_at", sa.String(32), nullable=False),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("locale_at", sa.String(32)),
        sa.Column("found_at", sa.String(32)),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("opened_at", sa.String(32)),
        sa.Column("helpful_at", sa.String(32)),
        sa.Column("not_helpful_at", sa.String(32)),
        sa.Column("resolved_at", sa.String(32)),
        sa.Column("submitted_at", sa.String(32)),
        sa.Column("sent_by", sa.String(32), nullable=False),
        sa.Column("held_out", sa.Boolean, nullable=False),
        sa.Column("bot", sa.Boolean, nullable=False),
    )
    op.create_index("ix_form_sessions_sent", "form_sessions", ["form", "sent_by", "submitted_at"])
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
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
    )
    op.create_index("ix_suggestions_session", "suggestions", ["form", "session"])
    op.create_table(
        "suggestion_items",
        sa.Column(
            "suggestion_id",
            sa.String(64),
            sa.ForeignKey("suggestions.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("article_id", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("anchor", sa.String(200), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
    )
    op.create_table(
        "form_events",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("form", sa.String(40), nullable=False),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("suggestion_id", sa.String(64)),
        sa.Column("article", sa.String(200)),
        sa.Column("position", sa.Integer),
        sa.Column("bot", sa.Boolean, nullable=False),
    )
    op.create_index("ix_form_events_session", "form_events", ["form", "session"])


def downgrade() -> None:
    for table in ("form_events", "suggestion_items", "suggestions", "form_sessions"):
        op.drop_table(table)
