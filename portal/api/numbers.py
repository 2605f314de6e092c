"""Numbers as JSON has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def _whole(value: object) -> object:
    """`2.0` is as good a whole number in JSON as `2`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number, also where the rest of a body is read strictly."""
