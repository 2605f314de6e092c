"""Retrieval metrics: as the field's own tools calculate them; bad data sets named by line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from search.errors import DatasetInvalid
from search.evaluate import (
    METRICS,
    auroc,
    caught_at,
    mean,
    ndcg,
    precision_at_1,
    read_beir,
    read_golden,
    recall,
    reciprocal_rank,
)
from search.types import LOCALES

ROOT = Path(__file__).parent.parent
_DOCUMENTS = [f"d{number}" for number in range(30)]
_THEIRS = {
    "nDCG@10": ir_measures.nDCG @ 10,
    "MRR@10": ir_measures.RR @ 10,
    "Recall@10": ir_measures.R @ 10,
    "P@1": ir_measures.P @ 1,
}


# --- metrics


def test_every_metric_is_compared() -> None:
    assert set(_THEIRS) == set(METRICS)


@given(
    st.permutations(_DOCUMENTS).flatmap(lambda d: st.integers(1, 30).map(lambda n: d[:n])),
    st.dictionaries(st.sampled_from(_DOCUMENTS), st.integers(0, 4), min_size=1).filter(
        lambda grades: any(grades.values())
    ),
)
@settings(max_examples=120, deadline=None)
def test_metrics_agree_with_ir_measures_on_graded_judgements(
    ranking: list[str], relevant: dict[str, int]
) -> None:
    run = {"q": {document: float(-place) for place, document in enumerate(ranking)}}
    theirs = ir_measures.calc_aggregate(list(_THEIRS.values()), {"q": relevant}, run)
    for name, metric in METRICS.items():
        assert metric(ranking, relevant) == pytest.approx(theirs[_THEIRS[name]], abs=1e-9), name


def test_metrics_of_a_ranking_worked_out_by_hand() -> None:
    ranking, relevant = ["x", "b", "a"], {"a": 2, "b": 1, "c": 1}
    ideal = 2 + 1 / math.log2(3) + 1 / 2
    assert ndcg(ranking, relevant) == pytest.approx((1 / math.log2(3) + 1) / ideal)
    assert reciprocal_rank(ranking, relevant) == 0.5
    assert recall(ranking, relevant) == pytest.approx(2 / 3)
    assert precision_at_1(ranking, relevant) == 0
    assert precision_at_1(["b"], relevant) == 1


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
@pytest.mark.parametrize(("ranking", "relevant"), [([], {"a": 1}), (["a"], {}), (["a"], {"a": 0})])
def test_nothing_found_or_nothing_to_find_scores_zero(
    metric: object, ranking: list[str], relevant: dict[str, int]
) -> None:
    assert callable(metric)
    assert metric(ranking, relevant) == 0


def test_what_stands_below_the_depth_does_not_count() -> None:
    ranking = [f"x{n}" for n in range(10)] + ["a"]
    assert (ndcg(ranking, {"a": 1}), reciprocal_rank(ranking, {"a": 1})) == (0, 0)
    assert recall(ranking, {"a": 1}) == 0
    assert recall(ranking, {"a": 1}, depth=11) == 1


_SCORES = st.lists(st.integers(0, 12).map(float), min_size=1, max_size=40)


@given(_SCORES, _SCORES)
@settings(max_examples=120, deadline=None)
def test_auroc_equals_sklearn_ties_included(positive: list[float], negative: list[float]) -> None:
    labels = [1] * len(positive) + [0] * len(negative)
    theirs = roc_auc_score(labels, positive + negative)
    assert auroc(positive, negative) == pytest.approx(theirs, abs=1e-12)


def test_figures_of_nothing_are_not_numbers() -> None:
    assert math.isnan(auroc([], [1.0]))
    assert math.isnan(auroc([1.0], []))
    assert math.isnan(caught_at([], [1.0]))
    assert math.isnan(caught_at([1.0], []))
    assert math.isnan(mean([]))


def test_caught_at_counts_below_the_threshold_that_refuses_a_twentieth() -> None:
    answerable = range(100)  # the threshold is the sixth of them
    assert caught_at(answerable, [0, 4, 5, 50]) == 0.5
    assert caught_at(answerable, [0, 4, 39, 40], false_alarms=0.4) == 0.75


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 0.9))
@settings(max_examples=80, deadline=None)
def test_the_threshold_refuses_no_more_answerable_than_allowed(
    answerable: list[float], alarms: float
) -> None:
    assert caught_at(answerable, answerable, false_alarms=alarms) <= alarms


# --- data sets


def _beir(folder: Path, **files: str) -> Path:
    content = {
        "corpus.jsonl": '{"_id": "a", "title": "T", "text": "One."}\n',
        "queries.jsonl": '{"_id": "q", "text": "what"}\n',
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq\ta\t1\n",
        **{name.replace("__", "/").replace("_", ".", 1): text for name, text in files.items()},
    }
    (folder / "qrels").mkdir(exist_ok=True)
    for name, text in content.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_beir_folder_is_read(tmp_path: Path) -> None:
    queries = [
        {"_id": "q", "text": "what"},
        {"_id": "r", "text": "unjudged"},
        {"_id": "s", "text": "nobody knows", "metadata": {"answerable": False}},
    ]
    folder = _beir(
        tmp_path,
        corpus_jsonl='{"_id": 1, "text": "One."}\n\n{"_id": "b", "title": null, "text": "B"}\n',
        queries_jsonl="\n".join(map(json.dumps, queries)),
        qrels__test_tsv="query-id\tcorpus-id\tscore\nq\t1\t2\nq\tb\t0\r\n",
    )
    documents, labelled = read_beir(folder)
    assert [(d.id, d.title, d.text) for d in documents] == [("1", "", "One."), ("b", "", "B")]
    assert [(q.id, dict(q.relevant), q.answerable) for q in labelled] == [
        ("q", {"1": 2, "b": 0}, True),
        ("s", {}, False),
    ]


def test_judgements_without_a_header_are_read_from_the_first_line(tmp_path: Path) -> None:
    _, (query,) = read_beir(_beir(tmp_path, qrels__test_tsv="q\ta\t1\n"))
    assert query.relevant == {"a": 1}


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_text_may_hold_unicode_line_separators(tmp_path: Path, separator: str) -> None:
    text = f"One.{separator}Two."
    line = json.dumps({"_id": "a", "text": text}, ensure_ascii=False)
    documents, _ = read_beir(_beir(tmp_path, corpus_jsonl=line))
    assert documents[0].text == text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("corpus_jsonl", '{"_id": "a", "text": "x"}\n{"_id": \n', r"corpus\.jsonl:2: not JSON"),
        ("corpus_jsonl", '\n{"_id": "a"}\n', r"corpus\.jsonl:2: text is missing"),
        ("corpus_jsonl", '["a"]\n', r"corpus\.jsonl:1: _id is missing"),
        ("corpus_jsonl", "", "no document or no judged query"),
        ("queries_jsonl", '{"text": "x"}\n', r"queries\.jsonl:1: _id is missing"),
        ("queries_jsonl", '{"_id": "z", "text": "x"}\n', "no document or no judged query"),
        ("qrels__test_tsv", "h\th\th\nq a 1\n", r"test\.tsv:2: not query, document and grade"),
        ("qrels__test_tsv", "q\ta\t1\nq\ta\tgood\n", r"test\.tsv:2: not query, document and grade"),
        ("qrels__test_tsv", "q\ta\t1\nq\ta\t--1\n", r"test\.tsv:2: not query, document and grade"),
        ("qrels__test_tsv", "q\ta\t1\nq\ta\t²\n", r"test\.tsv:2: not query, document and grade"),
        ("qrels__test_tsv", "q\t0\ta\t1\n", r"test\.tsv:1: not query, document and grade"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DatasetInvalid, match=message):
        read_beir(_beir(tmp_path, **{name: text}))


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
@pytest.mark.parametrize("damage", ["missing", "bytes"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, damage: str) -> None:
    path = _beir(tmp_path) / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetInvalid, match=f"{name.partition('/')[0]}.*: (cannot|no )"):
        read_beir(tmp_path)


def test_golden_questions_grade_the_first_article_highest(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "text": "a", "locale": "en", "articles": ["x", "y"], "part": "test"},
        {"id": "2", "text": "b", "locale": "zh-Hans", "articles": []},
    ]
    (tmp_path / "g.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = read_golden(tmp_path)
    assert (first.relevant, first.answerable, first.tags["part"]) == (
        {"x": 2, "y": 1},
        True,
        "test",
    )
    assert (second.relevant, second.answerable, second.locale) == ({}, False, "zh-Hans")
    assert read_golden(tmp_path / "g.jsonl") == [first, second]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": 1, "text": "x", "locale": "en"}\n', r"g\.jsonl:1: articles is missing"),
        (
            '{"id": 1, "text": "x", "locale": "en", "articles": null}\n',
            r"g\.jsonl:1: articles is not a list",
        ),
        (
            '{"id": 1, "text": "x", "locale": "en", "articles": "refund"}\n',
            r"g\.jsonl:1: articles is not a list",
        ),
        ("{}\n", r"g\.jsonl:1: id is missing"),
        ("nonsense\n", r"g\.jsonl:1: not JSON"),
        ("\n", "no golden question found"),
    ],
)
def test_a_bad_golden_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "g.jsonl").write_text(text)
    with pytest.raises(DatasetInvalid, match=message):
        read_golden(tmp_path)


def test_a_folder_without_golden_questions_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetInvalid, match="no golden question found"):
        read_golden(tmp_path)
    with pytest.raises(DatasetInvalid, match="cannot be read"):
        read_golden(tmp_path / "absent.jsonl")


def test_every_shipped_golden_question_names_articles_that_exist() -> None:
    known = {path.stem for path in (ROOT / "articles").glob("*/*/*.md")}
    questions = read_golden(ROOT / "tests" / "golden")
    assert len({question.id for question in questions}) == len(questions)
    for question in questions:
        assert question.locale in LOCALES
        assert set(question.relevant) <= known, question.id
