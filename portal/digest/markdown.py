"""A digest as Markdown, in English or Chinese: read as it is in a mail, or rendered in a chat.

Every text that a customer typed, or that was made of one, goes through `quoted`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from flask import Flask
from flask_babel import format_date, format_decimal, gettext, ngettext

from portal import i18n
from portal.accounts.plain import one_line
from portal.digest.content import Digest, Rate, gap_url
from portal.editor.charts import percent, points
from portal.editor.gap_words import kind_names, state_names
from portal.forms.intervals import Share
from portal.gaps.definitions import SHOWN
from portal.gaps.proof_report import Line
from portal.gaps.types import Gap, State
from search.types import Article

T = TypeVar("T")

_MOST = 10
"""Entries of one part; the rest is a number."""
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&@$])")
_ADDRESS = re.compile(r"(:)(?=//)|(?<=\bwww)(\.)", re.IGNORECASE)


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


def quoted(text: str, limit: int = 120) -> str:
    """A text on one line that Markdown shows as it is: no markup, no HTML, no link."""
    plain = _SPECIAL.sub(r"\\\1", one_line(text, limit))
    return _ADDRESS.sub(lambda found: "\\" + found[0], plain)


def as_markdown(digest: Digest, *, locale: str, base_url: str) -> str:
    """The whole digest. `base_url` makes its links complete."""
    app = Flask("portal")
    i18n.init_app(app)
    with app.test_request_context(f"/{locale}/"):
        return "\n".join(_lines(digest, base_url)) + "\n"


def subject(digest: Digest, *, locale: str) -> str:
    """The subject of the mail: numbers and days alone."""
    app = Flask("portal")
    i18n.init_app(app)
    with app.test_request_context(f"/{locale}/"):
        return _(
            "Help centre %(first)s to %(last)s: %(new)s new gaps, %(closed)s closed",
            first=_day(digest), last=format_date(digest.last, "medium"),
            new=len(digest.new), closed=len(digest.closed),
        )  # fmt: skip


def _lines(digest: Digest, base_url: str) -> Iterator[str]:
    yield "# " + _(
        "Help centre, %(first)s to %(last)s",
        first=_day(digest), last=format_date(digest.last, "medium"),
    )  # fmt: skip
    yield ""
    if digest.simulated:
        yield _("There are visitors in these figures who never were: “kb simulate” played them.")
        yield ""
    yield ngettext(
        "%(count)s question was asked.", "%(count)s questions were asked.", digest.questions,
        count=format_decimal(digest.questions),
    )  # fmt: skip
    yield ""
    yield "- " + _rate(_("Answered, of what was searched for"), digest.answered)
    yield "- " + _rate(
        _("Unresolved, of all questions, also those put to a person or a form at once"),
        digest.unresolved,
    )
    yield "- " + ngettext("%(num)s gap is waiting", "%(num)s gaps are waiting", digest.waiting)
    length = (digest.last - digest.first).days + 1
    if digest.before_days < length:
        yield "- " + _(
            "The log has %(count)s of the %(of)s days before.",
            count=digest.before_days,
            of=length,
        )
    if digest.counted_at is None:
        yield ""
        yield _("The gap report was never refreshed; `kb gaps` does it.")
    elif digest.counted_at.date() < digest.last:
        day = format_date(digest.counted_at, "medium")
        yield ""
        yield _("The gap report is of %(day)s; `kb gaps` refreshes it.", day=day)
    yield from _part(
        _("New gaps, first asked about since %(day)s", day=_day(digest)), digest.new,
        lambda gap: _gap(gap, base_url),
    )  # fmt: skip
    yield from _part(
        _("Asked at least twice as often in the last seven days"), digest.spikes,
        lambda gap: _spike(gap, base_url),
    )  # fmt: skip
    yield from _part(_("Closed by evidence"), digest.closed, lambda line: _closed(line, base_url))
    yield from _part(
        _("Reopened, the questions came back"), digest.reopened,
        lambda line: _line(line, base_url),
    )  # fmt: skip
    yield from _part(_("Past their day"), digest.overdue, lambda gap: _owned(gap, base_url))
    yield from _part(
        _("Articles to be reviewed"), digest.reviews, lambda one: _article(one, base_url)
    )


def _part(title: str, items: Sequence[T], line: Callable[[T], str]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield f"## {title} ({len(items)})"
    yield ""
    for item in items[:_MOST]:
        yield f"- {line(item)}"
    if len(items) > _MOST:
        yield "- " + _("and %(count)s more", count=len(items) - _MOST)


def _rate(name: str, rate: Rate) -> str:
    if rate.now is None:
        return _("%(name)s: nothing to be measured", name=name)
    said = _("%(name)s: %(share)s", name=name, share=_share(rate.now))
    if rate.change is None:
        return said
    change = points(rate.change)
    return said + _("; %(points)s percentage points against the days before", points=change)


def _share(share: Share) -> str:
    return _(
        "%(value)s (%(low)s to %(high)s, %(count)s of %(of)s)",
        value=percent(share.value), low=percent(share.low), high=percent(share.high),
        count=format_decimal(share.count), of=format_decimal(share.of),
    )  # fmt: skip


def _gap(gap: Gap, base_url: str) -> str:
    visitors = ngettext(
        "%(count)s visitor in %(days)s days", "%(count)s visitors in %(days)s days", gap.visitors,
        count=format_decimal(gap.visitors), days=SHOWN.days,
    )  # fmt: skip
    typical = [quoted(text) for text in gap.typical[:2] if text != gap.name]
    like = _("; such as %(questions)s", questions=" / ".join(typical)) if typical else ""
    named = _named(gap.number, gap.name, base_url)
    kind = kind_names()[gap.kind]
    if gap.state is not State.OPEN:
        kind = _("%(kind)s, %(state)s", kind=kind, state=state_names()[gap.state])
    return _("%(gap)s: %(visitors)s, %(kind)s", gap=named, visitors=visitors, kind=kind) + like


def _spike(gap: Gap, base_url: str) -> str:
    """With what the weeks had, the present one last."""
    before, now = (0, 0, *gap.figures.weeks)[-2:]
    said = _("; seven days: %(now)s, the seven before: %(before)s",
             now=format_decimal(now), before=format_decimal(before))  # fmt: skip
    return _gap(gap, base_url) + said


def _owned(gap: Gap, base_url: str) -> str:
    due = format_date(gap.due, "medium")
    owner = quoted(gap.owner) if gap.owner else _("nobody")
    named = _named(gap.number, gap.name, base_url)
    return _("%(gap)s: %(owner)s, was due %(day)s", gap=named, owner=owner, day=due)


def _line(line: Line, base_url: str) -> str:
    return _named(line.gap, line.name, base_url)


def _closed(line: Line, base_url: str) -> str:
    named = _line(line, base_url)
    if line.look is None:
        return named
    counts = line.look.evidence.counts
    return _(
        "%(gap)s: %(unresolved)s of %(before)s unresolved before, %(left)s of %(after)s after",
        gap=named, unresolved=counts.before_unresolved, before=counts.before,
        left=counts.after_unresolved, after=counts.after,
    )  # fmt: skip


def _article(article: Article, base_url: str) -> str:
    title = f"[{quoted(article.title)}](<{base_url.rstrip('/')}{article.path}>)"
    due = format_date(article.review_by, "medium")
    return _("%(title)s, %(owner)s: by %(day)s", title=title, owner=quoted(article.owner), day=due)


def _named(number: int, name: str, base_url: str) -> str:
    text = _("Gap %(number)s: %(name)s", number=number, name=quoted(name))
    return f"[{text}](<{gap_url(base_url, number)}>)"


def _day(digest: Digest) -> str:
    return str(format_date(digest.first, "medium"))
