"""What each day of the log adds up to, for the editors' figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTS = (
    "searches", "bots", "questions", "visitors", "answered", "elsewhere", "unresolved", "nothing",
    "low_confidence", "no_click", "not_helpful", "handed_over", "sent_anyway", "tracked",
    "clicked", "exits", "refined", "reads", "helpful", "unhelpful", "handovers",
)  # fmt: skip


def _counts(*names: str) -> list[sa.Column[int]]:
    # quoted: SQLite keeps `nothing` for itself
    quoted = (sa.sql.quoted_name(name, quote=True) for name in names)
    return [sa.Column(name, sa.Integer, nullable=False) for name in quoted]


def upgrade() -> None:
    op.create_table(
        "daily_days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("counted_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("locale", sa.String(16), primary_key=True),
        sa.Column("platform", sa.String(100), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
        *_counts(*_COUNTS),
    )
    op.create_table(
        "daily_articles",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("article_id", sa.String(200), primary_key=True),
        sa.Column("locale", sa.String(16), primary_key=True),
        *_counts("reads", "clicks", "helpful", "unhelpful", "handovers"),
        sa.Column("reasons", sa.JSON, nullable=False),
    )
    op.create_table(
        "daily_texts",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("normalised", sa.Text, nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
    )
    op.create_table(
        "daily_questions",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("text_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("locale", sa.String(16), primary_key=True),
        sa.Column("platform", sa.String(100), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
        *_counts("questions", "unresolved"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_daily_questions_text_id", "daily_questions", ["text_id"])
    # What was sent on a day is asked for day by day.
    op.create_index("ix_form_sessions_submitted_at", "form_sessions", ["submitted_at"])


def downgrade() -> None:
    op.drop_index("ix_form_sessions_submitted_at", "form_sessions")
    tables = (
        "daily_questions", "daily_texts", "daily_articles", "daily_figures", "daily_days",
    )  # fmt: skip
    for table in tables:
        op.drop_table(table)
