"""Two runs compared: the tests are those of the textbooks, bad input is named."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from portal.cli import cli
from search.compare import compare, compare_models, paired_test
from search.errors import DatasetInvalid
from search.evaluate import METRICS
from search.results import QueryResult

_SCORES = st.lists(st.tuples(*2 * [st.sampled_from([0.0, 0.25, 0.5, 1.0])]), min_size=2, max_size=9)


# --- the paired test


@given(_SCORES)
@settings(max_examples=40, deadline=None)
def test_few_questions_are_tested_exactly(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    signs = np.array(list(itertools.product([1, -1], repeat=len(pairs))))
    sums = np.abs(signs @ (b - a))  # of eighths, so nothing is rounded
    expected = (sums >= abs((b - a).sum())).mean()
    found = paired_test(a, b)
    assert found.p_value == pytest.approx(expected, abs=1e-12)
    assert (found.wins, found.losses, found.ties) == (sum(b > a), sum(b < a), sum(b == a))


@given(_SCORES)
@settings(max_examples=40, deadline=None)
def test_turning_the_runs_round_turns_the_result_round(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    found, other = paired_test(a, b), paired_test(b, a)
    assert found.difference == pytest.approx(-other.difference)
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low))
    assert found.p_value == pytest.approx(other.p_value)
    assert found.low - 1e-9 <= found.difference <= found.high + 1e-9
    opposite = {"better": "worse", "worse": "better", "no difference": "no difference"}
    assert other.verdict == opposite[found.verdict]


def test_of_normal_differences_it_says_what_the_t_test_says() -> None:
    random = np.random.default_rng(3)
    a = random.normal(0.5, 0.1, 400)
    b = a + random.normal(0.01, 0.1, 400)
    found = paired_test(a, b)
    error = float((b - a).std(ddof=1)) / 20
    expected = (found.difference - 1.96 * error, found.difference + 1.96 * error)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.1 * error)
    assert found.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.01)
    assert found == paired_test(a, b)  # the seed is fixed


def test_a_small_change_everywhere_counts_and_a_large_one_here_and_there_does_not() -> None:
    a = np.linspace(0, 0.9, 40)
    assert paired_test(a, a + 0.01).verdict == "better"
    assert paired_test(a, a - 0.01).verdict == "worse"
    b = a.copy()
    b[:3] += 0.5
    b[3:5] -= 0.4
    assert paired_test(a, b).verdict == "no difference"


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5], [0.0, 1.0, 0.3]])
def test_equal_runs_show_no_difference(scores: list[float]) -> None:
    found = paired_test(scores, scores)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert (found.ties, found.verdict) == (len(scores), "no difference")


def test_one_question_never_shows_a_difference() -> None:
    assert paired_test([0.0], [1.0]).verdict == "no difference"


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 0.0]), ([[1.0]], [[1.0]])])
def test_scores_that_are_no_pairs_are_refused(a: list[Any], b: list[Any]) -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_test(a, b)


# --- runs


def _run(
    file: str,
    scores: dict[str, float | None],
    *,
    dataset: str = "set",
    model: str = "m",
    mode: str = "hybrid",
) -> list[QueryResult]:
    return [
        QueryResult(
            f"{file}:{line}", dataset, model, mode, name, f"text of {name}", {"a": 1},
            dict.fromkeys(METRICS, score),
        )
        for line, (name, score) in enumerate(scores.items(), 1)
    ]  # fmt: skip


_A: dict[str, float | None] = {"q1": 0.0, "q2": 0.5, "q3": 1.0, "q4": None}


def test_questions_are_paired_by_id_in_any_order_and_unanswerable_ones_left_out() -> None:
    b = _run("b", {"q4": None, "q3": 0.75, "q2": 0.5, "q1": 1.0})
    (found,) = compare(_run("a", _A), b, metric="MRR@10").comparisons
    assert (found.test.questions, found.test.mean_a, found.test.mean_b) == (3, 0.5, 0.75)
    assert [(moved.id, moved.a, moved.b) for moved in found.gained] == [("q1", 0.0, 1.0)]
    assert [moved.id for moved in found.lost] == ["q3"]


def test_runs_of_different_models_are_paired_where_each_has_one() -> None:
    (found,) = compare(_run("a", _A), _run("b", _A, model="n"), metric="P@1").comparisons
    assert (found.model_a, found.model_b) == ("m", "n")


def test_where_a_run_has_several_models_each_is_compared_with_itself() -> None:
    both = _run("a", _A) + _run("a", {"q1": 0.2}, model="n")
    found = compare(both, _run("b", {"q1": 0.4}, model="n"), metric="P@1")
    assert [(c.model_a, c.model_b, c.test.difference) for c in found.comparisons] == [
        ("n", "n", pytest.approx(0.2))
    ]
    assert (found.only_a, found.only_b) == (("set, hybrid, m",), ())


def test_what_only_one_run_has_is_said() -> None:
    found = compare(
        _run("a", _A) + _run("a", _A, mode="keyword"),
        _run("b", _A) + _run("b", _A, dataset="other"),
        metric="P@1",
    )
    assert [(c.dataset, c.mode) for c in found.comparisons] == [("set", "hybrid")]
    assert (found.only_a, found.only_b) == (("set, keyword",), ("other, hybrid",))


def test_the_models_of_one_run_are_compared_with_its_first() -> None:
    rows = [row for model in ("m", "n", "o") for row in _run("a", _A, model=model)]
    found = compare_models(rows, metric="nDCG@10")
    assert [(c.model_a, c.model_b) for c in found.comparisons] == [("m", "n"), ("m", "o")]
    with pytest.raises(DatasetInvalid, match=r"a: holds one model only \(m\)"):
        compare_models(rows[:4], metric="nDCG@10")


def _changed(**changes: Any) -> list[QueryResult]:
    rows = _run("b", _A)
    rows[1] = replace(rows[1], **changes)
    return rows


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (_run("b", _A)[1:], r"a:1: query 'q1' \(set, hybrid\) is not in b"),
        (_run("b", {**_A, "q9": 1.0}), r"b:5: query 'q9' \(set, hybrid\) is not in a"),
        (_changed(text="another"), "b:2: query 'q2' has other text than at a:2"),
        (_changed(relevant={"b": 1}), "b:2: query 'q2' has other judgements than at a:2"),
        (_changed(metrics={"MRR@10": 1.0}), r"b:2: metrics has no nDCG@10"),
        (_run("b", _A, mode="vector"), r"b: nothing to compare with a, .*\(set, hybrid\)"),
    ],
)
def test_runs_of_different_questions_are_refused(b: list[QueryResult], message: str) -> None:
    with pytest.raises(DatasetInvalid, match=message):
        compare(_run("a", _A), b, metric="nDCG@10")


def test_questions_without_any_answer_cannot_be_compared() -> None:
    rows = _run("a", {"q1": None})
    with pytest.raises(DatasetInvalid, match="a:1: no question of set, hybrid has an answer"):
        compare(rows, rows, metric="nDCG@10")


# --- on the command line


def _write(path: Path, scores: dict[str, float], model: str = "m") -> str:
    rows = [
        {
            "dataset": "set", "model": model, "mode": "hybrid", "id": name, "text": f"{name} " * 40,
            "relevant": {"a": 1}, "metrics": {"nDCG@10": score, "MRR@10": 0.5},
        }
        for name, score in scores.items()
    ]  # fmt: skip
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two runs over 30 questions, the second better by a little on each but one."""
    before = {f"q{number}": number / 40 for number in range(30)}
    after = {name: score + 0.05 for name, score in before.items()} | {"q7": 0.0}
    return [_write(tmp_path / "a.jsonl", before), _write(tmp_path / "b.jsonl", after)]


def test_a_change_that_helped_is_seen_at_once(files: list[str]) -> None:
    done = CliRunner().invoke(cli, ["compare", *files, "--show", "2"])
    assert done.exit_code == 0, done.output
    assert "set, hybrid: B is better than A: nDCG@10 0.3625 to 0.4050 (+0.0425," in done.stdout
    assert "| set, hybrid | 0.3625 | 0.4050 | +0.0425 |" in done.stdout
    assert "| 29 | 1 | 0 |" in done.stdout
    assert done.stdout.count("  +0.0500  q") == 2
    assert "  -0.1750  q7  q7 q7" in done.stdout


def test_a_metric_that_did_not_move_shows_no_difference(files: list[str]) -> None:
    done = CliRunner().invoke(cli, ["compare", *files, "--metric", "MRR@10"])
    assert "no difference between A and B that 30 questions can show: MRR@10" in done.stdout


def test_the_comparison_as_json_has_every_question_that_moved(files: list[str]) -> None:
    done = CliRunner().invoke(cli, ["compare", *files, "--json"])
    (found,) = json.loads(done.stdout)["comparisons"]
    assert found["test"]["verdict"] == "better"
    assert found["test"]["p_value"] < 0.01
    assert (len(found["gained"]), [moved["id"] for moved in found["lost"]]) == (29, ["q7"])


def test_models_of_one_file_are_compared_by_name(tmp_path: Path) -> None:
    for model, score in (("some/folder/of/a", 0.2), ("b", 0.6), ("c", 0.2)):
        scores = {f"q{number}": score for number in range(9)}
        path = _write(tmp_path / "run.jsonl", scores, model=model)
    done = CliRunner().invoke(cli, ["compare", path])
    assert "set, hybrid, of/a (A), b (B): B is better than A" in done.stdout
    assert "set, hybrid, of/a (A), c (B): no difference between A and B" in done.stdout
    assert "Each of the 2 verdicts" in done.stdout


def test_a_broken_line_is_one_message_and_exit_code_2(files: list[str]) -> None:
    with Path(files[1]).open("a") as file:
        file.write("{broken\n")
    done = CliRunner().invoke(cli, ["compare", *files])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"kb: {files[1]}:31: not JSON")
    assert done.stderr.count("\n") == 1
