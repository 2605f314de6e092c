"""The steps of the form: their order, and what each takes from what was submitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from portal.requests.drafts import Draft
from portal.requests.eligibility import WISHES

STEPS = ("order", "items", "reason", "wish", "comments", "check")
LONGEST_COMMENT = 4000
Values = MultiDict[str, str]
Errors = dict[str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """A step as submitted: the draft with what could be taken, and what to do about the rest.

    `errors` map the end of a field's id, `field-…`, to a sentence.
    """

    draft: Draft
    errors: Mapping[str, str] = field(default_factory=dict)


def first_open(draft: Draft) -> str:
    """The first step that has no answer yet."""
    done = {
        "order": True,
        "items": bool(draft.items),
        "reason": bool(draft.reason),
        "wish": draft.wish is not None,
        "comments": draft.commented,
    }
    return next((step for step in STEPS if not done.get(step)), "check")


def before(step: str) -> str:
    """The step that "back" leads to."""
    return STEPS[max(0, STEPS.index(step) - 1)]


def after(step: str) -> str:
    """The step that "continue" leads to."""
    return STEPS[min(len(STEPS) - 1, STEPS.index(step) + 1)]


def read_items(values: Values, draft: Draft, _reasons: Mapping[str, object]) -> Read:
    """The ticked items with their number of pieces."""
    items: dict[str, int] = {}
    for place, item in enumerate(draft.order.items):
        if item.sku not in values.getlist("item"):
            continue
        pieces = values.get(f"pieces-{place}", "1")
        known = len(pieces) <= 4 and pieces.isdecimal() and 1 <= int(pieces) <= item.quantity
        items[item.sku] = int(pieces) if known else item.quantity
    changed = replace(draft, items=items)
    return Read(changed) if items else Read(changed, {"item-0": _("Tick at least one item")})


def read_reason(values: Values, draft: Draft, reasons: Mapping[str, object]) -> Read:
    """One of the reasons the articles know. Another reason gets articles of its own."""
    reason = values.get("reason", "")
    if reason not in reasons:
        first = next(iter(reasons), "")
        return Read(draft, {f"reason-{first}": _("Choose the reason that fits best")})
    if reason == draft.reason:
        return Read(draft)
    return Read(replace(draft, reason=reason, offered=()))


def read_wish(values: Values, draft: Draft, _reasons: Mapping[str, object]) -> Read:
    """What the customer would like."""
    wish = next((known for known in WISHES if known == values.get("wish")), None)
    if wish is None:
        return Read(draft, {f"wish-{WISHES[0]}": _("Choose what you would like us to do")})
    return Read(replace(draft, wish=wish))


def read_comments(values: Values, draft: Draft, _reasons: Mapping[str, object]) -> Read:
    """What happened, in the customer's words; may be empty where the reason says it all."""
    text = values.get("comments", "").replace("\r\n", "\n").replace("\0", "").strip()
    text = text.encode(errors="replace").decode()
    if len(text) > LONGEST_COMMENT:
        # Kept as typed, so that it can be shortened; it is not sent before it is.
        draft = replace(draft, comments=text[: 2 * LONGEST_COMMENT], commented=False)
        return Read(
            draft,
            {
                "comments": _(
                    "Shorten your message to %(most)s characters; it has %(now)s",
                    most=LONGEST_COMMENT,
                    now=len(text),
                )
            },
        )
    if not text and draft.reason == "other":
        return Read(
            replace(draft, comments="", commented=False),
            {"comments": _("Tell us in a sentence what happened")},
        )
    offered = tuple(step for step in draft.offered if step != "comments" or text == draft.comments)
    return Read(replace(draft, comments=text, commented=True, offered=offered))


READERS: Mapping[str, Callable[[Values, Draft, Mapping[str, object]], Read]] = {
    "items": read_items,
    "reason": read_reason,
    "wish": read_wish,
    "comments": read_comments,
}
