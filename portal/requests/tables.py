"""The tables of drafts, requests and deliveries; migration 0003 is what creates them."""

from __future__ import annotations

import sqlalchemy as sa

from portal.tables import METADATA, UtcTime

DRAFTS = sa.Table(
    "request_drafts",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("expires_at", UtcTime, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)
REQUESTS = sa.Table(
    "requests",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("number", sa.String(32), nullable=False, unique=True),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
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
# Whatever names a person, apart from the rest, so that it can be erased alone.
CONTACTS = sa.Table(
    "request_contacts",
    METADATA,
    sa.Column("request_id", sa.ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("order_number", sa.String(60), nullable=False),
    sa.Column("contact", sa.String(254), nullable=False),
    sa.Column("comments", sa.Text, nullable=False),
)
DELIVERIES = sa.Table(
    "request_deliveries",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column(
        "request_id", sa.ForeignKey("requests.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False, index=True),
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_until", UtcTime),
    sa.Column("delivered_at", UtcTime),
    sa.Column("error", sa.String(300), nullable=False),
)
