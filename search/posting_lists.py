"""Which documents a term stands in, how often and where, for all terms of a field as arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """All postings of one field, by the bytes of the terms and then by document."""

    terms: Sequence[bytes]
    starts: Integers
    """(terms + 1,) where each term's postings start; the last is their number."""
    documents: Integers
    """(postings,)"""
    frequencies: Integers
    """(postings,)"""
    positions: Integers | None
    """(occurrences,) in the order of the postings, ascending in each; None where not kept."""


def group(documents: Sequence[Sequence[str]], *, positions: bool) -> Postings:
    """The postings of documents given as lists of terms."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    lengths = np.fromiter(map(len, documents), np.int64, len(documents))
    total = int(lengths.sum())
    occurrences = np.fromiter(
        map(numbers.__getitem__, chain.from_iterable(documents)), np.int32, total
    )
    terms = [term.encode() for term in numbers]
    order = sorted(range(len(terms)), key=terms.__getitem__)
    rank = np.empty(len(terms), np.int32)
    rank[order] = np.arange(len(terms))
    keys = rank[occurrences]
    owners = np.repeat(np.arange(len(documents), dtype=np.int32), lengths)
    by_term = np.argsort(keys, kind="stable")
    keys, owners = keys[by_term], owners[by_term]
    first = np.flatnonzero((np.diff(keys, prepend=-1) != 0) | (np.diff(owners, prepend=-1) != 0))
    return Postings(
        terms=[terms[number] for number in order],
        starts=np.searchsorted(keys[first], np.arange(len(terms) + 1)),
        documents=owners[first],
        frequencies=np.diff(first, append=total),
        positions=within(lengths)[by_term] if positions else None,
    )


def pieces(postings: Postings, size: int) -> Iterator[Postings]:
    """The same postings, so many terms at a time."""
    ends = np.concatenate([[0], np.cumsum(postings.frequencies)])
    for low in range(0, len(postings.terms), size):
        starts = postings.starts[low : low + size + 1]
        first, last = int(starts[0]), int(starts[-1])
        places = postings.positions
        yield Postings(
            terms=postings.terms[low : low + size],
            starts=starts - first,
            documents=postings.documents[first:last],
            frequencies=postings.frequencies[first:last],
            positions=None if places is None else places[ends[first] : ends[last]],
        )


def combine(parts: Sequence[tuple[Postings, Integers]], *, positions: bool) -> Postings:
    """The postings of several sets of documents in one.

    With each set come the new numbers of its documents, -1 for those to be left out; they ascend
    within a set and from set to set.
    """
    terms = sorted({term for part, _ in parts for term in part.terms})
    rank = {term: number for number, term in enumerate(terms)}
    keys, owners, frequencies, offsets = [], [], [], []
    places: list[Integers] = [np.empty(0, np.int64)]
    for part, numbers in parts:
        ranks = np.fromiter(map(rank.__getitem__, part.terms), np.int64, len(part.terms))
        keys.append(np.repeat(ranks, np.diff(part.starts)))
        owners.append(numbers[part.documents])
        frequencies.append(part.frequencies)
        if part.positions is not None:
            ends = np.cumsum(part.frequencies) + sum(map(len, places))
            offsets.append(ends - part.frequencies)
            places.append(part.positions)
    all_keys, all_owners = np.concatenate(keys), np.concatenate(owners)
    order = np.argsort(all_keys, kind="stable")
    order = order[all_owners[order] >= 0]
    present, starts = np.unique(all_keys[order], return_index=True)
    counts = np.concatenate(frequencies)[order]
    chosen = None
    if positions:
        first = np.repeat(np.concatenate(offsets)[order], counts)
        chosen = np.concatenate(places)[first + within(counts)]
    return Postings(
        terms=[terms[number] for number in present.tolist()],
        starts=np.append(starts, len(order)),
        documents=all_owners[order],
        frequencies=counts,
        positions=chosen,
    )


def within(counts: Integers) -> Integers:
    """0, 1, 2 ... in each of some groups of the given sizes."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
