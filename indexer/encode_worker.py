"""A process that encodes for another: requests on its standard input, vectors on its output.

A frame is its length in 8 bytes and its content. A request is JSON, a list of texts or of passages
as [title, sentences]; an answer is one byte that says whether it went well, then the rows of all
vectors in 32 bits, or what went wrong. What text needs besides the model is not imported here:
that would take longer than the model does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import threadpoolctl

from search.use_encoder import UniversalSentenceEncoder

DONE = b"+"
FAILED = b"!"
_LENGTH = 8  # bytes


@dataclass(frozen=True, slots=True)
class _Passage:
    """As much of a `TitledPassage` as the model reads."""

    title: str
    sentences: Sequence[str]


def serve(requests: IO[bytes], answers: IO[bytes], encoder: UniversalSentenceEncoder) -> None:
    """Answer requests until they end."""
    while True:
        try:
            request = read_frame(requests)
        except EOFError:
            return
        try:
            answer = DONE + _encode(encoder, json.loads(request)).tobytes()
        except Exception as error:  # whatever it is, the process that asked is to say it
            answer = FAILED + f"{type(error).__name__}: {error}".encode()
        write_frame(answers, answer)


def _encode(encoder: UniversalSentenceEncoder, items: list[Any]) -> np.ndarray[Any, Any]:
    if isinstance(items[0], str):
        return encoder.encode_documents(items)
    return np.concatenate(encoder.encode_passages([_Passage(*item) for item in items]))


def write_frame(file: IO[bytes], content: bytes) -> None:
    file.write(len(content).to_bytes(_LENGTH))
    file.write(content)
    file.flush()


def read_frame(file: IO[bytes]) -> bytes:
    """Raises `EOFError` when the other side has ended."""
    length = file.read(_LENGTH)
    content = file.read(int.from_bytes(length)) if len(length) == _LENGTH else b""
    if len(length) < _LENGTH or len(content) < int.from_bytes(length):
        raise EOFError
    return content


def main(cache: str) -> None:
    """Serve on the standard streams with the weights unpacked in `cache`, if it is given."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not end up among the answers
    encoder = UniversalSentenceEncoder(Path(cache) if cache else None)
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        serve(sys.stdin.buffer, answers, encoder)


if __name__ == "__main__":
    main(sys.argv[1])
