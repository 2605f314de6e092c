"""How a word comes to be mistyped: the cost of the slips between what was meant and what stands.

The error model of a noisy channel (Kernighan, Church and Gale, "A Spelling Correction Program
Based on a Noisy Channel Model", 1990), with a cost for each kind of slip in place of a matrix of
letters. Neighbours on the keyboard as a kind of their own, and a bonus for an equal Metaphone key,
were tried and moved the share of right words by less than one in a hundred.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs in nats: -log of a slip's probability, up to a constant that all words share.

    Fitted by `benchmarks/spelling_costs.py`, rounded.
    """

    missed_weak: float = 2.9
    """A vowel left out, or one of two equal letters: `choclate`, `adress`."""
    missed: float = 4.2
    added_double: float = 3.6
    """One letter too many beside its like: `refundd`."""
    added_vowel: float = 6.0
    added: float = 6.5
    vowel: float = 5.3
    """A vowel for another: `definately`."""
    alike: float = 4.8
    """A consonant for one that may sound the same: `nesessary`."""
    replaced: float = 7.5
    swapped: float = 3.1
    """Two neighbours in the wrong order: `recieve`."""
    apostrophe: float = 1.0
    """One missing or too many: `dont`."""
    first: float = 2.2
    """Added to any of these that touches the first letter."""


COSTS = Costs()
LEAST: float = min(
    cost for name, cost in asdict(COSTS).items() if name not in ("apostrophe", "first")
)
"""What one slip costs at least, apostrophes apart."""
_LEAST_ADDED = min(COSTS.added_double, COSTS.added_vowel, COSTS.added)

_VOWELS = frozenset("aeiouy")
_SOUNDS = ("ckqsxz", "gj", "fvp", "bp", "mn", "td", "lr")
_ALIKE = frozenset((a, b) for group in _SOUNDS for a in group for b in group)


def slip_cost(right: str, typed: str, costs: Costs = COSTS) -> float:
    """Cost of the cheapest slips that turn `right` into `typed`, no letter touched twice."""
    start = _common(right, typed)
    tail = _common(right[start:][::-1], typed[start:][::-1])
    rows, columns = len(right) - tail - start, len(typed) - tail - start
    missed = [_missed(right, start + i, costs) for i in range(rows)]
    added = [_added(typed, start + j, costs) for j in range(columns)]
    before: list[float] = []
    row = [0.0]
    for cost in added:
        row.append(row[-1] + cost)
    for i in range(rows):
        meant = right[start + i]
        before, above, row = row, before, [row[0] + missed[i]]
        for j in range(columns):
            stands = typed[start + j]
            at_first = 0.0 if start + min(i, j) else costs.first
            kept = 0.0 if meant == stands else _replaced(meant, stands, costs) + at_first
            best = min(before[j] + kept, before[j + 1] + missed[i], row[j] + added[j])
            if i and j and meant == typed[start + j - 1] and stands == right[start + i - 1]:
                swapped = costs.swapped + (costs.first if start + min(i, j) == 1 else 0.0)
                best = min(best, above[j - 1] + swapped)
            row.append(best)
    return row[columns]


def least_cost(right: str, typed: str, edits: int) -> float:
    """What `slip_cost` comes to at least, for words that are `edits` letters apart."""
    if "'" in right or "'" in typed:
        return LEAST * (edits - right.count("'") - typed.count("'"))
    added = max(0, len(typed) - len(right))
    first = COSTS.first if right[:1] != typed[:1] else 0.0
    return _LEAST_ADDED * added + LEAST * (edits - added) + first


def _common(one: str, other: str) -> int:
    """Letters that both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _missed(right: str, i: int, costs: Costs) -> float:
    letter = right[i]
    if letter == "'":
        return costs.apostrophe
    weak = letter in _VOWELS or letter in (right[i - 1 : i], right[i + 1 : i + 2])
    return (costs.missed_weak if weak else costs.missed) + (0.0 if i else costs.first)


def _added(typed: str, j: int, costs: Costs) -> float:
    letter = typed[j]
    if letter == "'":
        return costs.apostrophe
    cost = costs.added_vowel if letter in _VOWELS else costs.added
    if letter in (typed[j - 1 : j], typed[j + 1 : j + 2]):
        cost = costs.added_double
    return cost + (0.0 if j else costs.first)


def _replaced(meant: str, stands: str, costs: Costs) -> float:
    if meant in _VOWELS and stands in _VOWELS:
        return costs.vowel
    return costs.alike if (meant, stands) in _ALIKE else costs.replaced
