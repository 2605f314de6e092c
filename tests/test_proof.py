"""Proof before publishing, with the bundled model: asked aside, nothing of it stays."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from conftest import NOW, TODAY
from drafts_support import (
    HELD_OUT,
    TELESCOPE,
    USED,
    few_golden,
    gap_of,
    own_articles,
    own_data,
    telescope,
    write,
)
from indexer.problems import ArticlesInvalid
from moved_clock import MovedClock
from portal.cli import cli
from portal.cli_prove import _lines
from portal.config import Settings
from portal.database import migrate, open_engine
from portal.drafts.errors import ArticleChanged, ArticleMissing, EditRefused
from portal.drafts.files import ArticleFiles
from portal.drafts.paths import ArticlePath
from portal.gaps.changes import new_gap
from portal.gaps.store import GapStore
from portal.gaps.types import State
from portal.proof import prove as proving
from portal.proof.export import rows
from portal.proof.jobs import Found, Jobs, Progress
from portal.proof.noted import move_on, note_published
from portal.proof.prove import Place, Question, prove
from portal.proof.publishing import publish_article
from portal.proof.store import LAPSES, RunStore
from portal.proof.types import (
    NothingToProve,
    Outcome,
    Part,
    Proof,
    RunKind,
    RunsBusy,
    RunState,
    RunUnknown,
    Seen,
)
from portal.server import _stop_threads
from portal.transactions import transaction
from search.generation import current_name
from search.library import open_searcher
from search.types import Embedder

QUESTIONS = [
    *(Question(text, "en", held_out=False) for text in USED),
    *(Question(text, "en", held_out=True) for text in HELD_OUT),
]


def quietly(_stage: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return own_articles(tmp_path)


@pytest.fixture
def data(tmp_path: Path, published: Path) -> Path:
    return own_data(tmp_path, published)


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    return few_golden(tmp_path)


def test_a_draft_answers_its_gap_in_the_candidate_and_nothing_is_published(
    articles: Path, data: Path, golden: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    before = current_name(data)
    stages: list[str] = []
    proof = prove(
        QUESTIONS, TELESCOPE, Place(articles, data, golden), embedder, today=TODAY,
        progress=lambda stage, _done, _total: stages.append(stage),
    )  # fmt: skip
    used, held_out = proof.tallies[Part.USED], proof.tallies[Part.HELD_OUT]
    assert (used.questions, held_out.questions) == (2, 2)
    assert used.by_article is not None
    assert held_out.by_article is not None
    assert used.before is not None
    assert (used.before.count, used.by_article.count, held_out.by_article.count) == (0, 2, 2)
    assert proof.others == 0
    asked = {outcome.text for outcome in proof.part(Part.GOLDEN)}
    assert asked == {"how long does a refund take", "can I rent something from you"}  # not `test`
    assert list(dict.fromkeys(stages))[-1] == "asking questions"
    assert current_name(data) == before
    assert list((data / "candidates").iterdir()) == []
    assert "status: draft" in (articles / str(TELESCOPE)).read_text("utf-8")


def test_a_held_out_question_that_the_draft_has_is_used(
    articles: Path, data: Path, golden: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope().replace(USED[1], "RENTAL of a  Telescope?"))
    questions = [
        Question(text, "en", held_out=True)
        for text in ("rental of a telescope", "Renting a telescope?", HELD_OUT[0])
    ]
    proof = prove(
        questions, TELESCOPE, Place(articles, data, golden), embedder, today=TODAY, progress=quietly
    )
    assert [one.text for one in proof.part(Part.HELD_OUT)] == [HELD_OUT[0]]
    assert len(proof.part(Part.USED)) == 2


def test_what_is_neither_in_the_article_nor_held_out_is_told_apart_and_so_is_whose_answer_it_is(
    articles: Path, data: Path, golden: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    questions = [
        Question(USED[0], "en", held_out=False),
        Question("可以租望远镜吗", "zh-Hans", held_out=False),
        Question("how long does a refund take", "en", held_out=True),
    ]
    proof = prove(
        questions, TELESCOPE, Place(articles, data, golden), embedder, today=TODAY, progress=quietly
    )
    used, unused, held_out = proof.tallies.values()
    assert list(proof.tallies) == [Part.USED, Part.UNUSED, Part.HELD_OUT]
    assert (used.questions, unused.questions, held_out.questions) == (1, 1, 1)
    shares = (used.by_article, used.by_other, held_out.by_article, held_out.by_other)
    assert [share and share.count for share in shares] == [1, 0, 0, 1]
    assert held_out.before_by_other is not None
    assert held_out.before_by_other.count == 1


def test_a_draft_that_takes_another_articles_questions_is_found_out(
    articles: Path, data: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MOST_LISTED", 40)
    refunds = open_searcher(data, embedder).generation.catalogue.get("en", "refund-timing")
    assert refunds is not None
    text = telescope().replace("Renting a telescope", "How long a refund takes, day by day")
    listed = "".join(f'  - "{question}"\n' for question in refunds.questions)
    write(articles, TELESCOPE, text.replace("questions:\n", f"questions:\n{listed}"))
    monkeypatch.setattr(
        proving, "_listed",
        lambda _searcher, _but: [
            proving.Asked(Part.GOLDEN, question, "en", ("refund-timing",))
            for question in refunds.questions
        ],
    )  # fmt: skip
    proof = prove(
        QUESTIONS, TELESCOPE, Place(articles, data, None), embedder, today=TODAY, progress=quietly
    )
    assert proof.source == "listed"
    assert len(proof.worse) > 3
    assert all(outcome.after.article == "en:telescope-rental" or outcome.after.rank != 1
               for outcome in proof.worse)  # fmt: skip


def test_without_golden_questions_those_of_other_articles_are_asked(
    data: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MOST_LISTED", 30)
    searcher = open_searcher(data, embedder)
    asked = proving._listed(searcher, "refund-timing")
    assert len(asked) == 30
    assert asked == proving._listed(searcher, "refund-timing")
    assert all(one.wanted != ("refund-timing",) for one in asked)


def test_what_else_was_changed_in_the_folder_is_counted(
    articles: Path, data: Path, golden: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    other = articles / "en" / "refunds" / "refund-timing.md"
    other.write_text(other.read_text("utf-8") + "\nOne more sentence.\n", "utf-8")
    (articles / "en" / "refunds" / "price-adjustment.md").unlink()
    for file in (articles / "en").rglob("*.md"):  # no link may lead to what was removed
        file.write_text(
            file.read_text("utf-8").replace("../refunds/price-adjustment.md", "#")
            .replace("(price-adjustment.md", "(#"), "utf-8",
        )  # fmt: skip
    proof = prove(
        QUESTIONS, TELESCOPE, Place(articles, data, golden), embedder, today=TODAY, progress=quietly
    )
    assert proof.others >= 2


def test_a_draft_with_a_mistake_is_refused_and_leaves_nothing(
    articles: Path, data: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope().replace("section: orders", "section: refunds"))
    with pytest.raises(ArticlesInvalid, match="telescope-rental"):
        prove(QUESTIONS, TELESCOPE, Place(articles, data, None), embedder, today=TODAY,
              progress=quietly)  # fmt: skip
    with pytest.raises(ArticleMissing):
        prove(QUESTIONS, ArticlePath("en", "orders", "nothing"), Place(articles, data, None),
              embedder, today=TODAY, progress=quietly)  # fmt: skip
    with pytest.raises(NothingToProve):
        prove([], TELESCOPE, Place(articles, data, None), embedder, today=TODAY, progress=quietly)
    assert not any((data / "candidates").glob("*"))


def publish(
    articles: Path, data: Path, embedder: Embedder, seen: str = "", progress: Progress = quietly
) -> str:
    files = ArticleFiles(articles, lock=data / "articles.lock")
    made = publish_article(
        files, TELESCOPE, data, embedder, seen=seen or files.read(TELESCOPE).digest, keep=3,
        today=TODAY, progress=progress,
    )  # fmt: skip
    return str(made["generation"])


def test_publishing_makes_the_draft_an_answer(
    articles: Path, data: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    name = publish(articles, data, embedder)
    assert current_name(data) == name
    assert "status: published" in (articles / str(TELESCOPE)).read_text("utf-8")
    found = open_searcher(data, embedder).search(USED[0], locale="en")
    assert found.resolved
    assert found.results[0].article.id == "telescope-rental"


def test_what_cannot_be_published_stays_a_draft_and_the_index_stays(
    articles: Path, data: Path, embedder: Embedder
) -> None:
    before = current_name(data)
    write(articles, TELESCOPE, telescope(body="[gone](../refunds/no-such-article.md)\n"))
    with pytest.raises(ArticlesInvalid, match="no-such-article"):
        publish(articles, data, embedder)
    assert (articles / str(TELESCOPE)).read_text("utf-8") == telescope(
        body="[gone](../refunds/no-such-article.md)\n"
    )
    write(articles, TELESCOPE, telescope(body="<!-- TODO write this -->\n"))
    with pytest.raises(EditRefused, match="still to be written"):
        publish(articles, data, embedder)
    write(articles, TELESCOPE, telescope(body="<!-- TODO x -->\n").replace("title: ", 'title: "'))
    with pytest.raises(EditRefused, match="mistake in line 3"):
        publish(articles, data, embedder)
    with pytest.raises(ArticleChanged):
        publish(articles, data, embedder, seen="0" * 64)
    assert current_name(data) == before


def test_the_file_says_draft_until_all_is_built(
    articles: Path, data: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    said: dict[str, bool] = {}

    def look(stage: str, done: int, _total: int) -> None:
        said[f"{stage} {done}"] = "status: draft" in (articles / str(TELESCOPE)).read_text("utf-8")

    publish(articles, data, embedder, progress=look)
    assert not said.pop("publishing 1")
    assert said["publishing 0"]
    assert all(said.values())


def test_a_draft_that_is_changed_while_the_index_is_built_is_not_published(
    articles: Path, data: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    before = current_name(data)
    theirs = telescope(body="50 euros from now on.\n")

    def change(stage: str, _done: int, _total: int) -> None:
        if stage == "publishing":
            write(articles, TELESCOPE, theirs)

    with pytest.raises(ArticleChanged):
        publish(articles, data, embedder, progress=change)
    assert current_name(data) == before
    assert (articles / str(TELESCOPE)).read_text("utf-8") == theirs


def test_where_the_new_index_cannot_be_named_the_draft_is_a_draft_again(
    articles: Path, data: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_data: Path, _name: str) -> None:
        assert "status: published" in (articles / str(TELESCOPE)).read_text("utf-8")
        raise OSError(28, "No space left on device")

    write(articles, TELESCOPE, telescope())
    before = current_name(data)
    monkeypatch.setattr("indexer.publish.point_to", refuse)
    with pytest.raises(OSError, match="No space"):
        publish(articles, data, embedder)
    assert (articles / str(TELESCOPE)).read_text("utf-8") == telescope()
    assert current_name(data) == before


def test_another_draft_that_is_half_written_stops_no_proof_and_no_publish(
    articles: Path, data: Path, golden: Path, embedder: Embedder
) -> None:
    write(articles, TELESCOPE, telescope())
    half = ArticlePath("en", "orders", "half-written")
    write(articles, half, "---\nid: half\ntitle: What: about this\nstatus: draft\n---\n")
    proof = prove(
        QUESTIONS, TELESCOPE, Place(articles, data, golden), embedder, today=TODAY, progress=quietly
    )
    assert proof.others == 0
    assert publish(articles, data, embedder) == current_name(data)


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_engine(f"sqlite:///{tmp_path / 'runs.db'}")
    migrate(made)
    return made


SEEN = Seen(False, False, None, "", None, 0.1)
RIGHT = Seen(True, True, "en:telescope-rental", "Renting", 1, 0.9)


def outcome(part: Part = Part.USED, text: str = "=1+1") -> Outcome:
    return Outcome(part, text, "en", ("telescope-rental",), SEEN, RIGHT)


def test_a_proof_of_what_stands_in_the_article_alone_says_so() -> None:
    used, held = outcome(), outcome(Part.HELD_OUT)
    golden = outcome(Part.GOLDEN)
    assert Proof((used, golden), 0, "listed", 0.0, "g").circular
    assert not Proof((used, held, golden), 0, "listed", 0.0, "g").circular
    assert not Proof((golden,), 0, "listed", 0.0, "g").circular


def test_a_proof_is_kept_with_every_question(engine: sa.Engine) -> None:
    store = RunStore(engine, MovedClock())
    run = store.begin(RunKind.PROOF, TELESCOPE, gap=17, by="Ann", digest="d")
    proof = Proof((outcome(), outcome(Part.HELD_OUT, "退款 <b>")), 1, "listed", 2.5, "g1")
    store.alive(run.id, "asking questions", 1, 2)
    assert (store.get(run.id).stage, store.get(run.id).done) == ("asking questions", 1)
    store.finish(run.id, proof.facts(), proof.outcomes)
    latest = store.latest(17, RunKind.PROOF)
    assert latest is not None
    assert (latest.state, latest.by, latest.article) == (RunState.DONE, "Ann", TELESCOPE)
    assert store.proof(latest) == proof
    assert store.latest(18, RunKind.PROOF) is None
    assert store.purge(NOW + timedelta(days=1)) == 1
    with pytest.raises(RunUnknown):
        store.get(run.id)


def test_one_run_at_a_time_and_one_that_died_gives_its_turn_back(engine: sa.Engine) -> None:
    clock = MovedClock()
    store = RunStore(engine, clock)
    first = store.begin(RunKind.PROOF, TELESCOPE, gap=1, by="Ann", digest="d")
    with pytest.raises(RunsBusy) as busy:
        store.begin(RunKind.PUBLISH, TELESCOPE, gap=2, by="Bob", digest="d")
    assert busy.value.run == first.id
    clock.now += LAPSES / 2
    store.alive(first.id, "reading articles", 0, 1)
    clock.now += LAPSES / 2
    with pytest.raises(RunsBusy):
        store.begin(RunKind.PUBLISH, TELESCOPE, gap=2, by="Bob", digest="d")
    clock.now += LAPSES
    assert store.get(first.id).state == RunState.FAILED  # nobody had to notice it
    second = store.begin(RunKind.PUBLISH, TELESCOPE, gap=2, by="Bob", digest="d")
    assert "stopped before it was done" in store.get(first.id).error
    store.alive(first.id, "back from the dead", 1, 1)
    assert store.get(first.id).state == RunState.FAILED
    store.finish(second.id, {})
    store.begin(RunKind.PUBLISH, TELESCOPE, gap=2, by="Bob", digest="d")


def test_work_that_fails_says_why_and_never_takes_the_thread_down(engine: sa.Engine) -> None:
    store = RunStore(engine, MovedClock())
    jobs = Jobs(store)

    def work_of(error: Exception) -> object:
        raise error

    run = store.begin(RunKind.PROOF, TELESCOPE, gap=1, by="Ann", digest="d")
    jobs.start(run, lambda _progress: work_of(NothingToProve("no question")))  # type: ignore[arg-type,return-value]
    assert jobs.wait(run.id)
    assert store.get(run.id).error == "no question"
    run = store.begin(RunKind.PROOF, TELESCOPE, gap=1, by="Ann", digest="d")
    jobs.do(run, lambda _progress: work_of(ValueError("secret path")))  # type: ignore[arg-type,return-value]
    assert store.get(run.id).state == RunState.FAILED
    assert "secret" not in store.get(run.id).error
    assert threading.active_count() < 20


def test_a_worker_that_ends_waits_for_its_runs(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(engine, MovedClock())
    jobs = Jobs(store)
    go = threading.Event()

    def work(_progress: Progress) -> Found:
        assert go.wait(30)
        return {"generation": "g"}, ()

    run = store.begin(RunKind.PUBLISH, TELESCOPE, gap=1, by="Ann", digest="d")
    jobs.start(run, work)
    jobs.finish(0.01)  # no longer than it is told to
    assert store.get(run.id).state == RunState.RUNNING
    thread = SimpleNamespace(stop=go.is_set)
    services = SimpleNamespace(
        proof=SimpleNamespace(jobs=jobs), gap_refresher=thread,
        requests=SimpleNamespace(thread=thread),
    )  # fmt: skip
    monkeypatch.setattr("portal.services.services_of", lambda _app: services)
    threading.Timer(0.1, go.set).start()
    _stop_threads(None, SimpleNamespace(wsgi=object()))
    assert store.get(run.id).state == RunState.DONE


@pytest.mark.parametrize(
    ("before", "after", "wanted", "worse", "better"),
    [
        (RIGHT, SEEN, ("a",), True, False),
        (SEEN, RIGHT, ("a",), False, True),
        (Seen(True, False, "x", "", 2, 0.8), Seen(True, False, "x", "", 3, 0.8), ("a",), False,
         False),
        (Seen(True, False, "x", "", 3, 0.8), Seen(True, False, "x", "", 4, 0.8), ("a",), True,
         False),
        (Seen(True, False, "x", "", 6, 0.8), Seen(True, False, "x", "", None, 0.8), ("a",), False,
         False),
        (SEEN, RIGHT, (), True, False),
        (RIGHT, SEEN, (), False, True),
        (RIGHT, RIGHT, ("a",), False, False),
    ],
)  # fmt: skip
def test_worse_is_what_a_reader_would_notice(
    before: Seen, after: Seen, wanted: tuple[str, ...], worse: bool, better: bool
) -> None:
    found = Outcome(Part.GOLDEN, "q", "en", wanted, before, after)
    assert (found.worse, found.better) == (worse, better)


def test_what_a_refit_has_moved_is_told_apart_from_what_the_article_has_done() -> None:
    def lost(text: str, after: Seen, *, wanted: str = "a", before: Seen = RIGHT) -> Outcome:
        return Outcome(Part.GOLDEN, text, "en", (wanted,), before, after)

    elsewhere = Seen(True, False, "en:other", "", 2, 0.8)
    outcomes = (
        Outcome(Part.USED, "q", "en", ("draft",), SEEN, RIGHT),
        lost("refitted", elsewhere),
        lost("taken", Seen(True, False, "zh-Hans:draft", "", 2, 0.8, drafted=1)),
        lost("pushed", replace(elsewhere, rank=4, drafted=3)),
        lost("below", replace(elsewhere, drafted=5)),
        lost("its own", elsewhere, wanted="draft"),
    )
    proof = Proof(outcomes, 0, "golden", 0.0, "g")
    refitted = ["refitted", "below"]
    own = ["taken", "pushed", "its own"]
    assert [one.text for one in proof.worse_by_refitting] == refitted
    assert [one.text for one in proof.worse_by_article] == own
    found = proof.as_dict()
    assert (found["worse_by_article"], found["worse_by_refitting"]) == (3, 2)
    assert [(one["text"], one["moved_by"]) for one in found["worse"]] == [
        *((text, "article") for text in own), *((text, "refitting") for text in refitted)
    ]  # fmt: skip
    moved = {row[1]: row[-1] for row in rows(proof)}
    assert (moved["refitted"], moved["taken"], moved["q"]) == ("refitting", "article", "")
    said = _lines(proof, None)
    assert "5 golden questions: 3 worse by this article, 2 by refitting, 0 better" in said
    assert sum(line.endswith("moved by refitting, not by this article") for line in said) == 2


def test_an_article_published_by_other_tools_moves_its_gap_on_once(
    engine: sa.Engine, tmp_path: Path
) -> None:
    folder = own_articles(tmp_path)
    gaps = GapStore(engine, MovedClock())
    with transaction(engine, "make gaps", writes=True) as connection:
        number = new_gap(connection, name="a", locale="en", at=NOW)
        other = new_gap(connection, name="b", locale="en", at=NOW)
    write(folder, TELESCOPE, telescope(gap=number))
    assert move_on(engine, folder, MovedClock()) == []  # a draft is no news
    write(folder, TELESCOPE, telescope(gap=number, status="published"))
    assert move_on(engine, folder, MovedClock()) == [number]
    found = gaps.get(number)
    assert (found.state, found.article) == (State.PUBLISHED, "en:telescope-rental")
    gaps.set_state(number, State.REOPENED, by="", version=found.version)
    assert move_on(engine, folder, MovedClock()) == []  # the same article does not close it again
    assert gaps.get(other).state == State.OPEN
    write(folder, TELESCOPE, telescope(gap=999, status="published"))
    assert move_on(engine, folder, MovedClock()) == []


def test_every_gap_drafted_into_an_article_moves_on_when_it_is_published(
    engine: sa.Engine, tmp_path: Path
) -> None:
    folder = own_articles(tmp_path)
    gaps = GapStore(engine, MovedClock())
    with transaction(engine, "make gaps", writes=True) as connection:
        a, b, draft, other = (
            new_gap(connection, name=name, locale="en", at=NOW) for name in "abcd"
        )
    write(folder, TELESCOPE, telescope(gap=draft))
    for number in (a, b):  # questions, or a synonym, added to an article that was there before
        gaps.set_state(number, State.DRAFTED, by="Ann", version=1, article="en:refund-timing")
    drafted = gaps.set_state(
        draft, State.DRAFTED, by="Ann", version=1, article="en:telescope-rental"
    )
    assert move_on(engine, folder, MovedClock()) == [a, b]
    assert gaps.get(draft).state == State.DRAFTED
    merged = gaps.merge(draft, other, by="Ann", version=drafted.version)
    assert (merged.state, merged.article) == (State.DRAFTED, "en:telescope-rental")
    write(folder, TELESCOPE, telescope(gap=draft, status="published"))
    assert move_on(engine, folder, MovedClock()) == [other]
    assert gaps.get(other).state == State.PUBLISHED


def test_indexing_without_a_log_makes_none(tmp_path: Path) -> None:
    settings = Settings(articles=own_articles(tmp_path), data=tmp_path / "data")
    assert note_published(settings) == []
    assert not (tmp_path / "data").exists()


def test_the_command_prints_the_proof_and_keeps_it(
    articles: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = f"sqlite:///{tmp_path / 'log.db'}"
    engine = open_engine(log)
    migrate(engine)
    services = SimpleNamespace(engine=engine, gaps=GapStore(engine, MovedClock()))
    gap = gap_of(services, {USED[0]: False, HELD_OUT[0]: True}, name="\x1b[31mrent")  # type: ignore[arg-type]
    for name, value in {"KB_ARTICLES": articles, "KB_DATA": data, "KB_DATABASE_URL": log,
                        "KB_GOLDEN": few_golden(tmp_path)}.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    runner = CliRunner()
    none = runner.invoke(cli, ["prove", f"gap-{gap.number}"])
    assert none.exit_code == 2
    assert f"closes: gap-{gap.number}" in none.output
    assert runner.invoke(cli, ["prove", "seventeen"]).exit_code == 2
    write(articles, TELESCOPE, telescope(gap=gap.number))
    shown = runner.invoke(cli, ["prove", f"gap-{gap.number}"])
    assert shown.exit_code == 0, shown.output
    assert "held out" in shown.output
    assert "2 golden questions: " in shown.output
    assert "\x1b" not in shown.output
    printed = runner.invoke(cli, ["prove", str(gap.number), "--json"])
    found = json.loads(printed.stdout)
    assert found["gap"]["held_out"]["by_article"]["count"] == 1
    assert found["live"] is None
    kept = RunStore(engine, lambda: datetime.now(UTC)).latest(gap.number, RunKind.PROOF)
    assert kept is not None
    assert kept.by == "kb prove"
    write(articles, TELESCOPE, telescope(gap=gap.number).replace("section: orders", "section: x"))
    refused = runner.invoke(cli, ["prove", f"gap-{gap.number}"])
    assert refused.exit_code == 2
    assert "telescope-rental.md" in refused.output
