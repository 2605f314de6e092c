"""Personal data out, typed placeholders in, before anything a customer wrote is stored.

Every rule reads a folded view in which whatever an earlier rule found is hidden, so the order of
`RULES` settles who owns a number, and a later rule cannot join what an earlier one cut apart.
"""

from __future__ import annotations

import re

from portal.personal import HIDDEN, PLACEHOLDER, PLACEHOLDERS, Finding, Kind, Rule, fold
from portal.personal_contacts import (
    accounts,
    emails,
    grouped_phones,
    international_phones,
    link_tokens,
    marked_and_chinese_phones,
)
from portal.personal_names import names
from portal.personal_numbers import (
    amounts_and_dates,
    cards,
    ibans,
    identity_numbers,
    long_numbers,
    order_numbers,
    tracking_numbers,
)
from portal.personal_places import english_addresses, han_addresses

__all__ = ["LONGEST", "PLACEHOLDERS", "Kind", "redact", "shorten"]

RULES: tuple[Rule, ...] = (
    emails,
    link_tokens,
    amounts_and_dates,
    ibans,
    order_numbers,
    tracking_numbers,
    identity_numbers,
    international_phones,
    cards,
    marked_and_chinese_phones,
    accounts,
    han_addresses,
    english_addresses,
    names,
    grouped_phones,
    long_numbers,
)
# Without a digit these find nothing, and most questions have none.
NEED_DIGITS: frozenset[Rule] = frozenset(RULES) - {
    emails,
    marked_and_chinese_phones,
    han_addresses,
    names,
}
LONGEST = 20_000
"""Characters beyond which a text is cut before it is read: nothing that long is stored."""

_PASSES = 6
_EDGE = 64
_OPEN_PLACEHOLDER = re.compile(r"\[[a-z-]{0,10}\Z")


def redact(text: str) -> str:
    """`text` with personal data replaced by placeholders; everything else as it was.

    Passes repeat until nothing changes, because a replacement can bare a number that stood too
    close to another one; that also makes redacting a redacted text change nothing. A text longer
    than `LONGEST` loses its end, and what the cut may have left of a number with it.
    """
    cut = len(text) > LONGEST
    text = text[:LONGEST]
    for _ in range(_PASSES):
        redacted = shorten(_replace(text), LONGEST)
        if redacted == text:
            break
        text = redacted
    return redact(text[: max(0, len(text) - _EDGE)]) if cut else text


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of a redacted text, none of them half a placeholder."""
    if len(text) <= limit:
        return text
    text = text[:limit]
    return _OPEN_PLACEHOLDER.sub("", text)


def _replace(text: str) -> str:
    view, origins = fold(text)
    view = _hide(view, [(*match.span(), None) for match in PLACEHOLDER.finditer(view)])
    replaced: list[tuple[int, int, Kind]] = []
    has_digits = any(map(str.isdigit, view))
    for rule in RULES:
        if not has_digits and rule in NEED_DIGITS:
            continue
        found: list[Finding] = []
        end_of_last = 0
        for start, end, kind in sorted(rule(view), key=_first_and_longest):
            if start < end_of_last or start == end:
                continue
            end_of_last = end
            found.append((start, end, kind))
            if kind is not None:
                replaced.append((start, end, kind))
        view = _hide(view, found)
    parts: list[str] = []
    done = 0
    for start, end, kind in sorted(replaced):
        first, last = origins[start], origins[end - 1] + 1
        if first < done:  # one character of the text can be several of the view
            continue
        parts += (text[done:first], kind.placeholder)
        done = last
    return "".join(parts) + text[done:]


def _first_and_longest(finding: Finding) -> tuple[int, int]:
    return finding[0], -finding[1]


def _hide(view: str, found: list[Finding]) -> str:
    if not found:
        return view
    parts: list[str] = []
    done = 0
    for start, end, _ in found:
        parts += (view[done:start], HIDDEN * (end - start))
        done = end
    return "".join(parts) + view[done:]
