"""Writes the first text of an article that is to close a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from portal.drafts.outline import Part, body_of, outline, summary
from portal.drafts.yaml_edit import one_line, scalar
from search.types import Article

REVIEW_AFTER = timedelta(days=180)
MOST_QUESTIONS = 40


@dataclass(frozen=True, slots=True)
class Commission:
    """What is to be written: the gap, its language and kind, and whose it will be.

    `questions` are the customers' own, those not held out; `source` is the article of the other
    language that is to be translated; `identity` is the article's id where it is not `slug`.
    """

    gap: int
    locale: str
    section: str
    slug: str
    title: str
    kind: str
    owner: str
    questions: tuple[str, ...]
    today: date
    source: Article | None = None
    identity: str = ""


def compose(commission: Commission) -> str:
    """A whole article file: complete front matter, an outline, nothing published of it yet."""
    source = commission.source
    front = [
        ("id", scalar(source.id if source else commission.identity or commission.slug)),
        ("title", scalar(one_line(commission.title) or commission.slug)),
        ("summary", scalar(summary(commission.locale))),
        ("section", commission.section),
    ]
    if source:
        front += [
            (name, f"[{', '.join(values)}]")
            for name, values in (("reasons", source.reasons), ("platforms", source.platforms))
            if values
        ]
    lines = [f"{name}: {value}" for name, value in front]
    if questions := _distinct(commission.questions):
        lines += ["questions:", *(f"  - {scalar(question)}" for question in questions)]
    lines += [
        "status: draft",
        f"owner: {scalar(one_line(commission.owner) or 'editors')}",
        f"updated: {commission.today}",
        f"verified_on: {commission.today}",
        f"review_by: {commission.today + REVIEW_AFTER}",
        f"closes: gap-{commission.gap}",
    ]
    body = (
        _translation(source, commission.locale)
        if source
        else outline(commission.kind, commission.locale)
    )
    return "\n".join(["---", *lines, "---", ""]) + f"\n{body}"


def _distinct(questions: Iterable[str]) -> list[str]:
    """One line each, none twice, at most `MOST_QUESTIONS`."""
    found: dict[str, str] = {}
    for question in map(one_line, questions):
        if question:
            found.setdefault(question.casefold(), question)
    return list(found.values())[:MOST_QUESTIONS]


def _translation(source: Article, locale: str) -> str:
    """The source's headings, whose anchors a translation shares, to be written anew."""
    parts = [Part("", {locale: ""}, {locale: _todo(source.title, locale)})]
    parts += [
        Part(heading.anchor, {locale: _comment_free(heading.title)},
             {locale: _todo(heading.title, locale)})
        for heading in source.headings
        if heading.level == 2
    ]  # fmt: skip
    return body_of(tuple(parts), locale)


def _todo(title: str, locale: str) -> str:
    words = {"en": "Translate what stands under", "zh-Hans": "翻译这一节："}
    return f"{words[locale]} “{_comment_free(title)}”"


def _comment_free(text: str) -> str:
    """A heading that ends no comment and begins no tag."""
    return one_line(text).replace("-->", "→").replace("<", "‹")
