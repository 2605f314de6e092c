"""The one normaliser and tokeniser, used alike when building and when querying.

Two texts that a reader would call the same (full or half width, Traditional or Simplified,
upper or lower case, accented or not) normalise to the same string; `NORMALISER_VERSION` changes
whenever that map changes, and a generation records it.
"""

from __future__ import annotations

import importlib.resources
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import opencc
import sentencex
import Stemmer

if TYPE_CHECKING:
    import rjieba

NORMALISER_VERSION = "1"

MAX_QUERY = 5000  # characters; a long complaint has about 1,000

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN_RUN = re.compile(f"[{HAN}]+")
_TOKEN = re.compile(
    rf"(?P<han>[{HAN}]+)|(?P<word>(?:(?![{HAN}])[^\W_])+(?:'(?:(?![{HAN}])[^\W_])+)*)"
)
_WORD = re.compile(rf"(?:(?![{HAN}])[^\W_])+(?:'(?:(?![{HAN}])[^\W_])+)*")
# The same, several times as fast, for what has no other letters.
_ASCII_TOKEN = re.compile(r"(?P<han>(?!))|(?P<word>[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*)")
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_OTHER_LETTERS = re.compile(rf"(?![{HAN}])[^\W_a-z0-9]")
_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_PIECE = 4
_TRADITIONAL = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF))
_ACCENTS = re.compile("[\u0300-\u036f]+")
_SPACES = re.compile(r"\s+")
_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\uff07": "'"})
_ENDS = tuple(".!?:;…。！？：；」』”’)）\"'")
# Not between `？` and `！`, and not before the quotation mark or bracket that closes.
_TERMINATORS = re.compile(r"(?<=[。！？；!?;])(?![。！？；!?;.…~～”’」』）)】》\"'])")
_LONGEST_REMEMBERED = 5000  # characters
_LONGEST_STRETCH = 4000  # characters; sentencex takes quadratic time


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Words that say nothing of a topic; a query made of nothing else keeps them."""
    text = (importlib.resources.files("search.data") / "stopwords.txt").read_text("utf-8")
    return frozenset(
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    )


class _Simpler(dict[int, int]):
    """Traditional to Simplified, one character to one; filled as characters are met.

    Phrase tables (乾隆, 乾燥) read the context, so a substring could convert differently from the
    text it was copied from; a map of single characters cannot. Source: OpenCC's t2s tables.
    """

    def __missing__(self, code: int) -> int:
        simpler = code
        if any(low <= code <= high for low, high in _TRADITIONAL):
            once = _one_to_one(chr(code))
            simpler = ord(_one_to_one(once))  # what is simpler than one may have one yet simpler
        if code <= _TRADITIONAL[-1][1]:  # who sends every character there is fills no memory
            self[code] = simpler
        return simpler


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _one_to_one(character: str) -> str:
    found = _converter().convert(character)
    return found if len(found) == 1 else character


_SIMPLER = _Simpler()


def simplify(text: str) -> str:
    """NFKC and Traditional to Simplified, nothing else: what a model is to read.

    Case and accents carry meaning for a model; which script or width a text is typed in does not.
    """
    text = unicodedata.normalize("NFKC", text)
    return text.translate(_SIMPLER) if _HAN_RUN.search(text) else text


@lru_cache(maxsize=2000)  # one question is folded for several purposes
def normalise(text: str) -> str:
    """Fold `text` to the form that is indexed and searched; idempotent.

    NFKC, Traditional to Simplified, case folding, accents off Latin, Greek and Cyrillic letters,
    invisible characters out, white space to single spaces.
    """
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    if not text.isascii():
        if _HAN_RUN.search(text):
            text = text.translate(_SIMPLER)
        text = unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    if not text.isprintable():
        hidden = {ord(c): _visible(c) for c in set(text) if not c.isprintable()}
        # What an invisible character kept apart may now compose.
        text = unicodedata.normalize("NFKC", text.translate(hidden))
    return _SPACES.sub(" ", text).strip()


def _visible(character: str) -> str:
    """The character itself, a space for a control character, nothing for mere formatting."""
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else character


def is_mostly_han(text: str) -> bool:
    """Whether a reader would call the text Chinese: a Han character counts as much as a word."""
    han = sum(map(len, _HAN_RUN.findall(text)))
    return han > 0 and han >= sum(1 for _, word in _TOKEN.findall(text) if word)


def guess_locale(text: str) -> str:
    """The locale a text is most likely written in: `en` or `zh-Hans`."""
    return "zh-Hans" if is_mostly_han(text) else "en"


def text_length(text: str) -> int:
    """Words, each Han character counting as one."""
    return sum(len(m[0]) if m["han"] else 1 for m in _TOKEN.finditer(normalise(text)))


def split_sentences(text: str) -> list[str]:
    """Sentences of running text in either language, in order, without empty ones.

    A line break always ends a sentence; sentencex knows abbreviations and quotation marks, and
    Chinese semicolons end a clause that stands by itself.
    """
    sentences: list[str] = []
    for line in text.splitlines():
        if not (line := line.strip()):
            continue
        language = "zh" if is_mostly_han(line) else "en"
        for stretch in _stretches(line):
            for sentence in sentencex.segment(language, stretch):
                parts = _TERMINATORS.split(sentence) if language == "zh" else [sentence]
                sentences.extend(part.strip() for part in parts if part.strip())
    return sentences


def _stretches(line: str) -> Iterator[str]:
    """The line itself, or a very long one cut after a sentence's end or at least after a word."""
    while len(line) > _LONGEST_STRETCH:
        cut = next(
            (end + 1 for mark in "。！？. " if (end := line.rfind(mark, 1, _LONGEST_STRETCH)) > 0),
            _LONGEST_STRETCH,
        )
        yield line[:cut]
        line = line[cut:]
    yield line


def join_sentences(sentences: Iterable[str], locale: str) -> str:
    """Sentences as running text; rows and items without a full stop are set apart by semicolons."""
    chinese = locale.startswith("zh")
    parts: list[str] = []
    for sentence in sentences:
        if parts and not parts[-1].endswith(_ENDS):
            parts[-1] += "；" if chinese else ";"
        parts.append(sentence)
    return ("" if chinese else " ").join(parts)


def _tokens_in(text: str) -> Iterator[re.Match[str]]:
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).finditer(text)


@dataclass(frozen=True, slots=True)
class Token:
    """One indexed term and the characters of the normalised text it came from."""

    text: str
    start: int
    end: int


class Tokeniser:
    """Cuts normalised text into terms.

    Latin words are stemmed (Snowball English); mixed tokens such as `iphone15` also give their
    parts. Chinese runs are cut by jieba in search mode, with the domain's own words kept whole.
    Segmentation alone never decides whether something is found: `grams` gives the character
    pairs that any copied run of two characters must match.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words = tuple(sorted({normalise(word) for word in words if word.strip()}))
        self._jieba: rjieba.Jieba | None = None
        # One question is cut for several purposes.
        self._remembered = lru_cache(maxsize=200)(lambda text: tuple(self._cut(text)))
        self.stem: Callable[[str], str] = lru_cache(maxsize=50_000)(
            Stemmer.Stemmer("english").stemWord
        )

    def _segmenter(self) -> rjieba.Jieba:
        if self._jieba is None:  # 0.4 s with its import, so only once Chinese is seen
            import rjieba

            segmenter = rjieba.Jieba()
            for word in self.words:
                segmenter.add_word(word, 1_000_000, "n")
            self._jieba = segmenter
        return self._jieba

    def tokens(self, normalised: str) -> Sequence[Token]:
        """Terms of an already normalised text, with offsets into it."""
        if len(normalised) > _LONGEST_REMEMBERED:
            return tuple(self._cut(normalised))
        return self._remembered(normalised)

    def _cut(self, normalised: str) -> Iterator[Token]:
        for match in _tokens_in(normalised):
            start, end = match.span()
            if match["han"]:
                for word, low, high in self._segmenter().tokenize(match["han"], mode="search"):
                    yield Token(word, start + low, start + high)
                continue
            word = match["word"]
            yield Token(self.stem(word), start, end)
            parts = list(_LETTERS_OR_DIGITS.finditer(word))
            if len(parts) > 1 and "'" not in word:
                for part in parts:
                    yield Token(self.stem(part[0]), start + part.start(), start + part.end())

    def matches(self, normalised: str, wanted: Collection[str]) -> Iterator[tuple[int, int]]:
        """Where in an already normalised text the wanted terms stand.

        Chinese terms of two characters or more are found wherever they stand, single ones only
        where they are words by themselves.
        """
        latin = False
        for term in wanted:
            if term[0] < HAN[0]:
                latin = True
            elif len(term) > 1:
                start = normalised.find(term)
                while start >= 0:
                    yield start, start + len(term)
                    start = normalised.find(term, start + 1)
            elif term in normalised:
                for run in _HAN_RUN.finditer(normalised):
                    if term in run[0]:
                        yield from self._inside(run, {term})
        if not latin:
            return
        for match in (_WORD if _OTHER_LETTERS.search(normalised) else _ASCII_WORD).finditer(
            normalised
        ):
            stem = self.stem(match[0])
            if stem in wanted:
                yield match.span()
            elif not stem.isalpha():
                yield from self._inside(match, wanted)

    def _inside(self, match: re.Match[str], wanted: Collection[str]) -> Iterator[tuple[int, int]]:
        start = match.start()
        for token in self._cut(match[0]):
            if token.text in wanted:
                yield start + token.start, start + token.end

    def terms(self, text: str) -> list[str]:
        """Terms of any text, in order, repeated as often as they occur."""
        return self.terms_in(normalise(text))

    def terms_in(self, normalised: str) -> list[str]:
        """The texts of `tokens`, without saying where they stand and in half the time."""
        found: list[str] = []
        stem = self.stem
        for match in _tokens_in(normalised):
            if match["han"]:
                cut = self._segmenter().tokenize(match["han"], mode="search")
                found += [word for word, _, _ in cut]
                continue
            word = match["word"]
            found.append(stem(word))
            if not word.isalpha() and "'" not in word:
                parts = _LETTERS_OR_DIGITS.findall(word)
                if len(parts) > 1:
                    found += map(stem, parts)
        return found

    def content_terms(self, text: str) -> list[str]:
        """Terms without words that say nothing of a topic, unless there are no others."""
        return self.informative(self.terms(text))

    def informative(self, terms: list[str]) -> list[str]:
        """Terms without words that say nothing of a topic, unless there are no others."""
        said_of_nothing = stop_words()
        return [term for term in terms if term not in said_of_nothing] or terms


def grams(text: str) -> list[str]:
    """Overlapping pairs of Han characters, in order: `退款` and `款吗` of `退款吗`."""
    pairs: list[str] = []
    for run in _HAN_RUN.findall(normalise(text)):
        pairs.extend(run[i : i + 2] for i in range(len(run) - 1))
    return pairs


def pieces(text: str) -> list[str]:
    """Overlapping four-letter pieces of words of four letters or more, their ends marked.

    Of a misspelt word most pieces are still right: `refnd` shares `^ref` with `refund`.
    """
    found: list[str] = []
    for match in _TOKEN.finditer(normalise(text)):
        word = match["word"]
        if word and len(word) >= _PIECE and word not in stop_words():
            marked = f"^{word}$"
            found.extend(marked[i : i + _PIECE] for i in range(len(marked) - _PIECE + 1))
    return found
