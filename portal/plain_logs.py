"""Logs of commands that answer at once: the standard library alone, which is there at once."""

from __future__ import annotations

import logging
import sys

TALKATIVE = ("alembic", "faiss", "flask-limiter")
"""Loggers of libraries that tell of every step, or of addresses and numbers of orders."""


def configure_plainly(*, level: str = "info") -> None:
    """Send the standard library's loggers to stderr, a line each."""
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )  # fmt: skip
    for talkative in TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.WARNING)
