"""What addresses say, held within what the database and `url_for` can take."""

from __future__ import annotations

from typing import Any

from flask import request

_MOST = 2**31 - 1
NUMBER = f"<int(max={_MOST}):number>"
"""The part of an address that numbers a row; greater numbers than an id can be are no page."""


def row_number(text: str) -> int:
    """The number of a row. Raises `ValueError` for what can be none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST))):
        raise ValueError("no number")
    if (number := int(text)) > _MOST:
        raise ValueError("too great a number")
    return number


def link_arguments() -> dict[str, Any]:
    """The present arguments for `url_for`, without those that it would take for its own."""
    return {
        name: values
        for name, values in request.args.to_dict(flat=False).items()
        if name != "endpoint" and not name.startswith("_")
    }
