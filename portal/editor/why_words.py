"""Why a result stands where it does, in a sentence for who writes articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from flask_babel import gettext as _

from portal.editor.legible import legible
from search.types import Explanation, Result

_PART = "~"  # before parts of words and characters, which say little to a reader
_WORDS = 5
_LEVEL = 0.02
"""Share of its score that puts a result before the next without saying anything."""


def reasons(results: Sequence[Result]) -> list[list[str]]:
    """Sentences for each result of one search, in their order: what it has of the question,
    and what puts it before the next. None for what was not explained."""
    found = [result.explanation for result in results]
    pairs = zip_longest(found, found[1:])
    return [_reason(why, after) if why else [] for why, after in pairs]


def part_names() -> dict[str, str]:
    """What adds up to a score, by the names of `Explanation.parts`."""
    return {
        "words": _("Words"),
        "meaning": _("Nearness in meaning"),
        "learned": _("Learned from the questions articles list"),
    }


def feature_names() -> dict[str, str]:
    """What the numbers of the ranking are, by the names of `Explanation.features`."""
    return {
        "passage_words": _("Words in the passage"),
        "article_words": _("Words anywhere in the article"),
        "question_words": _("Words in the questions it lists"),
        "title_words": _("Words in the title"),
        "title_pieces": _("Parts of words in the title"),
        "title_share": _("Share of the title that was asked for"),
        "verbatim": _("Quoted word for word"),
        "named": _("Quoted, in a short question"),
        "passage_vector": _("Meaning of the passage"),
        "best_sentence": _("Meaning of its nearest sentence"),
        "title_vector": _("Meaning of the title"),
        "classifier": _("Learned from the questions articles list"),
    }


def terms(why: Explanation) -> tuple[list[tuple[str, float]], float]:
    """Whole words with what each adds, and what all parts of words add together."""
    whole = [(term, value) for term, value in why.terms if not term.startswith(_PART)]
    return whole, sum(value for term, value in why.terms if term.startswith(_PART))


def _reason(why: Explanation, after: Explanation | None) -> list[str]:
    said = [_words(why)]
    if _has(why, "title_words"):
        said.append(_("words of the question stand in its title"))
    if _has(why, "question_words"):
        said.append(_("questions it lists share words with this one"))
    if _has(why, "verbatim"):
        said.append(_("a stretch of the question stands in it word for word"))
    if "meaning" in why.parts:
        said.append(
            _("nearer in meaning than other articles")
            if why.parts["meaning"] > 0
            else _("no nearer in meaning than other articles")
        )
    sentence = _("%(reasons)s.", reasons=_("; ").join(said))
    return [sentence, _lead(why, after)] if after else [sentence]


def _words(why: Explanation) -> str:
    whole, parts = terms(why)
    if whole:
        quoted = [_("“%(word)s”", word=legible(word)) for word, _value in whole[:_WORDS]]
        return str(_("Has the words %(words)s", words=_(", ").join(quoted)))
    if parts > 0:
        return str(_("Has only parts of the words that were asked"))
    return str(_("The quoted passage has none of the words that were asked"))


def _lead(why: Explanation, after: Explanation) -> str:
    """What of the score puts it before the next result."""
    ahead = why.score - after.score
    if ahead <= _LEVEL * abs(why.score):
        return str(_("Level with the next."))
    gains = _gains(why.parts, after.parts)
    most = max(gains, key=lambda name: gains[name], default="")
    if most == "words":
        return str(_("Ahead of the next mostly by its words."))
    if most == "meaning":
        return str(_("Ahead of the next mostly by its meaning."))
    return str(_("Ahead of the next mostly by the questions that articles list."))


def _gains(parts: Mapping[str, float], others: Mapping[str, float]) -> dict[str, float]:
    return {name: value - others.get(name, 0.0) for name, value in parts.items()}


def _has(why: Explanation, feature: str) -> bool:
    return why.features.get(feature, 0.0) > 0.0
