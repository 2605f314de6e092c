"""Refitting ranking and confidence: what is learned, what is refused, what the command writes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from conftest import ROOT
from portal.cli import cli
from search.calibrate import fit, fit_calibration
from search.confidence import BARE, FEATURES, Calibration, read_calibrations, shipped_calibrations
from search.errors import IndexDamaged
from search.evaluate import LabelledQuery
from search.fit_ranking import FEATURES as RANKED
from search.fit_ranking import Example, fit_ranking, mean_ndcg
from search.measure import Outcome
from search.ranking import Shape, Weight, read_ranking, shipped_ranking

_LOST = Calibration(dict.fromkeys(FEATURES, Weight(0, 0)), 0.0, 0.0, 0.5)


def _outcomes(count: int, *, seed: int, part: str) -> list[Outcome]:
    """Half right with `sentence` near .8, half unanswerable near .4; all else is noise."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        right = number % 2 == 0
        features = dict(zip(FEATURES, rng.random(len(FEATURES)), strict=True))
        features["sentence"] = rng.normal(0.8 if right else 0.4, 0.1)
        features["longness"] = rng.random()
        query = LabelledQuery(
            str(number), "q", {"a": 1} if right else {}, right, "en", {"part": part}
        )
        found.append(Outcome(query, ("a",), 0.5, False, None, 1.0, features))
    return found


@pytest.mark.parametrize("bare", [False, True])
def test_the_fit_finds_what_tells_them_apart(bare: bool) -> None:
    train = _outcomes(400, seed=1, part="fit")
    found = fit([train], _outcomes(200, seed=2, part="test"), _LOST, bare=bare)
    assert found is not None
    assert found.better
    assert found.auroc > 0.98
    weights = found.calibration.weights
    assert all(weight.short >= 0 and weight.long >= 0 for weight in weights.values())
    largest = max(weights, key=lambda name: weights[name].at(0.5))
    assert largest == "sentence"


def test_what_fits_no_better_is_told_so() -> None:
    train = _outcomes(400, seed=1, part="fit")
    best = fit_calibration([train], bare=False)
    found = fit([_outcomes(40, seed=3, part="fit")], _outcomes(200, seed=2, part="test"), best)
    assert found is not None
    assert not found.better


def test_too_few_questions_fit_nothing() -> None:
    few = _outcomes(12, seed=1, part="fit")
    assert fit([few], _outcomes(200, seed=2, part="test"), _LOST) is None


def _example(rng: np.random.Generator, *, telling: str) -> Example:
    """Six articles; the relevant one stands out by one feature."""
    features = {name: rng.normal(size=6).astype(np.float32) for name in RANKED}
    features[telling][2] += 3
    query = LabelledQuery("q", "q", {"c": 1}, True, "en", {"part": "fit"})
    return Example(
        query, tuple("abcdef"), features, Shape(5, 10.0, 0.0, 0.0, 100, 1.0, taught=True)
    )


def test_the_ranking_learns_which_feature_tells() -> None:
    rng = np.random.default_rng(4)
    present = shipped_ranking()
    examples = [_example(rng, telling="best_sentence") for _ in range(200)]
    held_out = [_example(rng, telling="best_sentence") for _ in range(100)]
    found = fit_ranking(examples, present)

    def share(weights: Mapping[str, Weight]) -> float:
        return weights["best_sentence"].short / sum(weight.short for weight in weights.values())

    assert share(found.taught) > share(present.taught)
    assert found.weights == present.weights
    assert mean_ndcg(held_out, found) > mean_ndcg(held_out, present) + 0.05


def test_a_fit_without_anything_relevant_is_refused() -> None:
    example = _example(np.random.default_rng(0), telling="classifier")
    lost = dataclasses.replace(example, query=dataclasses.replace(example.query, relevant={"z": 1}))
    with pytest.raises(ValueError, match="no example"):
        fit_ranking([lost], shipped_ranking())


def test_a_sites_own_files_stand_over_the_shipped_ones(tmp_path: Path) -> None:
    shipped = shipped_calibrations()
    own = dataclasses.replace(shipped["en"], threshold=0.9)
    (tmp_path / "confidence.json").write_text(json.dumps({"en": own.to_dict()}))
    found = read_calibrations(tmp_path / "confidence.json")
    assert found["en"].threshold == 0.9
    assert found[BARE] == shipped[BARE]
    ranking = shipped_ranking()
    (tmp_path / "ranking.json").write_text(json.dumps(ranking.to_dict()))
    assert read_ranking(tmp_path / "ranking.json") == ranking
    assert read_ranking(tmp_path / "absent.json") == ranking


@pytest.mark.parametrize("text", ["", "[]", '{"weights": {}}', '{"en": {"weights": {"x": 1}}}'])
@pytest.mark.parametrize("name", ["ranking", "confidence"])
def test_a_broken_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / f"{name}.json"
    path.write_text(text)
    with pytest.raises(IndexDamaged, match=f"{name}.json"):
        (read_ranking if name == "ranking" else read_calibrations)(path)


@pytest.mark.slow
def test_the_command_writes_only_what_is_better(runner: CliRunner, tmp_path: Path) -> None:
    output, golden = tmp_path / "tuned", tmp_path / "golden"
    golden.mkdir()
    for file in (ROOT / "tests" / "golden").glob("*.jsonl"):
        lines = file.read_text("utf-8").splitlines()[::3]
        (golden / file.name).write_text("\n".join(lines), "utf-8")
    result = runner.invoke(cli, ["calibrate", str(golden), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "ranking: fitted on" in result.output
    assert "confidence, zh-Hans: fitted on" in result.output
    for name, verdict in (("ranking", "written to"), ("confidence", "Written to")):
        assert (output / f"{name}.json").exists() == (verdict in result.output)
