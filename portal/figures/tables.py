"""The tables of what days add up to; `portal/migrations/versions/0006_daily.py` creates them.

All of it follows from the log and is made anew when it is missing. What customers typed is kept
in `daily_texts` no longer than in the log (`portal.figures.rollup`).
"""

from __future__ import annotations

import sqlalchemy as sa

from portal.figures.counts import ARTICLE_NAMES, NAMES
from portal.tables import METADATA, UtcTime


def _counts(names: tuple[str, ...]) -> list[sa.Column[int]]:
    # `nothing` is a word of SQL to some versions of SQLite.
    quoted = [sa.sql.quoted_name(name, quote=True) for name in names]
    return [sa.Column(name, sa.Integer, nullable=False) for name in quoted]


# A day is here while its figures are final. `rows` is how much of the log they were counted from.
DAYS = sa.Table(
    "daily_days",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("counted_at", UtcTime, nullable=False),
)
FIGURES = sa.Table(
    "daily_figures",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("locale", sa.String(16), primary_key=True),
    sa.Column("platform", sa.String(100), primary_key=True),
    sa.Column("channel", sa.String(40), primary_key=True),
    *_counts(NAMES),
)
ARTICLES = sa.Table(
    "daily_articles",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("article_id", sa.String(200), primary_key=True),
    sa.Column("locale", sa.String(16), primary_key=True),
    *_counts(ARTICLE_NAMES),
    sa.Column("reasons", sa.JSON, nullable=False),
)
TEXTS = sa.Table(
    "daily_texts",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("normalised", sa.Text, nullable=False),
    sa.Column("text", sa.String(500), nullable=False),
)
QUESTIONS = sa.Table(
    "daily_questions",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("text_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("locale", sa.String(16), primary_key=True),
    sa.Column("platform", sa.String(100), primary_key=True),
    sa.Column("channel", sa.String(40), primary_key=True),
    *_counts(("questions", "unresolved")),
    sa.Index("ix_daily_questions_text_id", "text_id"),
    sqlite_with_rowid=False,
)
PARTS = (FIGURES, ARTICLES, QUESTIONS)
