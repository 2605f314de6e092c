"""What a visitor hands over to a person, read from the form and checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from portal.help.results import LONGEST_QUERY
from portal.mail_address import is_mail_address
from search.catalogue import Catalogue
from search.types import Article

LONGEST_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class HandoverForm:
    """The fields as typed; `errors` maps a field to what to do about it."""

    query: str
    message: str
    mail: str
    articles: tuple[Article, ...]
    errors: dict[str, str] = field(default_factory=dict)


def read_form(
    values: MultiDict[str, str], catalogue: Catalogue, *, asks_mail: bool
) -> HandoverForm:
    """Read and check a submitted form; an address is only looked at where one is asked for."""
    message = values.get("message", "").replace("\r\n", "\n").strip()
    mail = values.get("mail", "").strip() if asks_mail else ""
    errors = {}
    if not message:
        errors["message"] = _("Write your question, in a sentence or two")
    elif len(message) > LONGEST_MESSAGE:
        errors["message"] = _(
            "Shorten your message to %(most)s characters; it has %(now)s",
            most=LONGEST_MESSAGE,
            now=len(message),
        )
    if mail and not is_mail_address(mail):
        errors["mail"] = _("Write the whole address, such as name@example.com, or leave it empty")
    return HandoverForm(
        query=values.get("q", "").strip()[:LONGEST_QUERY],
        message=message,
        mail=mail,
        articles=tuple(articles(values.getlist("read"), catalogue)),
        errors=errors,
    )


def articles(keys: list[str], catalogue: Catalogue) -> list[Article]:
    """Articles by keys such as `en:refund-timing`, without those that do not exist."""
    found = [catalogue.get(*key.split(":", 1)) for key in keys[:10] if ":" in key]
    return [article for article in found if article is not None]
