"""Writes the vocabulary of a generation, counting only the words of articles that have changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from indexer.blob_cache import BlobCache
from indexer.content import Content
from indexer.fingerprint import version_of
from search.sounds import sound_of
from search.text import Tokeniser
from search.types import Article, Passage
from search.vocabulary import Vocabulary, collect, count_words, has_sound, make_vocabulary

MODULES = (
    "indexer.vocabulary", "search.errors", "search.pinyin", "search.sounds", "search.text",
    "search.typed", "search.vocabulary",
)  # fmt: skip
"""What the counts kept in a cache were made by."""
_WORDS = b"words"  # no digest is as short


def write_vocabulary(
    folder: Path, content: Content, tokeniser: Tokeniser, *, cache: Path | None = None
) -> None:
    """Write the vocabulary of all texts into a generation's folder.

    With the path of a cache and articles that have keys, only those that are new are counted.
    """
    rows = content.passages_by_article()

    def texts(row: int) -> Iterator[str]:
        own = [content.passages[passage] for passage in rows[row]]
        return texts_of(content.articles[row], own)

    if cache is not None and content.keys:
        keys = [bytes.fromhex(key) for key in content.keys]
        vocabulary = _collect(keys, texts, tokeniser, cache)
    else:
        every = (text for row in range(len(rows)) for text in texts(row))
        vocabulary = collect(every, tokeniser)
    vocabulary.save(folder)


def texts_of(article: Article, passages: Iterable[Passage]) -> Iterator[str]:
    """Everything a reader can read of an article or an editor has written for the search."""
    yield from (article.title, *article.questions, *article.tags)
    for passage in passages:
        yield from (*passage.headings[1:], passage.text)


def _collect(
    keys: Sequence[bytes], texts: Callable[[int], Iterable[str]], tokeniser: Tokeniser, cache: Path
) -> Vocabulary:
    with BlobCache(cache, version=version_of(MODULES, tokeniser.words)) as blobs:
        known = blobs.load()
        stale = known.keys() - {*keys, _WORDS}
        if _WORDS not in known:
            known.clear()  # numbers of words that nobody knows any more
        words = _Words(known.pop(_WORDS, b""))
        new: dict[bytes, bytes] = {}
        for row, key in enumerate(keys):
            if key not in known and key not in new:
                counts = count_words(texts(row), tokeniser)
                pairs = [(words.number(word), count) for word, count in counts.items()]
                new[key] = np.array(pairs, np.uint32).tobytes()
        for word in tokeniser.words:
            words.number(word)
        blobs.update({**new, _WORDS: words.encode()} if new else {}, stale)
        known.update(new)
    return make_vocabulary(words.totals([known[key] for key in keys]), tokeniser, words.sound)


class _Words:
    """Words by number, each with its sound. Those that are no longer used keep their number."""

    def __init__(self, encoded: bytes) -> None:
        lines = encoded.decode().split("\n") if encoded else []
        self._sounds = dict(zip(lines[::2], lines[1::2], strict=True))
        self._numbers = {word: number for number, word in enumerate(self._sounds)}

    def encode(self) -> bytes:
        return "\n".join(itertools.chain.from_iterable(self._sounds.items())).encode()

    def number(self, word: str) -> int:
        """The number of a word, which may be new."""
        found = self._numbers.setdefault(word, len(self._numbers))
        if found == len(self._sounds):
            self._sounds[word] = sound_of(word) if has_sound(word) else ""
        return found

    def sound(self, word: str) -> str:
        return self._sounds[word]

    def totals(self, counted: Iterable[bytes]) -> dict[str, int]:
        """The sum of all counts, each (n, 2) numbers of words and how often they stand."""
        pairs = np.frombuffer(b"".join(counted), np.uint32).reshape(-1, 2)
        sums = np.bincount(pairs[:, 0], weights=pairs[:, 1], minlength=len(self._sounds))
        counts = sums.astype(np.int64).tolist()
        return {word: count for word, count in zip(self._sounds, counts, strict=True) if count}
