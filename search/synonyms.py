"""Other words for the same thing, from a plain file of each language, applied when searching.

A line with commas is a set of words that mean the same; a line with an arrow says that what stands
left of it is also searched as what stands right, and not the other way round:

    refund, money back, reimbursement
    fapiao => invoice

A synonym never adds to what the word itself earns: of a phrase and its synonyms, each document
gets the best, so naming a thing in three ways is no better than naming it in one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search.text import HAN, Token, Tokeniser, grams, normalise

WEIGHT = 0.75  # of a synonym beside the word itself
_MOST_PHRASES = 20
_LONGEST = 60  # characters of a phrase
_HAS_HAN = re.compile(f"[{HAN}]")
_HAS_LETTER = re.compile(r"[^\W_]")
N_ = str  # marks what the catalogue of translations has to have
MISTAKES: Mapping[str, tuple[str, str]] = {
    "twice": (N_("{phrase!r} also stands in line {line}"), N_("Join the lines.")),
    "arrows": (N_("has two arrows"), N_("Write one `=>` a line.")),
    "empty": (N_("a phrase is empty"), N_("Write words around each comma.")),
    "long": (N_("{phrase!r}… has over {most} characters"), N_("Shorten it.")),
    "many": (N_("has over {most} phrases"), N_("Split it by meaning.")),
    "single": (N_("has one phrase only"), N_("Add what means the same, or remove it.")),
}
"""What may be wrong with a line and how to mend it, by a code; places are those of `str.format`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: any of `phrases` is also searched as each of `targets` but itself."""

    phrases: tuple[str, ...]
    targets: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that cannot be used, and what to do about it."""

    line: int
    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return MISTAKES[self.code][0].format_map(self.values)

    @property
    def mend(self) -> str:
        return MISTAKES[self.code][1]


@dataclass(frozen=True, slots=True)
class Substitute:
    """What is searched for besides a phrase of the question."""

    text: str
    terms: dict[str, float]
    grams: dict[str, float]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A phrase of the question with its terms, and its substitutes."""

    found: str
    terms: frozenset[str]
    grams: frozenset[str]
    substitutes: tuple[Substitute, ...]

    @classmethod
    def of(cls, phrase: str, targets: Iterable[str], tokeniser: Tokeniser) -> Alternatives:
        """A phrase, normalised, with what it is searched as besides."""
        return cls(
            phrase,
            frozenset(tokeniser.content_terms(phrase)),
            frozenset(grams(phrase)),
            tuple(
                Substitute(
                    target,
                    dict.fromkeys(tokeniser.content_terms(target), 1.0),
                    dict.fromkeys(grams(target), 1.0),
                )
                for target in targets
            ),
        )


def parse_synonyms(text: str) -> tuple[list[Rule], list[Mistake]]:
    """The rules of a file, and every line that is none."""
    rules: list[Rule] = []
    mistakes: list[Mistake] = []
    owners: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        outcome = _parse_line(line, number)
        if isinstance(outcome, Mistake):
            mistakes.append(outcome)
            continue
        mistakes += [
            Mistake(number, "twice", {"phrase": phrase, "line": str(owner)})
            for phrase in outcome.phrases
            if (owner := owners.setdefault(phrase, number)) != number
        ]
        rules.append(outcome)
    return rules, mistakes


def _parse_line(line: str, number: int) -> Rule | Mistake:
    left, arrow, right = line.partition("=>")
    if "=>" in right:
        return Mistake(number, "arrows")
    sides = [[normalise(part) for part in re.split("[,，]", side)] for side in (left, right)]
    for phrase in sides[0] + (sides[1] if arrow else []):
        if not _HAS_LETTER.search(phrase):
            return Mistake(number, "empty")
        if len(phrase) > _LONGEST:
            return Mistake(number, "long", {"phrase": phrase[:20], "most": str(_LONGEST)})
    if len(sides[0]) + len(sides[1]) > _MOST_PHRASES:
        return Mistake(number, "many", {"most": str(_MOST_PHRASES)})
    if not arrow and len(sides[0]) < 2:
        return Mistake(number, "single")
    phrases = tuple(dict.fromkeys(sides[0]))
    return Rule(phrases, tuple(dict.fromkeys(sides[1])) if arrow else phrases, number)


class Thesaurus:
    """The rules of every locale, ready to be looked up."""

    def __init__(self, rules: Mapping[str, Iterable[Rule]], tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._by_locale = {locale: _Rules(found, tokeniser) for locale, found in rules.items()}

    def alternatives(
        self, normalised: str, tokens: Sequence[Token], locales: Iterable[str]
    ) -> tuple[Alternatives, ...]:
        """What else the phrases of a question are called, longer phrases first."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for locale in locales:
            if (rules := self._by_locale.get(locale)) is not None:
                for phrase, targets in rules.matching(normalised, tokens):
                    found[phrase].update(dict.fromkeys(targets))
        return tuple(
            Alternatives.of(phrase, found[phrase], self._tokeniser)
            for phrase in sorted(found, key=lambda phrase: (-len(phrase), phrase))
        )


class _Rules:
    """Rules of one locale: phrases with a Han character by text, all others by their terms."""

    def __init__(self, rules: Iterable[Rule], tokeniser: Tokeniser) -> None:
        self._spelt: dict[str, dict[str, None]] = defaultdict(dict)
        self._said: dict[str, dict[tuple[str, ...], tuple[str, dict[str, None]]]] = {}
        for rule in rules:
            for phrase in rule.phrases:
                targets = dict.fromkeys(target for target in rule.targets if target != phrase)
                if _HAS_HAN.search(phrase):
                    self._spelt[phrase].update(targets)
                elif terms := tuple(tokeniser.terms(phrase)):
                    entry = self._said.setdefault(terms[0], {}).setdefault(terms, (phrase, {}))
                    entry[1].update(targets)

    def matching(
        self, normalised: str, tokens: Sequence[Token]
    ) -> Iterable[tuple[str, Iterable[str]]]:
        for phrase, targets in self._spelt.items():
            if phrase in normalised:
                yield phrase, targets
        terms = [token.text for token in tokens]
        for place, term in enumerate(terms):
            for wanted, (phrase, targets) in self._said.get(term, {}).items():
                if tuple(terms[place : place + len(wanted)]) == wanted:
                    yield phrase, targets
