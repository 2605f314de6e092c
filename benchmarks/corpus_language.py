"""Sentences with a natural distribution of words: a Markov chain over real ones, and a long tail.

The chain is fitted on the shipped articles, so the frequent words are frequent as there; rarer
content words are replaced by words of a tail that follows Zipf's law and grows with the corpus.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random

import rjieba
from pypinyin.phrases_dict import phrases_dict

from indexer.articles import Library
from indexer.passages import split_article
from search.lexicon import english
from search.text import HAN, simplify, stop_words

_END = -1
_CONTEXT = 0.6
"""How often two words before decide the next one, where such a pair is known; else one does."""
_SWAP = 0.3
"""Share of content words that come from the tail: as much as rarer words than the shipped
articles' few thousand make up in running text."""
_OF_TOPIC = 0.65
"""Share of tail words that are of the article's own few, for words come in bursts."""
_INVENTED = 0.04
"""Share of tail words that no dictionary has: codes and names, most of them new."""
_NEW_NUMBER = 0.5
_LARGEST_CODE = 1e7
_MANDELBROT = 60.0  # rank shift of the Chinese tail, whose words have no counts

_DIGITS = re.compile(r"\d+")
_HAN_WORD = re.compile(f"[{HAN}]{{2,}}")
_ENGLISH_WORD = re.compile(r"([a-z]{4,})([,;:.!?]?)")
_UNFIT = re.compile(r"[][<>&*_`|#{}~^\\\"'“”‘’()（）「」《》\n]")
"""Markup, and pairs of marks that a chain would open and not close."""
_ENDS = (".", "!", "?", "。", "！", "？")
_INNER_STOP = re.compile(r"[.!?。！？；;](?=.)")


@dataclass(frozen=True, slots=True)
class Base:
    """What the shipped articles say in one language, by the kind of text."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    headings: tuple[str, ...]


def read_base(library: Library, locale: str) -> Base:
    """Sentences, questions and headings of a library's articles of one locale."""
    sentences: list[str] = []
    questions: list[str] = []
    headings: list[str] = []
    for file in library.published:
        if file.locale != locale:
            continue
        front = file.parsed.front
        for passage in split_article(
            article_id=front.id, locale=locale, title=front.title, html=file.rendered.html
        ):
            sentences += [text for text in passage.sentences if text.endswith(_ENDS)]
        questions += front.questions
        headings += [front.title, *(heading.title for heading in file.rendered.headings)]
    for topic in library.outside[locale].topics:
        questions += topic.questions
    return Base(_fit(sentences), _fit(questions), _fit(headings))


def _fit(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts of one sentence without markup that begin with a letter, each once."""
    return tuple(
        dict.fromkeys(
            text
            for text in texts
            if text[:1].isalpha() and not _UNFIT.search(text) and not _INNER_STOP.search(text)
        )
    )


class Tail:
    """Words beyond the shipped articles' own, drawn by their probability."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._words = list(weights)
        self._bounds = list(accumulate(weights.values()))

    def draw(self, random: Random) -> str:
        return self._words[bisect(self._bounds, random.random() * self._bounds[-1])]


class English:
    """How English is cut, joined and extended."""

    locale = "en"
    lengths = (10, 26)  # words of a sentence

    def cut(self, text: str) -> list[str]:
        return text.split()

    def join(self, tokens: Sequence[str]) -> str:
        return " ".join(tokens)

    def length(self, tokens: Sequence[str]) -> int:
        return len(tokens)

    def content(self, token: str) -> tuple[str, str] | None:
        """A word that may be replaced and the punctuation after it."""
        match = _ENGLISH_WORD.fullmatch(token)
        return None if match is None or match[1] in stop_words() else (match[1], match[2])

    def tail(self, known: set[str]) -> Tail:
        return Tail(
            {
                word: math.exp(log)
                for word, log in english().log_probabilities.items()
                if len(word) > 3
                and word.isalpha()
                and word not in known
                and word not in stop_words()
            }
        )

    def invent(self, random: Random) -> str:
        """A code such as `kv4821`: short ones come again, long ones are new."""
        letters = random.choice("abdkmprtvx") + random.choice("acehlnrsvw")
        return f"{letters}{int(_LARGEST_CODE ** random.random()) + 10}"


class Chinese:
    """How Chinese is cut, joined and extended."""

    locale = "zh-Hans"
    lengths = (22, 46)  # characters of a sentence

    def __init__(self, words: Iterable[str]) -> None:
        self._jieba = rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, 1_000_000, "n")
        self._characters: Tail | None = None

    def cut(self, text: str) -> list[str]:
        return list(self._jieba.cut(text))

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)

    def length(self, tokens: Sequence[str]) -> int:
        return sum(map(len, tokens))

    def content(self, token: str) -> tuple[str, str] | None:
        """A word that may be replaced, and nothing after it: marks are tokens of their own."""
        known = _HAN_WORD.fullmatch(token) and token not in stop_words()
        return (token, "") if known else None

    def tail(self, known: set[str]) -> Tail:
        """A dictionary's words; those of frequent characters, and short ones, come first."""
        counts = Counter(character for word in sorted(known) for character in word)
        self._characters = Tail({c: float(n) for c, n in counts.items() if _is_han(c)})

        def rarity(word: str) -> float:
            missing = sum(-math.log(counts[character] + 0.2) for character in word) / len(word)
            return missing + 1.5 * len(word) + Random(word).gauss(0, 1)

        words = sorted(
            (
                word
                for word in phrases_dict
                if 2 <= len(word) <= 4
                and all(map(_is_han, word))
                and word not in known
                and simplify(word) == word
            ),
            key=rarity,
        )
        return Tail({word: 1 / (rank + _MANDELBROT) for rank, word in enumerate(words)})

    def invent(self, random: Random) -> str:
        """A name of two or three characters, or a code."""
        if self._characters is None or random.random() < 0.3:
            return f"{random.choice('ABDKMPRTVX')}{int(_LARGEST_CODE ** random.random()) + 10}"
        return "".join(self._characters.draw(random) for _ in range(random.choice((2, 2, 3))))


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


class Chain:
    """Words by the one or two before them, as they follow each other in some texts."""

    def __init__(self, language: English | Chinese, texts: Iterable[str]) -> None:
        self._language = language
        self.tokens: list[str] = []
        numbers: dict[str, int] = {}
        after: defaultdict[int, list[int]] = defaultdict(list)
        after_two: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for text in texts:
            line = [numbers.setdefault(token, len(numbers)) for token in language.cut(text)]
            for one, two, three in zip(
                [_END, _END, *line], [_END, *line], [*line, _END], strict=False
            ):
                after[two].append(three)
                after_two[one, two].append(three)
        self.tokens = list(numbers)
        self._after = dict(after)
        # A pair with one continuation would only copy the text it is from.
        self._after_two = {pair: next_ for pair, next_ in after_two.items() if len(set(next_)) > 1}
        self._content = [language.content(token) for token in self.tokens]
        self._digits = [bool(_DIGITS.search(token)) for token in self.tokens]

    @cached_property
    def words(self) -> set[str]:
        """The content words of the chain."""
        return {content[0] for content in self._content if content}

    def say(self, random: Random, topic: Topic, lengths: tuple[int, int]) -> list[str]:
        """Tokens of a text whose length lies between the two."""
        shortest, longest = lengths
        while True:
            tokens = self._try(random, topic, longest)
            if tokens is not None and shortest <= self._language.length(tokens) <= longest:
                return tokens

    def _try(self, random: Random, topic: Topic, most: int) -> list[str] | None:
        """A walk from the start to the end of a text, None where it goes on too long."""
        uniform = random.random
        tokens: list[str] = []
        before, now = _END, _END
        while True:
            choices = self._after_two.get((before, now)) if uniform() < _CONTEXT else None
            if choices is None:
                choices = self._after[now]
            before, now = now, choices[int(uniform() * len(choices))]
            if now == _END:
                return tokens
            if len(tokens) == most:
                return None
            token = self.tokens[now]
            content = self._content[now]
            if content is not None and uniform() < _SWAP:
                token = topic.word(random) + content[1]
            elif self._digits[now] and uniform() < _NEW_NUMBER:
                token = _DIGITS.sub(lambda found: _number(random, len(found[0])), token)
            tokens.append(token)


def _number(random: Random, digits: int) -> str:
    return str(random.randrange(1, 10**digits))


class Topic:
    """The tail words of one article: a few of its own that come again, and any others."""

    _SIZE = 16
    _SKEW = 1.3  # the first of them comes about twice as often as all do on average

    def __init__(self, random: Random, language: English | Chinese, tail: Tail) -> None:
        self._language = language
        self._tail = tail
        self.own = [self._any(random) for _ in range(self._SIZE)]

    def word(self, random: Random) -> str:
        if random.random() < _OF_TOPIC:
            return self.own[int(self._SIZE * random.random() ** self._SKEW)]
        return self._any(random)

    def _any(self, random: Random) -> str:
        if random.random() < _INVENTED:
            return self._language.invent(random)
        return self._tail.draw(random)


class Speaker:
    """Speaks one language: statements, questions and headings on a topic, none twice."""

    def __init__(self, language: English | Chinese, library: Library) -> None:
        base = read_base(library, language.locale)
        self.language = language
        self._statements = Chain(language, base.sentences)
        self._questions = Chain(language, base.questions)
        self._headings = Chain(language, base.headings)
        chains = (self._statements, self._questions, self._headings)
        self._tail = language.tail({word for chain in chains for word in chain.words})
        self.base_words = sorted(self._statements.words)
        low, high = language.lengths
        self._question_lengths = (low // 2, high)
        self._said = {hash(text) for text in (*base.sentences, *base.questions)}

    def topic(self, random: Random) -> Topic:
        return Topic(random, self.language, self._tail)

    def statement(self, random: Random, topic: Topic) -> str:
        return self._new(self._statements, random, topic, self.language.lengths)

    def question(self, random: Random, topic: Topic) -> str:
        return self._new(self._questions, random, topic, self._question_lengths)

    def passing_question(self, random: Random, topic: Topic) -> str:
        """One that is not remembered: what is asked must not change what is written later."""
        tokens = self._questions.say(random, topic, self._question_lengths)
        return self.language.join(tokens)

    def heading(self, random: Random, topic: Topic) -> str:
        low, high = self.language.lengths
        return self.language.join(self._headings.say(random, topic, (low // 4, high // 2)))

    def _new(self, chain: Chain, random: Random, topic: Topic, lengths: tuple[int, int]) -> str:
        while True:
            text = self.language.join(chain.say(random, topic, lengths))
            mark = hash(text)
            if mark not in self._said:
                self._said.add(mark)
                return text
