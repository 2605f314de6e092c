"""What is taken for a mail address where somebody types one."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}"
)


def is_mail_address(text: str) -> bool:
    """Whether a text has the form of a mail address; whether one exists only a mail can tell."""
    return _ADDRESS.fullmatch(text) is not None
