"""The tables of accounts and of the audit trail; migration 0004 is what creates them."""

from __future__ import annotations

import sqlalchemy as sa

from portal.tables import METADATA, UtcTime

# `login` is the name as it is compared; `feed_key` and every `key` are hashes of secrets, so that
# who reads the database can sign in as nobody.
USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("login", sa.String(300), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password", sa.String(300)),
    sa.Column("issuer", sa.String(300)),
    sa.Column("subject", sa.String(255)),
    sa.Column("feed_key", sa.String(64), unique=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("signed_in_at", UtcTime),
    sa.Column("disabled_at", UtcTime),
    sa.UniqueConstraint("issuer", "subject", name="uq_users_identity"),
)
SESSIONS = sa.Table(
    "user_sessions",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False, index=True),
    sa.Column("way", sa.String(16), nullable=False),
    sa.Column("agent", sa.String(200), nullable=False),
)
INVITATIONS = sa.Table(
    "user_invitations",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column(
        "user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    sa.Column("expires_at", UtcTime, nullable=False),
)
FAILURES = sa.Table(
    "sign_in_failures",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Index("ix_sign_in_failures_key", "key", "at"),
)
# No foreign key: what somebody did stays known whatever becomes of the account.
AUDIT = sa.Table(
    "audit_trail",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("user_id", sa.Integer),
    sa.Column("user_name", sa.String(100), nullable=False),
    sa.Column("action", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(200), nullable=False, index=True),
    sa.Column("detail", sa.JSON, nullable=False),
)
