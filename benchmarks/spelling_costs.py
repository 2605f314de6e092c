"""Fits the costs of slips in `search/channel.py` and prints them beside those in force.

`python benchmarks/spelling_costs.py dictionary.txt`, the file being that of the package codespell
(`codespell_lib/data/dictionary.txt`: misspellings met in source code and its comments). A
conditional logit: the costs under which the right words are, together, the most probable among
their rivals. Pairs are drawn by the square root of the right word's probability, since the list
has as many for rare words as for common ones. The lists that `benchmarks/spelling.py` measures
with are not looked at.
"""

from __future__ import annotations

import math
import random
import re
import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from search.channel import COSTS, LEAST, Costs, slip_cost
from search.lexicon import english

PAIRS = 2500
RIVALS = 30  # right words compared, those with the best prospects
ROUNDS = 2  # the cheapest slips depend on the costs
NAMES = [field.name for field in fields(Costs)]
_STEP = 1e-6
_PLAIN = re.compile(r"([a-z']{4,})->([a-z']+),?\s*")
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """A misspelling: what each rival's slips count, its prior, and which rival is right."""

    slips: Matrix  # rivals x kinds of slips
    priors: Matrix
    right: int


def pairs(path: Path) -> list[tuple[str, str]]:
    """Misspellings of one meaning, (typed, right), that are no words themselves."""
    known = english().log_probabilities
    found = [
        (match[1], match[2])
        for line in path.read_text("utf-8").splitlines()
        if (match := _PLAIN.fullmatch(line)) and match[2] in known and match[1] not in known
    ]
    weights = [math.exp(known[right] / 2) for _, right in found]
    return list(dict.fromkeys(random.Random(7).choices(found, weights, k=PAIRS)))


def slips(right: str, typed: str, costs: Costs) -> list[float]:
    """How often each kind occurs among the cheapest slips: the slope of their cost."""
    base = slip_cost(right, typed, costs)
    values = asdict(costs)
    return [
        (slip_cost(right, typed, replace(costs, **{name: values[name] + _STEP})) - base) / _STEP
        for name in NAMES
    ]


def choice(typed: str, right: str, costs: Costs) -> Choice | None:
    """A pair with the rivals of its right word; None if that is not among them."""
    known = english().log_probabilities
    near = english().near(typed, 2 if len(typed) < 8 else 3)
    rivals = sorted(near, key=lambda word: LEAST * near[word] - known[word])[:RIVALS]
    if right not in rivals:
        return None
    return Choice(
        slips=np.array([slips(word, typed, costs) for word in rivals]),
        priors=np.array([known[word] for word in rivals]),
        right=rivals.index(right),
    )


def fit(choices: list[Choice]) -> Costs:
    def loss(values: Matrix) -> tuple[float, Matrix]:
        total, slope = 0.0, np.zeros(len(NAMES))
        for one in choices:
            scores = one.priors - one.slips @ values
            scores -= scores.max()
            shares = np.exp(scores) / np.exp(scores).sum()
            total -= math.log(shares[one.right])
            slope += one.slips[one.right] - shares @ one.slips
        return total / len(choices), slope / len(choices)

    start = np.array([getattr(COSTS, name) for name in NAMES])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.5, 12)] * len(NAMES))
    return Costs(**dict(zip(NAMES, map(float, found.x), strict=True)))


def main(path: Path) -> None:
    costs = COSTS
    chosen = pairs(path)
    for _ in range(ROUNDS):
        choices = [made for pair in chosen if (made := choice(*pair, costs))]
        costs = fit(choices)
    print(f"{len(choices)} of {len(chosen)} pairs have the right word among the rivals\n")
    print("| slip | in force | fitted |\n|---|---|---|")
    for name in NAMES:
        print(f"| {name} | {getattr(COSTS, name):.2f} | {getattr(costs, name):.2f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
