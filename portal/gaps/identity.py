"""Which gap a cluster of today is: a gap keeps its number while its questions keep together.

A cluster is the gap that most of its known questions are in, each weighing as many as asked it.
Where one gap's questions are in several clusters, it goes on as the one with the largest part and
the others are new gaps that split off. Where questions of several gaps are in one cluster, it is
the gap with the largest part, and one that loses all of its questions to it was merged into it.

Editors come first: a question stays where one has put it, and a gap that one has worked on keeps
all of its questions, whatever the clusters say; new questions join it. Nothing here touches the
database, and the result depends on nothing but what is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Where questions are now: `gaps` by question; `fixed` may not be moved to another gap.

    `settled` are the gaps that editors have worked on, which keep all of their questions.
    """

    gaps: Mapping[str, int]
    fixed: frozenset[str] = frozenset()
    settled: frozenset[int] = frozenset()

    def stays(self, key: str) -> bool:
        """Whether a question is not to be moved."""
        return key in self.fixed or self.gaps.get(key) in self.settled


@dataclass(frozen=True, slots=True)
class Placed:
    """Where questions go. Clusters are named by their places.

    `numbers` are the gaps of clusters, None for one that is a new gap, or that has no question
    left which may move. `moved` are the clusters that questions go with; those that stay are not
    in it. `split` says which gap a new one came out of, `merged` what a gap went into: a gap or
    a cluster's place, by its former number.
    """

    numbers: tuple[int | None, ...]
    moved: Mapping[str, int]
    split: Mapping[int, int]
    merged: Mapping[int, int]


def place(clusters: Sequence[Sequence[str]], weights: Mapping[str, int], known: Known) -> Placed:
    """Give every cluster its gap. `weights` are visitors by question, 1 where not given."""
    shared = [_shared(cluster, weights, known) for cluster in clusters]
    numbers = _numbers(shared, known)
    moved = {
        key: number
        for number, cluster in enumerate(clusters)
        for key in cluster
        if not known.stays(key)
    }
    split = {
        number: max(parts, key=lambda gap: (parts[gap], -gap))
        for number, parts in enumerate(shared)
        if numbers[number] is None and parts
    }
    return Placed(tuple(numbers), moved, split, _merged(clusters, numbers, moved, weights, known))


def _shared(cluster: Sequence[str], weights: Mapping[str, int], known: Known) -> Counter[int]:
    parts: Counter[int] = Counter()
    for key in cluster:
        gap = known.gaps.get(key)
        if gap is not None:
            parts[gap] += max(1, weights.get(key, 1))
    return parts


def _numbers(shared: Sequence[Counter[int]], known: Known) -> list[int | None]:
    """The largest parts choose first; only gaps that editors worked on take several clusters."""
    numbers: list[int | None] = [None] * len(shared)
    taken: set[int] = set()
    pairs = [
        (-weight, gap, number)
        for number, parts in enumerate(shared)
        for gap, weight in parts.items()
    ]
    for _weight, gap, number in sorted(pairs):
        if numbers[number] is None and gap not in taken:
            numbers[number] = gap
            if gap not in known.settled:
                taken.add(gap)
    return numbers


def _merged(
    clusters: Sequence[Sequence[str]],
    numbers: Sequence[int | None],
    moved: Mapping[str, int],
    weights: Mapping[str, int],
    known: Known,
) -> dict[int, int]:
    """Gaps that have lost every question, and the cluster that took the most of each."""
    left: Counter[int] = Counter(known.gaps.values())
    taken: dict[int, Counter[int]] = defaultdict(Counter)
    for key, number in moved.items():
        gap = known.gaps.get(key)
        if gap is not None and numbers[number] != gap:
            left[gap] -= 1
            taken[gap][number] += max(1, weights.get(key, 1))
    for number, gap in enumerate(numbers):
        if gap is not None and any(moved.get(key) == number for key in clusters[number]):
            left[gap] += 1  # goes on, with questions it did not have
    return {
        gap: max(parts, key=lambda number: (parts[number], -number))
        for gap, parts in taken.items()
        if left[gap] <= 0
    }
