"""The made-up articles of the benchmarks are articles like any others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from indexer.build import gather
from indexer.check import check_folder
from tests_support import ROOT

pytestmark = pytest.mark.slow
_PASSAGES = 40


def _make(folder: Path, passages: int) -> Path:
    subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "corpus.py", folder, "--passages", str(passages)],
        check=True, env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"},
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("made") / "corpus", _PASSAGES)


def test_the_corpus_has_no_problem_and_the_passages_asked_for(corpus: Path) -> None:
    library, problems = check_folder(corpus, today=date(2026, 11, 22))
    assert not problems
    content = gather(library)
    assert len(content.passages) == _PASSAGES
    assert Counter(article.locale for article in content.articles) == {"en": 5, "zh-Hans": 5}
    sentences = [sentence for passage in content.passages for sentence in passage.sentences]
    assert len(set(sentences)) == len(sentences) == 5 * _PASSAGES


def test_queries_are_in_both_languages_and_of_all_lengths(corpus: Path) -> None:
    lines = (corpus / "queries.jsonl").read_text("utf-8").splitlines()
    queries = [json.loads(line) for line in lines]
    assert Counter(query["locale"] for query in queries) == {"en": 500, "zh-Hans": 500}
    words = [len(query["text"].split()) for query in queries if query["locale"] == "en"]
    assert min(words) == 1
    assert max(words) >= 60
    assert sum(4 <= count <= 12 for count in words) > 0.6 * len(words)


def test_a_smaller_corpus_of_the_same_seed_is_the_beginning_of_a_larger_one(
    corpus: Path, tmp_path: Path
) -> None:
    smaller = _make(tmp_path / "smaller", 16)
    paths = [path.relative_to(smaller) for path in smaller.glob("*/*/*.md")]
    assert len(paths) == 4
    for path in paths:
        assert (smaller / path).read_text("utf-8") == (corpus / path).read_text("utf-8")
