"""Per-query results: written whole or not at all, read back as they were, bad lines named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import DatasetInvalid
from search.evaluate import METRICS, LabelledQuery, select
from search.measure import Outcome, breakdown
from search.results import ResultsUnwritable, read_results, result_row, writing_results


def _outcome(query: LabelledQuery, *ranking: str, confidence: float = 0.5) -> Outcome:
    return Outcome(query, ranking, confidence, bool(ranking), next(iter(ranking), None), 1.5, {})


_ASKED = LabelledQuery(
    "q1", "多久\u2028到账?", {"a": 2, "b": 1}, locale="zh-Hans", tags={"part": "fit"}
)
_UNANSWERABLE = LabelledQuery("q2", "who won?", {}, answerable=False)


def _row(**changes: Any) -> str:
    row = result_row("set", "model", "hybrid", _outcome(_ASKED, "a"))
    return json.dumps({k: v for k, v in (row | changes).items() if v != "absent"})


# --- writing


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.jsonl"
    with writing_results(path) as write:
        for outcome in (_outcome(_ASKED, "b", "x", "a"), _outcome(_UNANSWERABLE, "x")):
            write(result_row("set", "model", "hybrid", outcome))
    first, second = read_results(path)
    assert (first.dataset, first.model, first.mode, first.id) == ("set", "model", "hybrid", "q1")
    assert (first.text, first.relevant) == (_ASKED.text, _ASKED.relevant)
    assert first.place == f"{path}:1"
    expected = {name: metric(["b", "x", "a"], _ASKED.relevant) for name, metric in METRICS.items()}
    assert first.metrics == expected
    assert set(second.metrics.values()) == {None}


def test_a_row_says_what_was_claimed_and_carries_its_tags() -> None:
    row = result_row("set", "model", "vector", _outcome(_ASKED, "b", confidence=0.8))
    assert (row["ranking"], row["answered_by"], row["resolved"]) == (["b"], "b", True)
    assert (row["confidence"], row["milliseconds"], row["part"]) == (0.8, 1.5, "fit")
    assert "kind" not in row


def test_an_interrupted_run_leaves_the_earlier_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("earlier")

    def interrupted() -> None:
        with writing_results(path) as write:
            write({"id": "q1"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ResultsUnwritable, match=r"run\.jsonl: cannot be written"),
        writing_results(tmp_path / "file" / "run.jsonl"),
    ):
        pytest.fail("the block has been entered")


# --- reading


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([_row(), '{"dataset": "x"'], r"run\.jsonl:2: not JSON"),
        (["", _row(mode="absent")], r"run\.jsonl:2: mode is missing"),
        ([_row(metrics="absent")], r"run\.jsonl:1: metrics is missing"),
        ([_row(id=7)], r"run\.jsonl:1: id is not a string"),
        ([_row(metrics=[0.5])], r"run\.jsonl:1: metrics does not hold numbers"),
        ([_row(metrics={"nDCG@10": "0.5"})], r"run\.jsonl:1: metrics does not hold numbers"),
        ([_row(metrics={"nDCG@10": True})], r"run\.jsonl:1: metrics does not hold numbers"),
        ([_row(metrics={"nDCG@10": float("nan")})], r"run\.jsonl:1: metrics does not hold"),
        ([_row(relevant={"a": 0.5})], r"run\.jsonl:1: relevant does not hold numbers"),
        ([_row(), _row()], r"run\.jsonl:2: query 'q1' stands here again; it is at .*run\.jsonl:1"),
        (["", ""], r"run\.jsonl: no result found"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(DatasetInvalid, match=message):
        read_results(path)


def test_one_question_may_stand_under_several_modes_and_models(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join([_row(), _row(mode="keyword"), _row(model="other")]))
    assert len(read_results(path)) == 3


# --- which questions


def _queries(ids: list[str]) -> list[LabelledQuery]:
    return [
        LabelledQuery(
            name, "?", {"a": 1}, locale=("en", "zh-Hans")[number % 2],
            tags={"part": ("fit", "test", "test")[number % 3], "kind": ["unhashable"]},
        )
        for number, name in enumerate(ids)
    ]  # fmt: skip


@given(
    st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=30),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_a_smaller_sample_lies_within_a_larger_one_and_keeps_the_order(
    ids: list[str], size: int, other: int
) -> None:
    queries, source = _queries(ids), Path("set")
    small, large = sorted((size, other))
    few = select(queries, source=source, sample=small)
    many = select(queries, source=source, sample=large)
    assert len(few) == min(small, len(ids))
    assert {q.id for q in few} <= {q.id for q in many}
    assert few == [q for q in queries if q in few]


def test_parts_and_languages_are_selected_together() -> None:
    queries = _queries([str(number) for number in range(12)])
    chosen = select(queries, source=Path("set"), part="test", locale="en")
    assert [query.id for query in chosen] == ["2", "4", "8", "10"]


def test_no_question_left_is_said_with_what_was_asked_for() -> None:
    queries = [LabelledQuery("1", "?", {"a": 1})]
    with pytest.raises(DatasetInvalid, match="set: has no question of part test and locale en"):
        select(queries, source=Path("set"), part="test", locale="en")


def test_summaries_are_broken_down_by_tags_that_tell_questions_apart() -> None:
    queries = _queries([str(number) for number in range(12)])
    outcomes = [_outcome(q, "a" if q.locale == "en" else "x") for q in queries]
    groups = breakdown("hybrid", outcomes)
    assert set(groups) == {"locale", "part"}
    assert {name: s.metrics["P@1"] for name, s in groups["locale"].items()} == {
        "en": 1.0,
        "zh-Hans": 0.0,
    }
    assert [s.questions for s in groups["part"].values()] == [4, 8]
    assert "locale" not in breakdown("hybrid", [o for o in outcomes if o.query.locale == "en"])
