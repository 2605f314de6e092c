"""A request as it is handed over: for programs as JSON, for people as a mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from portal.requests.store import Request
from search.catalogue import Catalogue
from search.taxonomy import Taxonomy
from search.types import Article


def webhook_body(
    request: Request, catalogue: Catalogue, *, base_url: str, now: datetime
) -> bytes:  # fmt: skip
    """The JSON that docs/webhook.md describes. Addresses are complete where `base_url` is set."""
    contact = request.contact
    data: dict[str, Any] = {
        "number": request.number,
        "sent_at": request.at.isoformat(timespec="seconds"),
        "locale": request.locale,
        "platform": request.platform,
        "order_number": contact.order_number if contact else None,
        "contact": contact.contact if contact else None,
        "items": list(request.items),
        "reason": request.reason,
        "wish": request.wish,
        "comments": contact.comments if contact else request.comments,
        "eligibility": dict(request.verdict),
        "articles": {
            "shown": _articles(request.shown, catalogue, base_url),
            "read": _articles(request.opened, catalogue, base_url),
        },
        "status_url": status_url(request, base_url),
    }
    body = {"type": "refund_request.sent", "timestamp": now.isoformat(timespec="seconds")}
    return msgspec.json.encode({**body, "data": data})


def mail_lines(
    request: Request, catalogue: Catalogue, *, base_url: str
) -> tuple[str, str, list[str]]:
    """Subject, the address to answer to (or ""), and the lines of the mail to the team."""
    contact = request.contact
    taxonomy = catalogue.taxonomy
    reply_to = contact.contact if contact and "@" in contact.contact else ""
    order = contact.order_number if contact else "erased"
    lines = [
        f"Request: {request.number}",
        f"Order: {order} ({_title(taxonomy, 'platforms', request.platform)})",
        f"Answer to: {contact.contact if contact else 'erased'}",
        f"Language: {request.locale}",
        f"Reason: {_title(taxonomy, 'reasons', request.reason)}",
        f"Wish: {request.wish}",
        "Items:",
        *(f"- {item['quantity']} x {_name(item)} ({item['sku']})" for item in request.items),
        f"What the rules say: {_verdict(request)}",
        "",
        (contact.comments if contact else request.comments) or "No comments.",
        "",
        *_listed("Articles shown:", request.shown, catalogue, base_url),
        *_listed("Articles read:", request.opened, catalogue, base_url),
        f"Status page of the customer: {status_url(request, base_url)}",
    ]
    return f"[{request.number}] {_title(taxonomy, 'reasons', request.reason)}", reply_to, lines


def status_url(request: Request, base_url: str) -> str:
    """Where the customer follows the request."""
    return f"{base_url.rstrip('/')}/{request.locale}/requests/{request.token}"


def known(keys: Sequence[str], catalogue: Catalogue) -> list[Article]:
    """The articles of keys such as `en:refund-timing`, without those that are gone."""
    found = [catalogue.get(*key.split(":", 1)) for key in keys if ":" in key]
    return [article for article in found if article is not None]


def _articles(keys: Sequence[str], catalogue: Catalogue, base_url: str) -> list[dict[str, str]]:
    return [
        {"id": article.id, "locale": article.locale, "title": article.title,
         "url": base_url.rstrip("/") + article.path}
        for article in known(keys, catalogue)
    ]  # fmt: skip


def _listed(head: str, keys: Sequence[str], catalogue: Catalogue, base_url: str) -> list[str]:
    articles = _articles(keys, catalogue, base_url)
    return [head, *(f"- {each['title']}\n  {each['url']}" for each in articles)] if articles else []


def _title(taxonomy: Taxonomy, group: str, key: str) -> str:
    label = getattr(taxonomy, group).get(key)
    return label.title("en") if label else key


def _name(item: Any) -> str:
    titles = item["titles"]
    return str(titles.get("en") or next(iter(titles.values())))


def _verdict(request: Request) -> str:
    verdict = request.verdict
    words = {"yes": "likely yes", "no": "likely not", "person": "a person has to look"}
    parts = [words[verdict["outcome"]]]
    if verdict.get("until"):
        parts.append(f"until {verdict['until']}")
    if verdict.get("article"):
        parts.append(f"by {verdict['article']}#{verdict['section']}")
    return ", ".join(parts)
