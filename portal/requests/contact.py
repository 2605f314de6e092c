"""What customers type to be recognised by: order numbers, mail addresses, phone numbers."""

from __future__ import annotations

import hmac
import re
import unicodedata

from portal.mail_address import is_mail_address

_PHONE = re.compile(r"\+?[0-9 ()./-]{6,30}")
_SHORTEST_PHONE = 7
_COMPARED = 9  # digits: enough to tell numbers apart, few enough to leave out country and 0
_NOBODY = "nobody@invalid"


def folded(text: str) -> str:
    """Full-width letters, digits and signs as everybody else writes them, without edges."""
    return unicodedata.normalize("NFKC", text).strip()


LONGEST = 254
"""Characters of a field that are looked at."""


def order_key(number: str) -> str:
    """An order number as it is compared: capitals and digits alone, `WF204118552`."""
    return re.sub(r"[^0-9A-Z]", "", folded(number)[:LONGEST].upper())


def is_mail(text: str) -> bool:
    """Whether a text has the form of a mail address."""
    return is_mail_address(folded(text))


def is_contact(text: str) -> bool:
    """Whether a text can be a mail address or a phone number."""
    text = folded(text)
    return is_mail(text) or (
        _PHONE.fullmatch(text) is not None and len(_digits(text)) >= _SHORTEST_PHONE
    )


def belongs(contact: str, *, mail: str, phone: str) -> bool:
    """Whether what was typed is the mail address or the phone number of an order.

    Both are always compared, in a time that does not depend on how much of them fits.
    """
    typed = folded(contact)
    by_mail = _same(typed.casefold(), folded(mail).casefold() or _NOBODY)
    digits = _digits(typed) if not is_mail(typed) else ""
    known = _digits(phone)
    by_phone = _same(digits[-_COMPARED:], known[-_COMPARED:] or _NOBODY)
    return by_mail | (by_phone & (len(digits) >= _SHORTEST_PHONE))


def masked(contact: str) -> str:
    """A mail address or phone number its owner recognises and nobody else can use."""
    if is_mail(contact):
        name, _at, host = folded(contact).partition("@")
        return f"{name[:1]}•••@{host}"
    return f"•••{_digits(contact)[-3:]}"


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", folded(text))


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
