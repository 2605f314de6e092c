"""The classifier tells articles apart by their questions, and what is outside from what is not."""

from __future__ import annotations

import numpy as np
import pytest

from search.classifier import FEWEST_EXAMPLES, ArticleClassifier, identities
from search.embed import unit
from search.types import Embedder

_TOPICS = {
    "refund-timing": [
        "how long does a refund take", "when do I get my money back", "refund still not here",
        "days until the money is on my card", "is a refund quick",
    ],
    "cancel-order": [
        "cancel my order", "I want to call off what I bought", "stop the parcel before it leaves",
        "can I still cancel", "do not send it any more",
    ],
}  # fmt: skip
_OUTSIDE = [["what is the weather like", "will it rain tomorrow", "sunny at the weekend?"]]


def _examples(embedder: Embedder) -> tuple[np.ndarray, np.ndarray]:
    texts = [text for topic in _TOPICS.values() for text in topic]
    return embedder.encode_documents(texts), np.repeat([0, 1], 5)


def test_unseen_questions_go_to_their_article(embedder: Embedder) -> None:
    vectors, classes = _examples(embedder)
    classifier = ArticleClassifier.fit(vectors, classes, count=2)
    asked = embedder.encode_queries(["where is my refund", "please cancel what I ordered"])
    assert classifier.knows
    assert classifier.scores(asked).argmax(axis=1).tolist() == [0, 1]


def test_what_is_outside_is_likelier_outside(embedder: Embedder) -> None:
    vectors, classes = _examples(embedder)
    outside = embedder.encode_documents([text for topic in _OUTSIDE for text in topic])
    classifier = ArticleClassifier.fit(
        vectors, classes, count=2, outside=outside, topics=np.zeros(3, np.int64)
    )
    assert classifier.inside == 2
    weather, refund = classifier.scores(
        embedder.encode_queries(["is it going to be cold today", "refund time"])
    )
    assert weather.argmax() == 2
    assert refund.argmax() == 0


def test_too_few_examples_teach_nothing() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(2 * FEWEST_EXAMPLES - 1, 8)))
    classes = np.arange(len(vectors)) % 2
    classifier = ArticleClassifier.fit(vectors.astype(np.float32), classes, count=2)
    assert not classifier.knows
    assert not classifier.scores(vectors.astype(np.float32)).any()


def test_scores_are_those_of_linear_discriminant_analysis() -> None:
    """Against scikit-learn's, which has no pull on the means and another name for shrinkage."""
    from sklearn.covariance import ShrunkCovariance
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(1)
    centres = rng.normal(size=(4, 6))
    classes = np.repeat(np.arange(4), 500)
    vectors = (centres[classes] + rng.normal(size=(2000, 6))).astype(np.float32)
    ours = ArticleClassifier.fit(vectors, classes, count=4)
    # Ours adds twice the mean variance; theirs mixes, which is the same up to one factor.
    theirs = LinearDiscriminantAnalysis(
        solver="lsqr", covariance_estimator=ShrunkCovariance(shrinkage=2 / 3)
    ).fit(vectors, classes)
    asked = rng.normal(size=(300, 6)).astype(np.float32)
    agree = (ours.scores(asked).argmax(axis=1) == theirs.predict(asked)).mean()
    assert agree > 0.98


def test_translations_share_a_class() -> None:
    assert identities(["b", "a", "b"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize("count", [1, 3])
def test_an_empty_question_is_scored(count: int) -> None:
    classifier = ArticleClassifier(np.zeros((count, 4), np.float32), np.zeros(count), count)
    assert classifier.scores(np.zeros((1, 4), np.float32)).shape == (1, count)
