"""What the bundled model makes of a token before it looks at its neighbours, kept for reuse.

Embedding, projection, its normalisation and the products with the first layer of the convolutions
depend on the token alone, and make up three fifths of an encoding. Language repeats itself: with
these rows at hand, a token costs the sum of a few of them and the second layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from search.use_weights import ORDERS, WIDTH, Floats, Weights

Integers = npt.NDArray[np.signedinteger[Any]]
NOTHING = -1
"""The identifier of no token: what stands outside a text."""
LEFT = tuple((order - 1) // 2 for order in ORDERS)
"""Positions before a token that each convolution looks at."""
PARTS = len(ORDERS) + sum(ORDERS)
"""Stretches of `WIDTH` numbers a token has in `near`."""


class TokenRows:
    """At most `capacity` tokens, those not used for longest replaced. Not safe between threads.

    Memory is taken as rows are filled, about 16 KB each.
    """

    def __init__(self, weights: Weights, capacity: int) -> None:
        self._weights = weights
        size = weights.table.shape[1]
        self.embedding: Floats = np.zeros((capacity, size), np.float32)
        self.moments: Floats = np.zeros((capacity, 2), np.float32)
        """(capacity, 2) the sum of each embedding and of its squares."""
        self.near: Floats = np.zeros((capacity * PARTS, WIDTH), np.float32)
        """(capacity * PARTS, WIDTH) for each token the three inputs of the convolutions, then what
        it adds to their first layer from each position; row 0 stands for no token and adds
        nothing."""
        self._row_of = np.full(len(weights.table) + 1, -1, np.int32)
        self._row_of[NOTHING] = 0
        self._token_at = np.full(capacity, NOTHING, np.int64)
        self._used = np.zeros(capacity, np.int64)
        self._filled = 1
        self._clock = 0

    def find(self, tokens: Integers) -> Integers:
        """(n,) the rows of at most `capacity - 1` different tokens, computed where need be."""
        self._clock += 1
        rows = self._row_of[tokens]
        if rows.min() < 0:
            self._used[rows[rows >= 0]] = self._clock
            self._add(np.unique(tokens[rows < 0]))
            rows = self._row_of[tokens]
        self._used[rows] = self._clock
        return rows

    def _add(self, tokens: Integers) -> None:
        rows = self._vacate(len(tokens))
        weights = self._weights
        chunks = tokens % len(weights.scale)
        embedding = weights.table[tokens].astype(np.float32)
        embedding *= weights.scale[chunks, None]
        embedding += weights.lowest[chunks, None]
        inputs = embedding @ weights.projection
        inputs += weights.projection_bias
        _normalise(inputs, weights)
        self.embedding[rows] = embedding
        self.moments[rows, 0] = embedding.sum(axis=1)
        self.moments[rows, 1] = np.einsum("ij,ij->i", embedding, embedding)
        near = self.near.reshape(-1, PARTS, WIDTH)
        near[rows, : len(ORDERS)] = inputs.reshape(-1, len(ORDERS), WIDTH)
        part = len(ORDERS)
        for branch, order in enumerate(ORDERS):
            own = inputs[:, branch * WIDTH : (branch + 1) * WIDTH]
            for place in range(order):
                adds = own @ weights.first[part - len(ORDERS)]
                if place == LEFT[branch]:  # every token has a centre: the bias is added once
                    adds += weights.first_bias[branch]
                near[rows, part] = adds
                part += 1
        self._row_of[tokens] = rows
        self._token_at[rows] = tokens

    def _vacate(self, count: int) -> Integers:
        """Rows for `count` new tokens, none of them used by the call under way."""
        capacity = len(self._used)
        if self._filled + count <= capacity:
            self._filled += count
            return np.arange(self._filled - count, self._filled)
        self._filled = capacity
        self._used[0] = self._clock
        rows = np.argpartition(self._used, count)[:count]
        gone = self._token_at[rows]
        self._row_of[gone[gone != NOTHING]] = -1
        return rows


def _normalise(inputs: Floats, weights: Weights) -> None:
    """Layer normalisation of each row, in place."""
    inputs -= inputs.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", inputs, inputs) / inputs.shape[1]
    inputs *= np.reciprocal(np.sqrt(variance + weights.epsilon))[:, None]
    inputs *= weights.input_gain
    inputs += weights.input_bias
