"""What simulated visitors ask: what the articles answer, and what nobody has written about yet."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from search.types import LOCALES, Article

_PER_ARTICLE = 4
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_HOMOPHONES = {"的": "得", "在": "再", "货": "获", "期": "其", "帐": "账", "退": "腿", "件": "建"}


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that mean the same, by locale. `article` is the id of what answers them, or None.

    `weight` is how often it comes up beside others of its kind.
    """

    name: str
    article: str | None
    questions: dict[str, tuple[str, ...]]
    weight: float


def topics_of(articles: Iterable[Article], rng: random.Random) -> list[Topic]:
    """The articles as topics: their titles and some of the questions they list, a few popular."""
    texts: dict[str, dict[str, tuple[str, ...]]] = {}
    for article in articles:
        some = rng.sample(article.questions, min(_PER_ARTICLE, len(article.questions)))
        texts.setdefault(article.id, {})[article.locale] = (article.title, *some)
    names = sorted(texts)
    rng.shuffle(names)
    return [Topic(name, name, texts[name], 1 / (place + 3)) for place, name in enumerate(names)]


def unanswered_topics(rng: random.Random) -> list[Topic]:
    """What customers of a shop ask and the shipped articles do not say, in both languages."""
    file = files("portal.simulate").joinpath("unanswered.json")
    data: dict[str, dict[str, list[str]]] = json.loads(file.read_text("utf-8"))
    names = sorted(data)
    rng.shuffle(names)
    return [
        Topic(name, None, {lang: tuple(data[name][lang]) for lang in LOCALES}, 1 / (place + 2))
        for place, name in enumerate(names)
    ]


def misspelt(text: str) -> str:
    """The question with one slip of the finger or of the input method, the same every time."""
    rng = random.Random(text)  # noqa: S311 (a play, repeatable)
    wrong = [place for place, letter in enumerate(text) if letter in _HOMOPHONES]
    if wrong:
        place = rng.choice(wrong)
        return text[:place] + _HOMOPHONES[text[place]] + text[place + 1 :]
    inner = [
        place
        for place in range(1, len(text) - 1)
        if text[place - 1].isalpha() and text[place].lower() in _LATIN and text[place + 1].isalpha()
    ]
    if not inner:
        return text
    place = rng.choice(inner)
    slips: Sequence[str] = (
        text[:place] + text[place + 1 :],
        text[:place] + text[place] * 2 + text[place + 1 :],
        text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
    )
    return rng.choice(slips)
