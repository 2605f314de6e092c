"""Publishing: whole or not at all, whenever it is interrupted and whatever is damaged."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import HashingEmbedder
from indexer.build import Published, build_and_publish
from indexer.check import check_folder
from indexer.previous import BASE
from indexer.problems import ArticlesInvalid
from indexer.publish import (
    NothingToRollBackTo,
    PublishBusy,
    generations,
    prune,
    publishing,
    roll_back,
)
from indexer.vectors import VectorCache
from search.errors import IndexDamaged, IndexMismatch, IndexMissing, KnowledgeBaseError
from search.generation import FORMAT, UnitKind, current_name, open_current, open_generation
from search.types import LOCALES
from search.whitening import whiten

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 22)
Write = Callable[..., Path]
_TAXONOMY = """\
shop: {en: Shop, zh-Hans: 店}
sections: {refunds: {en: Refunds, zh-Hans: 退款}}
reasons: {}
platforms: {}
evidence: {}
"""


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder with a small taxonomy: reading the shipped one takes longer than to publish."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(_TAXONOMY, "utf-8")
    (folder / "words.txt").write_text("仅退款\n", "utf-8")
    return folder


@pytest.fixture(autouse=True)
def _no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync guards against power cuts, which no test can see; that it is done, one test does."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _publish(
    articles: Path, data: Path, embedder: HashingEmbedder | None = None, **options: Any
) -> Published:
    return build_and_publish(articles, data, embedder or HashingEmbedder(), today=TODAY, **options)


def _names(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "generations").iterdir())


def _left_overs(data: Path) -> list[str]:
    return [name for name in _names(data) if name.startswith(".")]


# --- publishing


def test_a_publish_writes_one_complete_generation_and_points_at_it(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    write_article(locale="zh-Hans", title="退款", body="三天到账。\n\n## 银行卡 {#card}\n十天。\n")
    outcome = _publish(articles, data)
    assert outcome.changed
    assert (outcome.articles, outcome.passages) == (2, 4)
    assert 0 < outcome.encoded <= outcome.units
    assert current_name(data) == outcome.name
    assert _names(data) == [outcome.name]
    generation = open_current(data, HashingEmbedder())
    assert generation.name == outcome.name
    assert [generation.passage(row).id for row in range(4)] == [
        "refund-timing@en#top/0",
        "refund-timing@en#card/0",
        "refund-timing@zh-Hans#top/0",
        "refund-timing@zh-Hans#card/0",
    ]


def test_every_vector_stands_for_the_text_its_row_names(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article(questions="[when is my money back]")
    write_article("refund-only", body="One thing. Another thing.\n")
    embedder = HashingEmbedder()
    _publish(articles, data, embedder)
    generation = open_current(data, embedder)
    stored = generation.vectors.vectors(np.arange(generation.vectors.count))
    for row in range(generation.vectors.count):
        passage = generation.passage(int(generation.units.passage[row]))
        article = generation.catalogue.at(
            int(generation.passage_article[generation.units.passage[row]])
        )
        assert article.id == passage.article_id
        kind = UnitKind(int(generation.units.kind[row]))
        text = {
            UnitKind.SENTENCE: lambda a=article, p=passage, r=row: (
                f"{a.title}. {p.sentences[int(generation.units.sentence[r])]}"
            ),
            UnitKind.PASSAGE: lambda a=article, p=passage: f"{a.title}. {p.text}",
            UnitKind.TITLE: lambda a=article: a.title,
            UnitKind.QUESTION: lambda a=article: a.questions[0],
        }[kind]()
        wanted = whiten(embedder.encode_queries([text]), generation.whitening)
        np.testing.assert_allclose(stored[row], wanted[0], atol=1e-5)


def test_nothing_changed_publishes_nothing(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    first = _publish(articles, data)
    embedder = HashingEmbedder()
    second = _publish(articles, data, embedder)
    assert (second.changed, second.name, second.encoded) == (False, first.name, 0)
    assert (second.articles, second.passages, second.units) == (
        first.articles, first.passages, first.units,
    )  # fmt: skip
    assert embedder.encoded == []
    assert _names(data) == [first.name]


def test_a_rebuild_publishes_anew_without_encoding_again(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    first = _publish(articles, data)
    second = _publish(articles, data, rebuild=True)
    assert (second.changed, second.encoded) == (True, 0)
    assert second.name > first.name


@pytest.mark.parametrize("name", ["taxonomy.yaml", "words.txt"])
def test_a_change_of_what_belongs_to_the_folder_is_published(
    articles: Path, data: Path, write_article: Write, name: str
) -> None:
    write_article()
    _publish(articles, data)
    path = articles / name
    path.write_text(path.read_text("utf-8").replace("退款", "返款"), "utf-8")
    outcome = _publish(articles, data)
    assert (outcome.changed, outcome.encoded) == (True, 0)


def test_changing_one_sentence_encodes_only_the_passage_it_stands_in(
    articles: Path, data: Path, write_article: Write
) -> None:
    for slug in ("a-one", "b-two", "c-three"):
        write_article(slug, body="Steady text here.\n\n## More {#more}\nFirst. Second.\n")
    _publish(articles, data)
    write_article("b-two", body="Steady text here.\n\n## More {#more}\nFirst. Changed.\n")
    embedder = HashingEmbedder()
    outcome = _publish(articles, data, embedder)
    assert sorted(embedder.encoded) == [
        "Title of b-two. Changed.",
        "Title of b-two. First.",
        "Title of b-two. First. Changed.",
    ]
    assert outcome.encoded == 3


def test_another_model_encodes_everything_again(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    first = _publish(articles, data)
    second = _publish(articles, data, HashingEmbedder(model_id="other"))
    assert second.changed
    assert second.encoded == first.encoded
    assert _publish(articles, data).encoded == 0  # the first model's vectors are still known


def test_equal_texts_are_encoded_once(articles: Path, data: Path, write_article: Write) -> None:
    write_article(body="Same. Same. Same.\n")
    embedder = HashingEmbedder()
    _publish(articles, data, embedder)
    assert len(embedder.encoded) == len(set(embedder.encoded))


def test_drafts_and_archived_articles_are_not_published_and_archived_ones_are_gone(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    write_article("draft-one", status="draft")
    write_article("old-one", status="archived", redirect_from="[/en/refunds/older]")
    _publish(articles, data)
    generation = open_current(data)
    assert [article.id for article in generation.catalogue] == ["refund-timing"]
    assert generation.gone == {"/en/refunds/old-one", "/en/refunds/older"}


def test_an_empty_folder_says_what_to_do(articles: Path, data: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match="no published article; set `status: published`"):
        _publish(articles, data)
    assert current_name(data) is None


def test_related_articles_are_of_the_same_language_and_never_the_article_itself(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article("a-one", body="Bank card refund days.\n")
    write_article("b-two", body="Bank card refund week.\n")
    write_article("c-three", title="Parcel", body="A parcel was lost on its way.\n")
    write_article("a-one", locale="zh-Hans", title="退款", body="退款到账。\n")
    _publish(articles, data)
    catalogue = open_current(data).catalogue
    article = catalogue.get("en", "a-one")
    assert article is not None
    assert [other.id for other in catalogue.related(article)] == ["b-two", "c-three"]
    chinese = catalogue.get("zh-Hans", "a-one")
    assert chinese is not None
    assert catalogue.related(chinese) == []


# --- two publishers, failures


def test_a_second_publisher_is_told_to_wait_and_changes_nothing(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    with publishing(data):
        with pytest.raises(PublishBusy, match="another `kb index` is running; wait for it"):
            _publish(articles, data)
        with pytest.raises(PublishBusy):
            roll_back(data)
        assert current_name(data) is None
    assert _publish(articles, data).changed


def test_the_lock_of_another_process_goes_with_it(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    code = (
        "import sys, time; from pathlib import Path; from indexer.publish import publishing\n"
        "with publishing(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(data)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PublishBusy):
            _publish(articles, data)
        holder.kill()
    assert _publish(articles, data).changed


def test_an_error_leaves_the_old_generation_serving(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    before = _publish(articles, data)
    write_article(owner=None)
    with pytest.raises(ArticlesInvalid):
        _publish(articles, data)
    assert open_current(data).name == before.name
    assert _names(data) == [before.name]


@pytest.mark.parametrize(
    "text",
    [
        "---\nid: half\ntitle: What: about this\nstatus: draft\n---\nText.\n",
        "---\nid: half\nstatus: 'draft' # soon\n\nNo end, no title.\n",
        "Only a thought.\n",
    ],
)
@pytest.mark.parametrize("name", ["a-half", "z-half"])
def test_a_draft_that_is_half_written_is_left_out_and_stops_no_publish(
    articles: Path, data: Path, write_article: Write, text: str, name: str
) -> None:
    write_article()
    before = _publish(articles, data)
    (articles / "en" / "refunds" / f"{name}.md").write_text(text, "utf-8")
    write_article("another-one", title="Another title", questions=["another question"])
    made = _publish(articles, data)
    assert (made.changed, made.articles) == (True, before.articles + 1)
    assert {Path(one.path).stem for one in made.warnings} == {name}
    assert all(one.severity == "warning" for one in made.warnings)
    _, problems = check_folder(articles, today=TODAY)
    assert {one.severity for one in problems} == {"error"}  # as `kb check` has it


@pytest.mark.parametrize("name", ["a-copy", "z-copy"])
def test_a_drafts_taken_id_stops_no_publish(
    articles: Path, data: Path, write_article: Write, name: str
) -> None:
    path = write_article()
    text = path.read_text("utf-8").replace("status: published", "status: draft")
    path.with_name(f"{name}.md").write_text(text, "utf-8")
    made = _publish(articles, data)
    assert made.articles == 1
    assert [one.field for one in made.warnings] == ["id"]


def test_a_served_article_that_cannot_be_read_any_more_does_not_vanish(
    articles: Path, data: Path, write_article: Write
) -> None:
    path = write_article()
    before = _publish(articles, data)
    path.write_bytes(b"\xff\xfe no text")
    with pytest.raises(ArticlesInvalid):
        _publish(articles, data)
    assert open_current(data).name == before.name


class _BreakingEmbedder(HashingEmbedder):
    """Fails after some batches, as a model that runs out of memory does."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def encode_documents(self, texts: Any) -> Any:
        if self._left == 0:
            raise MemoryError("on purpose")
        self._left -= 1
        return super().encode_documents(texts)


def test_an_embedder_that_breaks_loses_only_the_batch_it_broke_in(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    before = _publish(articles, data)
    for number in range(60):
        write_article(f"a-{number}", body="".join(f"Text {n} of {number}. " for n in range(5)))
    with pytest.raises(MemoryError):
        _publish(articles, data, _BreakingEmbedder(2))
    assert open_current(data).name == before.name
    after = _publish(articles, data)
    assert _left_overs(data) == []
    titles, whole_passages = 60, 256 // 6  # of five sentences; both batches are kept
    assert after.units - before.units - after.encoded == titles + 6 * whole_passages


# --- rollback and pruning


@pytest.fixture
def three(articles: Path, data: Path, write_article: Write) -> list[str]:
    """Three generations, oldest first."""
    names = []
    for number in range(3):
        write_article(body=f"Text number {number}.\n")
        names.append(_publish(articles, data).name)
    return names


def test_generations_are_listed_oldest_first(data: Path, three: list[str]) -> None:
    assert [manifest.name for manifest in generations(data)] == three
    assert generations(data / "nowhere") == []


def test_rollback_goes_one_back_at_a_time_until_there_is_none(data: Path, three: list[str]) -> None:
    assert roll_back(data) == three[1]
    assert open_current(data).name == three[1]
    assert roll_back(data) == three[0]
    with pytest.raises(NothingToRollBackTo, match="there is no earlier generation"):
        roll_back(data)
    assert current_name(data) == three[0]


def test_rollback_to_a_name_goes_either_way(data: Path, three: list[str]) -> None:
    assert roll_back(data, three[0]) == three[0]
    assert roll_back(data, three[2]) == three[2]
    assert open_current(data).name == three[2]


def test_rollback_to_what_is_not_there_names_what_is(data: Path, three: list[str]) -> None:
    with pytest.raises(NothingToRollBackTo, match=f"no generation 'x'; there are {three[0]}, "):
        roll_back(data, "x")
    assert current_name(data) == three[2]


def test_rollback_before_the_first_publish(data: Path) -> None:
    with pytest.raises(NothingToRollBackTo):
        roll_back(data)
    with pytest.raises(NothingToRollBackTo, match="there are none"):
        roll_back(data, "x")


def test_rollback_to_a_damaged_generation_is_refused(data: Path, three: list[str]) -> None:
    (data / "generations" / three[1] / "vectors.faiss").unlink()
    with pytest.raises(IndexDamaged, match=three[1]):
        roll_back(data)
    assert current_name(data) == three[2]


def test_after_a_rollback_the_same_articles_are_published_again(
    articles: Path, data: Path, three: list[str]
) -> None:
    roll_back(data)
    outcome = _publish(articles, data)
    assert outcome.changed
    assert current_name(data) == outcome.name > three[2]


def test_prune_keeps_the_newest(data: Path, three: list[str]) -> None:
    assert prune(data, keep=3) == []
    assert prune(data, keep=2) == three[:1]
    assert _names(data) == three[1:]


def test_prune_never_removes_the_current_one(data: Path, three: list[str]) -> None:
    roll_back(data, three[0])
    assert prune(data, keep=1) == [three[1]]
    assert open_current(data).name == three[0]
    assert _names(data) == [three[0], three[2]]


def test_a_publish_prunes_and_says_what(
    articles: Path, data: Path, write_article: Write, three: list[str]
) -> None:
    write_article(body="Once more.\n")
    outcome = _publish(articles, data, keep=2)
    assert outcome.pruned == tuple(three[:2])
    assert _names(data) == [three[2], outcome.name]


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_an_old_generation_with_a_damaged_manifest_stops_nothing_and_is_pruned(
    articles: Path, data: Path, write_article: Write, three: list[str], content: bytes | None
) -> None:
    manifest = data / "generations" / three[0] / "manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)
    assert roll_back(data) == three[1]
    write_article(body="Once more.\n")
    outcome = _publish(articles, data)
    assert outcome.pruned == (three[0],)
    assert open_current(data).name == outcome.name


# --- damage


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one generation; tests that damage it put it right again."""
    folder = tmp_path_factory.mktemp("intact")
    articles = folder / "articles"
    shutil.copytree(ROOT / "articles" / "en" / "account", articles / "en" / "account")
    for name in ("taxonomy.yaml", "words.txt"):
        shutil.copy(ROOT / "articles" / name, articles / name)
    for path in articles.rglob("*.md"):
        path.write_text(path.read_text("utf-8").replace("](../", "](https://x.example/"), "utf-8")
    outcome = _publish(articles, folder / "data")
    return folder / "data" / "generations" / outcome.name


def _garbage(size: int) -> bytes:
    return random.Random(size).randbytes(size)


_DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "garbage": lambda content: _garbage(len(content) + 7),
    "garbage of the same size": lambda content: _garbage(len(content)),
    "zeros": lambda content: bytes(len(content)),
}


def _read_all(folder: Path) -> None:
    """What a worker reads sooner or later."""
    generation = open_generation(folder, HashingEmbedder())
    for row in range(len(generation.passages)):
        generation.passage(row)
    for article in generation.catalogue:
        generation.catalogue.by_path(article.path)
    for locale in LOCALES:
        generation.completer.complete("退款 refund", locale=locale)
    generation.whoosh.document_frequency("article", "refund")  # before it, checksums are compared


def _damageable(folder: Path) -> list[Path]:
    """The files of what is searched; of the base for the next publish, test_incremental.py."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size and path.parent.name != BASE
    )


@pytest.mark.parametrize("kind", _DAMAGES)
def test_every_damaged_file_is_told_as_a_damaged_index_with_its_path(
    intact: Path, kind: str
) -> None:
    _read_all(intact)
    wrong = []
    for path in _damageable(intact):
        content = path.read_bytes()
        damaged = _DAMAGES[kind](content)
        if path.suffix == ".terms" and damaged is not None and len(damaged) == len(content):
            continue  # bytes of the right number are not told from terms: there is no checksum
        try:
            path.unlink() if damaged is None else path.write_bytes(damaged)
            _read_all(intact)
            wrong.append(f"{path.name}: not noticed")
        except IndexDamaged as error:
            if str(intact) not in str(error) or "run `kb index --rebuild`" not in str(error):
                wrong.append(f"{path.name}: {error}")
        except Exception as error:
            wrong.append(f"{path.name}: {error!r}")
        finally:
            path.write_bytes(content)
    assert wrong == []


def test_arrays_that_do_not_fit_each_other_are_damage(intact: Path) -> None:
    for path in sorted(intact.glob("*.npy")):
        if path.name.endswith(".offsets.npy"):
            continue
        content = path.read_bytes()
        np.save(path, np.load(path)[:-1])
        try:
            with pytest.raises(IndexDamaged, match=r"expected; run `kb index --rebuild`"):
                open_generation(intact)
        finally:
            path.write_bytes(content)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"taxonomy": {}, "words": [], "gone": []}'])
def test_a_site_file_of_another_shape_is_damage(intact: Path, text: str) -> None:
    path = intact / "site.json"
    content = path.read_bytes()
    path.write_text(text)
    try:
        with pytest.raises(IndexDamaged, match=r"site\.json"):
            open_generation(intact)
    finally:
        path.write_bytes(content)


def test_a_missing_generation_is_told(data: Path, three: list[str]) -> None:
    shutil.rmtree(data / "generations" / three[2])
    with pytest.raises(IndexDamaged, match=f"{three[2]}: the generation is not there"):
        open_current(data)


@pytest.mark.parametrize("content", [b"", b"\n", b"a/b\n", b"../x", b".staging-x", b"\xff\xfe"])
def test_a_garbled_pointer_is_damage_and_the_next_publish_mends_it(
    articles: Path, data: Path, three: list[str], content: bytes
) -> None:
    (data / "current").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"data/.*`kb index --rebuild`"):
        open_current(data)
    outcome = _publish(articles, data)
    assert outcome.changed
    assert open_current(data).name == outcome.name


def test_before_the_first_publish_the_index_is_missing(data: Path) -> None:
    with pytest.raises(IndexMissing, match="nothing has been published yet; run `kb index`"):
        open_current(data)


@pytest.mark.parametrize("name", ["vectors.faiss", "manifest.json", "site.json", "passages.jsonl"])
def test_the_next_publish_repairs_a_damaged_current_generation(
    articles: Path, data: Path, three: list[str], name: str
) -> None:
    (data / "generations" / three[2] / name).write_bytes(b"garbage")
    outcome = _publish(articles, data)
    assert outcome.changed
    assert open_current(data, HashingEmbedder()).name == outcome.name


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", FORMAT + 1, "written as format"),
        ("normaliser", "0", "built with normaliser 0"),
        ("model", "other", "built with model other"),
        ("dimension", 7, r"\(7 numbers\)"),
    ],
)
def test_a_generation_of_another_version_names_the_command(
    articles: Path, data: Path, three: list[str], field: str, value: object, message: str
) -> None:
    path = data / "generations" / three[2] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(IndexMismatch, match=f"{message}.*run `kb index`"):
        open_current(data, HashingEmbedder())
    if field in ("format", "normaliser"):
        assert _publish(articles, data).changed


def test_another_embedder_than_the_generations_is_a_mismatch(data: Path, three: list[str]) -> None:
    message = r"built with model hashing \(64 numbers\), KB_MODEL is other \(8\); run `kb index`"
    with pytest.raises(IndexMismatch, match=message):
        open_current(data, HashingEmbedder(8, "other"))


def test_a_manifest_says_what_it_was_made_of(data: Path, three: list[str]) -> None:
    manifest = generations(data)[-1]
    assert dataclasses.asdict(manifest) == {
        **dataclasses.asdict(open_current(data).manifest),
        "name": three[2],
        "model": "hashing",
        "dimension": 64,
        "format": FORMAT,
    }


# --- the cache of vectors


@pytest.mark.parametrize(
    "damage",
    ["garbage", "empty", "truncated", "scribbled", "other table"],
)
def test_a_damaged_cache_costs_time_and_nothing_else(
    articles: Path, data: Path, write_article: Write, damage: str
) -> None:
    write_article(body="".join(f"Sentence number {n}. " for n in range(40)))
    first = _publish(articles, data)
    path = data / "cache" / "vectors.sqlite"
    content = path.read_bytes()
    assert len(content) > 8192
    if damage == "other table":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE vectors (something TEXT)")
        connection.close()
    else:
        path.write_bytes({
            "garbage": _garbage(5000),
            "empty": b"",
            "truncated": content[: len(content) // 2],
            "scribbled": content[:4096] + _garbage(len(content) - 4096),
        }[damage])  # fmt: skip
    outcome = _publish(articles, data, rebuild=True)
    assert outcome.encoded == first.encoded
    assert open_current(data, HashingEmbedder()).name == outcome.name
    assert _publish(articles, data, rebuild=True).encoded == 0


def test_the_log_of_a_killed_run_beside_a_damaged_cache_does_no_harm(tmp_path: Path) -> None:
    path, log = tmp_path / "v.sqlite", tmp_path / "v.sqlite-wal"
    texts = [f"text {number}" for number in range(80)]
    cache = VectorCache(path)
    cache.encode(HashingEmbedder(), texts)
    left = log.read_bytes()
    assert len(left) > 20_000
    cache.close()
    path.write_bytes(_garbage(5000))
    log.write_bytes(left)
    again = VectorCache(path)
    vectors, encoded = again.encode(HashingEmbedder(), texts)
    assert encoded in (0, 80)
    np.testing.assert_array_equal(vectors, HashingEmbedder().encode_queries(texts))
    assert again.encode(HashingEmbedder(), texts)[1] == 0
    again.close()


def test_the_cache_gives_vectors_in_the_order_of_the_texts(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    cache = VectorCache(tmp_path / "v.sqlite")
    texts = [f"text {number % 400}" for number in range(700)]
    seen: list[tuple[int, int]] = []
    vectors, encoded = cache.encode(
        embedder, texts, progress=lambda done, total: seen.append((done, total))
    )
    assert encoded == 400
    assert seen == [(0, 400), (256, 400), (400, 400)]
    np.testing.assert_array_equal(vectors, embedder.encode_queries(texts))
    again, encoded = cache.encode(embedder, texts[::-1])
    assert encoded == 0
    np.testing.assert_array_equal(again, vectors[::-1])
    nothing, encoded = cache.encode(embedder, [])
    assert (nothing.shape, encoded) == ((0, 64), 0)
    cache.close()


def test_vectors_of_another_size_are_encoded_again(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v.sqlite")
    cache.encode(HashingEmbedder(64), ["a"])
    vectors, encoded = cache.encode(HashingEmbedder(32), ["a"])
    assert (vectors.shape, encoded) == ((1, 32), 1)
    cache.close()


# --- killed at any step


def test_everything_is_on_disk_before_the_pointer_names_it(tmp_path: Path) -> None:
    steps = [tuple(step) for step in json.loads(_child(tmp_path, "record"))]
    moved = next(n for n, step in enumerate(steps) if step == ("os.rename", ".staging"))
    pointed = next(n for n, step in enumerate(steps) if step == ("os.rename", ".current.new"))
    assert moved < pointed
    synced = {path for kind, path in steps[:moved] if kind == "fsync"}
    assert synced >= set(_files_of_the_current_generation(tmp_path / "data"))
    assert ("fsync", "generations") in steps[moved:pointed]
    assert ("fsync", ".current.new") in steps[moved:pointed]
    assert ("fsync", "data") in steps[pointed:]


def _files_of_the_current_generation(data: Path) -> Iterator[str]:
    folder = data / "generations" / str(current_name(data))
    return (str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_killed_at_any_step_the_pointer_names_a_complete_generation_and_the_next_run_publishes(
    tmp_path: Path,
) -> None:
    outcome = json.loads(_child(tmp_path, "kill"))
    assert outcome["failures"] == []
    assert outcome["killed"] >= 25
    assert outcome["switched"] >= 3  # kills after the pointer had moved
    assert outcome["recovered"] >= 6


def test_killed_during_the_first_publish_there_is_no_index_or_a_complete_one(
    tmp_path: Path,
) -> None:
    outcome = json.loads(_child(tmp_path, "first"))
    assert outcome["failures"] == []
    assert outcome["killed"] >= 6


def _child(folder: Path, task: str) -> str:
    """Run a task of this module in a process of its own, which forks and has no other thread."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, __file__, task, str(folder)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class _Steps:
    """Counts every call that changes the file system, and kills the process before the n-th.

    Removing what an earlier run left is not counted until the staging folder is made, so that the
    n-th step is the same one in every run.
    """

    def __init__(self, data: Path, kill_at: int | None = None) -> None:
        self.seen: list[tuple[str, str]] = []
        self._data, self._kill_at, self._staging = str(data), kill_at, False
        # A killed process loses nothing that it has written, so there is no need to wait.
        os.fsync = lambda fd: self._step("fsync", str(Path(f"/proc/self/fd/{fd}").readlink()))
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            written = isinstance(args[0], str) and args[2] & (os.O_WRONLY | os.O_RDWR)
            if written and args[0].startswith(self._data):
                self._step(event, args[0])
        elif event == "os.mkdir" and ".staging-" in str(args[0]):
            self._staging = True
            self._step(event, str(args[0]))
        elif event in ("os.remove", "os.rmdir", "shutil.rmtree"):
            if self._staging:
                self._step(event, str(args[0]))
        elif event in ("os.rename", "os.mkdir", "sqlite3.connect", "os.truncate"):
            self._step(event, str(args[0]))

    def _step(self, kind: str, path: str) -> None:
        self.seen.append((kind, self._short(path)))
        if len(self.seen) - 1 == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _short(self, path: str) -> str:
        inside = path.partition("/.staging-")[2]
        if inside:
            return inside.partition("/")[2] or ".staging"
        return Path(path).name


def _article(articles: Path, text: str) -> None:
    path = articles / "en" / "refunds" / "a-one.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    front = """\
        ---
        id: a-one
        title: One
        summary: S
        section: refunds
        status: published
        owner: O
        updated: 2026-11-01
        verified_on: 2026-11-01
        review_by: 2027-05-01
        ---
        """
    path.write_text(textwrap.dedent(front) + text, "utf-8")


def _forked(act: Callable[[], None]) -> int:
    """The exit status of `act` in a process of its own: 0, 1 for an exception, -9 when killed."""
    process = os.fork()
    if process == 0:
        try:
            act()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _record(folder: Path) -> list[tuple[str, str]]:
    """The steps of a publish that switches generations and prunes one."""
    articles, data = folder / "articles", folder / "data"
    for number in range(3):
        _article(articles, f"Text {number}.\n")
        assert _forked(lambda: _publish(articles, data, keep=2) and None) == 0
    report = folder / "steps.json"

    def act() -> None:
        steps = _Steps(data)
        _publish(articles, data, keep=2)
        report.write_text(json.dumps(steps.seen))

    _article(articles, "Text once more.\n")
    assert _forked(act) == 0
    steps = [tuple(step) for step in json.loads(report.read_text())]
    return [step for step in steps if step[1] != "steps.json"]


def _chosen(steps: list[tuple[str, str]]) -> list[int]:
    """Every step from the staging folder's move on; before it, of each kind in a folder some.

    What is in the staging folder no reader sees, so its files in a row make little difference.
    """
    moved = steps.index(("os.rename", ".staging"))
    removed = next(n for n, step in enumerate(steps) if step[0] == "shutil.rmtree")
    chosen: list[int] = []
    seen: Counter[tuple[str, str]] = Counter()
    for n, (kind, path) in enumerate(steps):
        alike = (kind, str(Path(path).parent))
        if moved <= n <= removed or seen[alike] % (9 if kind == "open" else 30) == 0:
            chosen.append(n)
        seen[alike] += 1
    return chosen


def _kill(folder: Path) -> dict[str, Any]:
    """Kill one run after another, each a step later and upon what the last one left."""
    articles, data = folder / "articles", folder / "data"
    steps = _record(folder)
    failures: list[str] = []
    killed = switched = recovered = 0
    for turn, n in enumerate(_chosen(steps)):
        where = f"step {n} {steps[n]}"
        before = current_name(data)
        _article(articles, f"Text of turn {turn}.\n")

        def act(n: int = n) -> None:
            _Steps(data, kill_at=n)
            _publish(articles, data, keep=2)

        status = _forked(act)
        killed += status == -signal.SIGKILL
        if status != -signal.SIGKILL:
            failures.append(f"{where}: ended with {status}")
        try:
            generation = open_current(data, HashingEmbedder())
            _read_all(data / "generations" / generation.name)
            switched += generation.name != before
        except Exception as error:
            failures.append(f"{where}: {error!r}")
        if turn % 10 == 0 or steps[n][0] == "os.rename" or n == len(steps) - 1:
            failures += [f"{where}: {text}" for text in _recover(articles, data, turn)]
            recovered += 1
    _article(articles, "Text of turn -1.\n")
    failures += _recover(articles, data, -1)
    if len(kept := _names(data)) != 2:
        failures.append(f"the last run kept {kept}")
    return {
        "failures": failures, "killed": killed, "switched": switched, "recovered": recovered,
    }  # fmt: skip


def _recover(articles: Path, data: Path, turn: int) -> list[str]:
    """What is wrong after the next run; it serves the present text and has tidied up."""
    if (status := _forked(lambda: _publish(articles, data, keep=2) and None)) != 0:
        return [f"the next run ended with {status}"]
    generation = open_current(data, HashingEmbedder())
    wrong = []
    if generation.passage(0).sentences != (f"Text of turn {turn}.",):
        wrong.append(f"the next run did not publish: {generation.passage(0).sentences}")
    if left := _left_overs(data):
        wrong.append(f"the next run left {left}")
    return wrong


def _first(folder: Path) -> dict[str, Any]:
    steps = _record(folder)
    articles = folder / "articles"
    failures: list[str] = []
    killed = 0
    moved = steps.index(("os.rename", ".staging"))
    for n in (*range(0, moved, 40), *range(moved, moved + 6)):
        data = folder / f"data-{n}"
        _article(articles, f"Text of turn {n}.\n")

        def act(n: int = n, data: Path = data) -> None:
            _Steps(data, kill_at=n)
            _publish(articles, data)

        killed += _forked(act) == -signal.SIGKILL
        try:
            open_current(data, HashingEmbedder())
        except IndexMissing:
            pass
        except Exception as error:
            failures.append(f"step {n}: {error!r}")
        failures += [f"step {n}: {text}" for text in _recover(articles, data, n)]
    return {"failures": failures, "killed": killed}


if __name__ == "__main__":
    _task, _folder = sys.argv[1], Path(sys.argv[2])
    (_folder / "articles").mkdir()
    (_folder / "articles" / "taxonomy.yaml").write_text(_TAXONOMY, "utf-8")
    json.dump({"record": _record, "kill": _kill, "first": _first}[_task](_folder), sys.stdout)
