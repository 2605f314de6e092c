"""Encodes batches of texts and passages: in this process, or in several where it pays.

Each process computes with one thread. Two processes encode what two threads of the linear algebra
in one process do in a third less time: much of an encoding is outside its products.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

import numpy as np

from indexer.encode_worker import FAILED, read_frame, write_frame
from indexer.model_file import prepare_weights
from search.embed import UniversalSentenceEncoder, encode_passages
from search.errors import KnowledgeBaseError
from search.text import simplify
from search.types import Embedder, TitledPassage, Vectors

_WORTHWHILE = 2000  # vectors; starting a process takes as long as a few hundred of them
Item = str | TitledPassage
Encode = Callable[[Sequence[Sequence[Item]]], Iterator[list[Vectors]]]
"""From batches, each of texts or of passages, to the vectors of every item, in order."""


class EncodingFailed(KnowledgeBaseError):
    """A process that encodes has ended, or has met an error."""


@contextmanager
def encoders(embedder: Embedder, *, workers: int, rows: int) -> Iterator[Encode]:
    """What encodes batches of `rows` vectors in all, with up to `workers` processes (0: all cores).

    Only the bundled model is spread over processes: others bring threads of their own.
    """
    bundled = embedder if isinstance(embedder, UniversalSentenceEncoder) else None
    if bundled and bundled.cache and rows:
        prepare_weights(bundled.cache, thorough=True)
    count = workers or os.cpu_count() or 1
    if bundled and count > 1 and rows >= _WORTHWHILE:
        with _Workers(count, bundled.cache) as pool:
            yield pool.encode
    else:
        yield lambda batches: (encode_batch(embedder, batch) for batch in batches)


def rows_of(item: Item) -> int:
    """How many vectors an item has."""
    return 1 if isinstance(item, str) else len(item.sentences) + 1


def encode_batch(embedder: Embedder, batch: Sequence[Item]) -> list[Vectors]:
    """The vectors of each text, or of each passage, as the model is to read it."""
    if isinstance(batch[0], str):
        texts = [simplify(item) for item in batch if isinstance(item, str)]
        return list(embedder.encode_documents(texts)[:, None])
    return encode_passages(embedder, _simplified(batch))


def _simplified(batch: Sequence[Item]) -> list[TitledPassage]:
    return [
        TitledPassage(simplify(item.title), tuple(map(simplify, item.sentences)), item.locale)
        for item in batch
        if isinstance(item, TitledPassage)
    ]


class _Workers:
    """Processes that run indexer/encode_worker.py, each with one request at a time.

    They hold nothing: when this process ends, however it does, they read the end of their input
    and end too, and an interrupt from the keyboard reaches only this process.
    """

    def __init__(self, count: int, cache: Path | None) -> None:
        command = [sys.executable, "-P", "-m", "indexer.encode_worker", str(cache or "")]
        self._processes = [
            subprocess.Popen(  # noqa: S603 (our own module)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
            )
            for _ in range(count)
        ]
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count, "encoding")

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):  # of a request that was being written
                    cast(IO[bytes], pipe).close()

    def encode(self, batches: Sequence[Sequence[Item]]) -> Iterator[list[Vectors]]:
        """Raises `EncodingFailed` with what went wrong in a process."""
        return self._threads.map(self._ask, batches)

    def _ask(self, batch: Sequence[Item]) -> list[Vectors]:
        process = self._idle.get()
        try:
            write_frame(cast(IO[bytes], process.stdin), _request(batch))
            answer = read_frame(cast(IO[bytes], process.stdout))
        except (EOFError, OSError) as error:
            raise EncodingFailed(
                f"a process that encodes has ended with exit code {process.wait()}; "
                "set KB_INDEX_WORKERS=1 if memory is short"
            ) from error
        finally:
            self._idle.put(process)  # a dead one too: who gets it learns of it at once
        if answer[:1] == FAILED:
            raise EncodingFailed(f"encoding failed in a process: {answer[1:].decode()}")
        rows = np.frombuffer(answer, np.float32, offset=1).reshape(sum(map(rows_of, batch)), -1)
        return np.split(rows, np.cumsum([rows_of(item) for item in batch])[:-1])


def _request(batch: Sequence[Item]) -> bytes:
    if isinstance(batch[0], str):
        request: object = [simplify(item) for item in batch if isinstance(item, str)]
    else:
        request = [[item.title, item.sentences] for item in _simplified(batch)]
    return json.dumps(request).encode()
