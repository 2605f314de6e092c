"""Which article a question is about, learned from the questions that articles list.

Every way of asking that an editor writes down is an example of its article, as in intent
recognition. Linear discriminant analysis finds the directions in which questions of different
articles differ and those in which only wording does; what remains is one vector and one number an
article, so asking costs a single product. It needs no labels beyond the articles themselves, is
fitted anew by every publish in closed form, and tells neighbouring articles apart far better than
the nearest single question does: see benchmarks/experiments.md. Source: Hastie, Tibshirani and
Friedman, The Elements of Statistical Learning (2009), 4.3; shrinkage as in Friedman (1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from search.types import Rows, Scores, Vectors

# Found on the golden questions' fit part; a plateau from half to twice the value.
_SHRINKAGE = 2.0  # of the mean variance within articles, added to every direction
_PRIOR = 1.0  # examples' worth of the mean of all articles in the mean of each
_FEW = 1000  # articles that are all scored, at a tenth of the time the encoding takes
_SAMPLE = 400  # of more than that
FEWEST_EXAMPLES = 3  # an article on average; with fewer the wording of articles cannot be told


class ArticleClassifier:
    """A linear discriminant for each article; translations of one article share theirs.

    Behind the articles' classes stand topics that no article is about.
    """

    def __init__(self, weights: Vectors, bias: Scores, inside: int) -> None:
        """(classes, d) and (classes,), the first `inside` of them articles."""
        self.weights = weights
        self.bias = bias
        self.inside = inside

    @classmethod
    def fit(
        cls,
        examples: Vectors,
        classes: Rows,
        *,
        count: int,
        outside: Vectors | None = None,
        topics: Rows | None = None,
    ) -> ArticleClassifier:
        """Learn from (n, d) vectors and the class, below `count`, of each; every class has one.

        `outside` and `topics` are the same for what no article is about. With fewer examples than
        `FEWEST_EXAMPLES` a class it knows nothing: all scores are 0.
        """
        dimension = examples.shape[1]
        if len(examples) < FEWEST_EXAMPLES * count:
            return cls(np.zeros((count, dimension), np.float32), np.zeros(count, np.float32), count)
        inside = count
        if outside is not None and topics is not None and len(outside):
            examples = np.concatenate([examples, outside])
            classes = np.concatenate([classes, count + topics])
            count += int(topics.max()) + 1
        sizes = np.bincount(classes, minlength=count).astype(np.float64)
        sums = _sums(examples, classes, count)
        means = sums / np.maximum(sizes, 1)[:, None]
        within = examples - means.astype(np.float32)[classes]
        covariance = (within.T @ within).astype(np.float64) / len(examples)
        spread = max(float(np.trace(covariance)) / dimension, 1e-12)
        covariance += _SHRINKAGE * spread * np.eye(dimension)
        drawn = (sums + _PRIOR * examples.mean(axis=0)) / (sizes + _PRIOR)[:, None]
        weights = np.linalg.solve(covariance, drawn.T).T
        bias = -0.5 * (weights * drawn).sum(axis=1)
        return cls(weights.astype(np.float32), bias.astype(np.float32), inside)

    @property
    def knows(self) -> bool:
        """Whether there was enough to learn from."""
        return bool(self.bias.any())

    def scores(self, vectors: Vectors) -> npt.NDArray[np.float32]:
        """(n, classes) log-likelihoods of (n, d) vectors, up to a constant for each vector."""
        found: npt.NDArray[np.float32] = vectors @ self.weights.T + self.bias
        return found

    @property
    def few(self) -> bool:
        """Whether all articles can be scored for every question."""
        return self.inside <= _FEW

    def score_inside(self, vector: Scores, classes: Rows | slice = slice(None)) -> Scores:
        """(inside,) or (classes,) what `scores` says of articles, for one (d,) vector."""
        weights, bias = self.weights[: self.inside], self.bias[: self.inside]
        found: Scores = weights[classes] @ vector + bias[classes]
        return found

    def score_outside(self, vector: Scores) -> Scores:
        """(topics,) what `scores` says of topics that no article is about."""
        found: Scores = self.weights[self.inside :] @ vector + self.bias[self.inside :]
        return found

    def score_sample(self, vector: Scores) -> Scores:
        """What `scores` says of some articles, evenly taken: what is usual for a question."""
        weights, bias = self._sample
        found: Scores = weights @ vector + bias
        return found

    @cached_property
    def _sample(self) -> tuple[Vectors, Scores]:
        every = max(1, self.inside // _SAMPLE)
        chosen = slice(0, self.inside, every)
        return np.ascontiguousarray(self.weights[chosen]), self.bias[chosen]


def _sums(examples: Vectors, classes: Rows, count: int) -> npt.NDArray[np.float64]:
    """(count, d) the sum of the examples of each class."""
    from scipy.sparse import csr_array  # nothing a search needs

    ones = np.ones(len(examples), np.float32)
    # As a product with a sparse matrix: NumPy's own sums of groups of rows take twenty times that.
    members = csr_array((ones, (classes, np.arange(len(examples)))), (count, len(examples)))
    found: npt.NDArray[np.float64] = (members @ examples).astype(np.float64)
    return found


def identities(ids: Sequence[str]) -> Rows:
    """(articles,) the class of each article: a number that its translations share."""
    return np.unique(np.asarray(ids), return_inverse=True)[1].astype(np.int64)
