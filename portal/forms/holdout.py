"""Which sessions get no suggestions, so that what suggestions do can be told from hope."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.forms.registry import Form

_BYTES = 8


def is_held_out(form: Form, session: str | None) -> bool:
    """Whether this session of the form belongs to its hold-out share, `form.holdout`, 0 to 1.

    The session alone decides, by a hash: it is the same in every process and at every keystroke,
    and a session that is held out stays so when the share grows. Who names no session cannot be
    followed, and is never held out.
    """
    if not session or form.holdout <= 0:
        return False
    digest = hashlib.blake2b(f"{form.key}\0{session}".encode(), digest_size=_BYTES).digest()
    return int.from_bytes(digest) < form.holdout * float(1 << 8 * _BYTES)
