"""Encoding in several processes, and what is kept of it."""

from __future__ import annotations

import io
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import HashingEmbedder
from indexer import encoding, vectors
from indexer.encode_worker import DONE, FAILED, read_frame, serve, write_frame
from indexer.encoding import EncodingFailed, Item, encode_batch, encoders, rows_of
from indexer.vectors import VectorCache
from search.types import Embedder, TitledPassage
from search.use_encoder import UniversalSentenceEncoder
from search.use_weights import weights_file

ROOT = Path(__file__).parent.parent
_BATCHES: list[list[Item]] = [
    ["refund", "where is my parcel", "ＲＥＦＵＮＤ"],
    ["退款多久到账"],
    [
        TitledPassage("Refund times", ("A refund takes 5 days.", "By card it takes 10."), "en"),
        TitledPassage("退款時間", ("三天到账。",), "zh-Hans"),
    ],
    [TitledPassage("", ("No title.",), "en")],
] * 3


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UniversalSentenceEncoder:
    """An embedder so small a work is spread for."""
    monkeypatch.setattr(encoding, "_WORTHWHILE", 1)
    return UniversalSentenceEncoder(tmp_path)


def test_processes_give_what_one_process_gives_in_order(
    in_processes: UniversalSentenceEncoder, embedder: Embedder, tmp_path: Path
) -> None:
    with encoders(in_processes, workers=2, rows=30) as encode:
        found = list(encode(_BATCHES))
    assert weights_file(tmp_path).exists()  # unpacked once for all of them
    assert in_processes._loaded is None  # not here
    for batch, made in zip(_BATCHES, found, strict=True):
        assert [len(rows) for rows in made] == [rows_of(item) for item in batch]
        for one, other in zip(made, encode_batch(embedder, batch), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-6)


def test_little_work_and_other_models_stay_in_this_process(
    monkeypatch: pytest.MonkeyPatch, embedder: Embedder
) -> None:
    monkeypatch.setattr(encoding, "_Workers", None)
    for here, rows in ((embedder, 10), (HashingEmbedder(), 10**6)):
        with encoders(here, workers=4, rows=rows) as encode:
            assert [len(made) for made in encode(_BATCHES)] == list(map(len, _BATCHES))


def test_a_process_that_is_killed_is_told(
    in_processes: UniversalSentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(real(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)

    def killed_meanwhile() -> None:
        with encoders(in_processes, workers=2, rows=30) as encode:
            for process in started:
                process.send_signal(signal.SIGKILL)
            list(encode(_BATCHES * 20))

    with pytest.raises(EncodingFailed, match=r"exit code -9; set KB_INDEX_WORKERS=1"):
        killed_meanwhile()
    assert [process.poll() for process in started] == [-9, -9]


def test_processes_end_with_what_they_were_started_for(
    in_processes: UniversalSentenceEncoder,
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def interrupted() -> None:
        with encoders(in_processes, workers=2, rows=30) as encode:
            processes.extend(encode.__self__._processes)  # type: ignore[attr-defined]
            next(encode(_BATCHES * 50))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(process.poll() is not None for process in processes)


def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from indexer import encoding\n"
        "from search.embed import open_embedder\n"
        "encoding._WORTHWHILE = 1\n"
        "with encoding.encoders(open_embedder(), workers=2, rows=9) as encode:\n"
        "    next(encode([['refund']]))\n"
        "    print(*(p.pid for p in encode.__self__._processes), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(_runs(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class _Breaking(UniversalSentenceEncoder):
    def encode_documents(self, texts: Any) -> Any:
        raise MemoryError("on purpose")


def test_an_error_in_a_process_is_sent_back_and_it_goes_on(embedder: Embedder) -> None:
    assert isinstance(embedder, UniversalSentenceEncoder)
    requests, answers = io.BytesIO(), io.BytesIO()
    for request in (["refund"], [["Title", ["One.", "Two."]]]):
        write_frame(requests, json.dumps(request).encode())
    requests.write(b"\x00\x00")  # cut off
    requests.seek(0)
    broken = _Breaking()
    broken._loaded = embedder._loaded or embedder._load()
    serve(requests, answers, broken)
    answers.seek(0)
    assert read_frame(answers) == FAILED + b"MemoryError: on purpose"
    answer = read_frame(answers)
    assert (answer[:1], len(answer)) == (DONE, 1 + 3 * 512 * 4)
    with pytest.raises(EOFError):
        read_frame(answers)


def test_a_process_that_only_encodes_imports_nothing_that_reads_text() -> None:
    code = (
        "import sys, indexer.encode_worker\n"
        "heavy = {'search.text', 'rjieba', 'opencc', 'faiss', 'whoosh', 'torch', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- what is kept


_ITEMS: list[Item] = [item for batch in _BATCHES for item in batch]


def test_rows_stand_in_the_order_of_the_items_and_are_encoded_once(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    with VectorCache(tmp_path / "v.sqlite") as cache:
        seen: list[tuple[int, int]] = []
        found, encoded = cache.encode(
            embedder, _ITEMS, progress=lambda done, total: seen.append((done, total))
        )
        wanted = np.concatenate(
            [rows for batch in _BATCHES for rows in encode_batch(HashingEmbedder(), batch)]
        )
        np.testing.assert_array_equal(found, wanted)
        assert encoded == len(found) // 3 == 11  # every item stands there three times
        assert seen == [(0, 11), (4, 11), (11, 11)]  # texts first
        again, encoded = cache.encode(embedder, _ITEMS)
        assert encoded == 0
        np.testing.assert_array_equal(again, found)


def test_a_passage_is_not_taken_for_another_that_is_cut_otherwise(tmp_path: Path) -> None:
    items: list[Item] = [
        TitledPassage("a", ("b", "c"), "en"),
        TitledPassage("a", ("b c",), "en"),
        TitledPassage("a b", ("c",), "en"),
        TitledPassage("a", ("b", "c"), "zh-Hans"),
        "a. b c",
    ]
    with VectorCache(tmp_path / "v.sqlite") as cache:
        for item in items:
            assert cache.encode(HashingEmbedder(), [item])[1] == rows_of(item)


def test_far_more_than_is_asked_for_is_given_up_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v.sqlite"
    embedder = HashingEmbedder(512)
    monkeypatch.setattr(vectors, "_LEAST", 1 << 20)
    texts = [f"text {number}" for number in range(2000)]  # 4 MB
    with VectorCache(path) as cache:
        cache.encode(embedder, texts)
        cache.trim()  # all was asked for
        assert cache.encode(embedder, texts)[1] == 0
    before = path.stat().st_size
    with VectorCache(path) as cache:
        cache.encode(embedder, texts[:10])
        cache.trim()
        assert cache.encode(embedder, texts[:10])[1] == 0
        assert cache.encode(embedder, texts[-100:])[1] == 0  # the newest
        assert cache.encode(embedder, texts[10:200])[1] == 190
    assert path.stat().st_size < before / 2


def test_a_cache_of_another_version_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE vectors (model TEXT, text_hash BLOB, vector BLOB)")
    connection.close()
    with VectorCache(path) as cache:
        assert cache.encode(HashingEmbedder(), ["a"])[1] == 1
    with VectorCache(path) as cache:
        assert cache.encode(HashingEmbedder(), ["a"])[1] == 0
