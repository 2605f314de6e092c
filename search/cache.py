"""Bounded memories of what was computed before, shared by the threads of a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from search.types import Embedder, Vectors

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class CacheMeter(Protocol):
    """Hears what a cache does; called under its lock, so it must be quick and must not ask back."""

    def hit(self) -> None: ...

    def miss(self) -> None: ...

    def drop(self) -> None:
        """An entry made room for another."""
        ...

    def hold(self, entries: int) -> None:
        """How many entries there are now."""
        ...


@dataclass(slots=True)
class CacheCounts:
    """A meter that only counts."""

    hits: int = 0
    misses: int = 0
    dropped: int = 0
    entries: int = 0

    def hit(self) -> None:
        self.hits += 1

    def miss(self) -> None:
        self.misses += 1

    def drop(self) -> None:
        self.dropped += 1

    def hold(self, entries: int) -> None:
        self.entries = entries


class Cache(Generic[Key, Value]):
    """The `size` values used last; a cache of size 0 remembers nothing and counts nothing.

    Values are handed out as they are, so they must never be changed.
    """

    def __init__(self, size: int, meter: CacheMeter | None = None) -> None:
        self.size = size
        self.meter = CacheCounts() if meter is None else meter
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        if size:
            self.meter.hold(0)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """The value of a key, which is now the one used last, or None."""
        if not self.size:
            return None
        with self._lock:
            value = self._values.get(key)
            if value is None:
                self.meter.miss()
                return None
            self._values.move_to_end(key)
            self.meter.hit()
            return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value; the one unused for longest makes room where there is none."""
        if not self.size:
            return
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self.size:
                self._values.popitem(last=False)
                self.meter.drop()
            self.meter.hold(len(self._values))

    def clear(self) -> None:
        """Forget everything; what was counted stays counted."""
        with self._lock:
            self._values.clear()
            if self.size:
                self.meter.hold(0)


class RememberingEmbedder:
    """An embedder that encodes a query it has just encoded no second time.

    Documents go straight through. A text encoded alone and one encoded among others may differ in
    the last bits of a float, as they do without a memory.
    """

    def __init__(self, inner: Embedder, cache: Cache[str, Vectors]) -> None:
        self._inner = inner
        self._cache = cache

    @property
    def model_id(self) -> str:
        return self._inner.model_id

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) rows of length 1; only texts that are not remembered are encoded."""
        known = {text: self._cache.get(text) for text in dict.fromkeys(texts)}
        missing = [text for text, vector in known.items() if vector is None]
        if missing:
            for text, vector in zip(missing, self._inner.encode_queries(missing), strict=True):
                own = vector.copy()  # a view would keep its whole batch in memory
                own.flags.writeable = False
                self._cache.put(text, own)
                known[text] = own
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        return np.stack([vector for text in texts if (vector := known[text]) is not None])

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """As the embedder itself."""
        return self._inner.encode_documents(texts)
