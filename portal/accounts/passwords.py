"""Passwords: what is taken for one, and argon2 as what is kept of them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from portal.accounts.types import AccountRefused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 200  # characters
_FEWEST = 5  # different characters


def check_password(password: str, name: str) -> str:
    """The password if it may be one. Raises `AccountRefused` saying what is wrong with it.

    Length is what makes passwords strong; kinds of characters are not asked for (NIST SP 800-63B).
    """
    if len(password) < SHORTEST:
        raise AccountRefused(f"the password has to have at least {SHORTEST} characters", "short")
    if len(password) > LONGEST:
        raise AccountRefused(f"the password may have at most {LONGEST} characters", "long")
    if len(set(password.casefold())) < _FEWEST or name.casefold() in password.casefold():
        raise AccountRefused("the password is too easy to guess; take several words", "easy")
    return password


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters and salt; takes a tenth of a second on purpose."""
    return _hasher().hash(_normal(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether this is the password. Without a stored one the same work is done, and it is not.

    So the time an answer takes does not say whether there is an account of a name.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(stored or _nobodys(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than are used now."""
    return _hasher().check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same characters however a keyboard composes them (RFC 8265)."""
    return unicodedata.normalize("NFC", password.encode(errors="replace").decode())


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # most processes never need it

    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher().hash("nobody's")
