"""Articles that may settle a request before it is sent, and what the form log learns of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import request

from portal.forms import suggest as suggesting
from portal.forms.registry import OWN, Form
from portal.forms.types import EventKind, FormEvent
from portal.help import reading
from portal.help.policy import Fact, facts
from portal.i18n import current_locale
from portal.requests.clauses import cited_clauses
from portal.requests.drafts import Draft
from portal.requests.eligibility import judge
from portal.services import services
from portal.visitors import is_bot
from search.types import Article

OFFERED = ("reason", "comments")
"""The steps after which articles are offered."""


OTHER = "other"
"""The reason that is none of the others."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An article that may settle it: the passage that answers, and its rule in facts."""

    article: Article
    anchor: str
    excerpt: str
    facts: tuple[Fact, ...]


def own_form() -> Form:
    """Our own form; it is built in, so it is always there."""
    form = services().forms.get(OWN)
    if form is None:
        raise LookupError(f"the form {OWN!r} is not registered")
    return form


def key_of(article: Article) -> str:
    """An article as drafts and requests name it: `en:refund-timing`."""
    return f"{article.locale}:{article.id}"


def shown_keys(draft: Draft) -> tuple[str, ...]:
    """All that was shown, on our pages and by the script beside the fields."""
    trail = services().form_log.trail(OWN, draft.session)
    return tuple(dict.fromkeys((*draft.shown, *_in_a_language(trail.shown))))


def opened_keys(draft: Draft) -> tuple[str, ...]:
    """All that was opened from the form, then what the visitor had read before."""
    trail = services().form_log.trail(OWN, draft.session)
    read = map(key_of, reading.recent(services().library.catalogue))
    return tuple(dict.fromkeys((*draft.opened, *_in_a_language(trail.opened), *read)))


def offer_text(draft: Draft, step: str) -> str:
    """What is asked at a step: the comments, or before there are any the words of the reason."""
    if step == "comments":
        return draft.comments
    if draft.reason == OTHER:  # its words say nothing
        return ""
    label = services().library.catalogue.taxonomy.reasons.get(draft.reason)
    return label.title(current_locale()) if label else ""


def find_offers(draft: Draft, step: str) -> tuple[Draft, tuple[Offer, ...]]:
    """What settles the text of a step, without what this customer has been shown before.

    Gives the draft with the id of the suggestion. Nothing is offered to a session that is held
    out, though it is written down what would have been.
    """
    text = offer_text(draft, step)
    if not text:
        return draft, ()
    form = own_form()
    known = set(shown_keys(draft))  # before the log learns of what is found now
    found = suggesting.suggest(
        text, locale=current_locale(), reason=draft.reason or None,
        platform=draft.order.platform, form=form,
    )  # fmt: skip
    recorded = suggesting.record(found, form, draft.session)
    if recorded.id is not None:
        draft = replace(draft, suggestions={**draft.suggestions, step: recorded.id})
    if recorded.held_out:
        return draft, ()
    taxonomy = services().library.catalogue.taxonomy
    rule = _rule(draft) if step == "reason" else None
    first = () if rule is None or key_of(rule.article) in known else (rule,)
    known.update(key_of(offer.article) for offer in first)
    return draft, first + tuple(
        Offer(
            item.article, item.passage.anchor, item.excerpt,
            facts(item.policy, taxonomy) if item.policy else (),
        )
        for item in found.items
        if key_of(item.article) not in known and _concerns(item.article, draft, step)
    )  # fmt: skip


def _rule(draft: Draft) -> Offer | None:
    """The article whose rule settles a refund for this reason, where one does."""
    here = services()
    catalogue = here.library.catalogue
    verdict = judge(
        cited_clauses(catalogue, current_locale()), draft.order, draft.chosen,
        reason=draft.reason, wish="refund", today=here.clock().date(),
    )  # fmt: skip
    cited = verdict.cited
    if cited is None or verdict.outcome == "person":
        return None
    article = catalogue.get(cited.locale, cited.article_id)
    if article is None:
        return None
    told = facts(cited.clause, catalogue.taxonomy)
    return Offer(article, cited.clause.section, article.summary, told)


def _concerns(article: Article, draft: Draft, step: str) -> bool:
    """Whether an article can be about this order.

    What another shop promises is no help; and where nothing but the reason has been said, an
    article that does not name it was found by its words alone.
    """
    if article.platforms and draft.order.platform not in article.platforms:
        return False
    return step != "reason" or draft.reason in article.reasons


def record(
    draft: Draft, kind: EventKind, *, step: str = "", article: Article | None = None,
    position: int | None = None,
) -> None:  # fmt: skip
    """Tell the form log what happened; it never fails."""
    here = services()
    agent = request.headers.get("User-Agent", "")
    here.form_log.record_event(
        FormEvent(
            id=uuid.uuid4().hex,
            at=here.clock(),
            session=draft.session,
            form=OWN,
            visitor=here.visitors.key(request.remote_addr or "", agent),
            locale=current_locale(),
            kind=kind,
            suggestion_id=draft.suggestions.get(step),
            article=article.id if article else None,
            position=position,
            bot=is_bot(agent),
        )
    )


def mark_shown(draft: Draft, articles: Sequence[Article]) -> Draft:
    """The draft with articles among what was shown."""
    return replace(draft, shown=tuple(dict.fromkeys((*draft.shown, *map(key_of, articles)))))


def mark_opened(draft: Draft, article: Article) -> Draft:
    """The draft with an article among what was opened."""
    return replace(draft, opened=tuple(dict.fromkeys((*draft.opened, key_of(article)))))


def _in_a_language(ids: Sequence[str]) -> list[str]:
    """Keys of articles the log knows by id alone: in the reader's language, else in any."""
    catalogue = services().library.catalogue
    keys = []
    for article_id in ids:
        translations = catalogue.translations(article_id)
        article = translations.get(current_locale()) or next(iter(translations.values()), None)
        if article is not None:
            keys.append(key_of(article))
    return keys
