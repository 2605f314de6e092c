"""Finds the operators of a query in what a customer typed, and nothing that only looks like one.

Most texts have none: a hyphen, a colon, a quoted word or a NOT in capitals is ordinary writing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import zip_longest

from search.text import HAN, normalise, stop_words, text_length

FIELDS = ("title", "question")
"""Names that may stand before a colon."""
_LONGEST = 200  # characters; whoever writes more is telling a story
_MOST = 8  # operators, for the same reason; it also bounds what a query can cost
_DEEPEST = 4  # brackets in brackets

_HINT = re.compile(r'["“:*]|[ (]-|[ )](?:AND|OR)[ (]')
_LEXEME = re.compile(
    rf"""
    (?<![^\s(:\-])["“](?=\S)(?P<phrase>[^"“”]+)(?<=\S)["”](?![^\s)])
    | (?<![^\s(\-])(?P<field>{"|".join(FIELDS)}):(?=[\w"“])
    | (?<=[ (])(?P<minus>-)(?=[^\W\d_]|["“])
    | (?<=[ )])(?:(?P<and>AND)|(?P<or>OR))(?=[ (])
    | (?<![^ (])(?P<not>NOT)(?=[ (])
    | (?<![\w*])(?P<prefix>[{HAN}]{{3,}}|(?=(?:\d*[^\W\d_]){{3}})(?:(?![{HAN}])[^\W_])+)\*(?![\w*])
    | (?P<open>\() | (?P<close>\))
    | (?P<word>[{HAN}]+|(?:(?![{HAN}])[^\W_])+(?:['’.-](?:(?![{HAN}])[^\W_])+)*)
    """,
    re.VERBOSE,
)
_SPECIAL = re.compile(r"[^\w'.\- ]|_")  # what a parser might read as more than a word


class Kind(Enum):
    """What a piece of a text is; the values are the groups of the expression."""

    PHRASE = auto()
    FIELD = auto()
    MINUS = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    PREFIX = auto()
    OPEN = auto()
    CLOSE = auto()
    WORD = auto()


_TERMS = {Kind.PHRASE, Kind.PREFIX, Kind.WORD}
_BRACKETS = {Kind.OPEN, Kind.CLOSE}
_JOINING = {Kind.AND, Kind.OR}
_DENYING = {Kind.NOT, Kind.MINUS}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a text and where it stands; terms are folded."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def is_content(self) -> bool:
        """Whether it is a term that says something, so that one can ask for it."""
        return self.kind in _TERMS and self.text not in stop_words()


@dataclass(frozen=True, slots=True)
class Written:
    """A text with operators in it."""

    syntax: str
    """For the parser: terms folded, and only such operators as are meant."""
    words: str
    """The text without operators and without what is excluded: what results are ranked by."""


def find_operators(text: str) -> Written | None:
    """The operators of a text; None if it has none, which most texts have not.

    These are: double quotes around two words or more, with nothing but spaces beside them; a word
    of three letters or more that ends in `*`; `title:` or `question:` right before a word or a
    quotation; `-` after a space and right before a word; AND and OR between words that say
    something, and brackets beside them; NOT beside any other operator. All capitals, lists of `-`,
    long texts and sentences have none: where a stop word stands by itself, two kinds are needed.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if len(text) > _LONGEST or not _HINT.search(text):
        return None
    lexemes = _meant(list(_lexemes(text)), text)
    if _is_sentence(lexemes):
        return None
    denied = _denied(lexemes)
    operators = sum(lexeme.kind is not Kind.WORD for lexeme in lexemes)
    if not 0 < operators <= _MOST or not any(
        lexeme.is_content and not no for lexeme, no in zip(lexemes, denied, strict=True)
    ):
        return None
    return Written(_syntax(lexemes), _remaining(text, lexemes, denied))


def _lexemes(text: str) -> Iterator[Lexeme]:
    """The pieces of a text, whether or not they are meant as operators."""
    after_operator = False
    for match in _LEXEME.finditer(text):
        name = str(match.lastgroup)
        kind, piece, (start, end) = Kind[name.upper()], match[name], match.span()
        if kind is Kind.PHRASE and not after_operator and text_length(piece) < 2:
            kind = Kind.WORD  # one quoted word is ordinary writing
        if kind in _TERMS:
            piece = _SPECIAL.sub(" ", normalise(piece)).strip()
        if piece:
            yield Lexeme(kind, piece, start, end)
        after_operator = kind in (Kind.FIELD, Kind.MINUS)


def _meant(lexemes: Sequence[Lexeme], text: str) -> list[Lexeme]:
    """Without operators that are none: those of a list or in capitals, those without operands."""
    if text.startswith("-"):
        lexemes = _without(lexemes, {Kind.MINUS})
    if text.count("*") > sum(lexeme.kind is Kind.PREFIX for lexeme in lexemes):
        lexemes = [  # some mark emphasis
            replace(lexeme, kind=Kind.WORD) if lexeme.kind is Kind.PREFIX else lexeme
            for lexeme in lexemes
        ]
    if text == text.upper() and text != text.lower() and not re.search(f"[{HAN}]", text):
        lexemes = _without(lexemes, {Kind.AND, Kind.OR, Kind.NOT})
    while True:  # what is taken away may have been another's operand
        fewer = _with_operands(_balanced(lexemes))
        kinds = {lexeme.kind for lexeme in fewer}
        if not kinds - {Kind.WORD, Kind.NOT, *_BRACKETS}:
            fewer = _without(fewer, {Kind.NOT})
        if not kinds & _JOINING:
            fewer = _without(fewer, _BRACKETS)
        if len(fewer) == len(lexemes):
            return fewer
        lexemes = fewer


def _is_sentence(lexemes: Sequence[Lexeme]) -> bool:
    """Whether what looks like operators may be emphasis, a quotation or a footnote."""
    kinds = {Kind.AND if lexeme.kind is Kind.OR else lexeme.kind for lexeme in lexemes}
    return (
        Kind.FIELD not in kinds
        and len(kinds & {Kind.PHRASE, Kind.PREFIX, Kind.MINUS, Kind.AND}) < 2
        and any(lexeme.kind is Kind.WORD and not lexeme.is_content for lexeme in lexemes)
    )


def _balanced(lexemes: Sequence[Lexeme]) -> list[Lexeme]:
    """Without brackets if these do not pair, are empty or too deep."""
    depth = 0
    fine = True
    for lexeme, following in zip_longest(lexemes, lexemes[1:]):
        depth += (lexeme.kind is Kind.OPEN) - (lexeme.kind is Kind.CLOSE)
        fine = fine and 0 <= depth <= _DEEPEST
        if lexeme.kind is Kind.OPEN and following is not None:
            fine = fine and following.kind is not Kind.CLOSE
    return list(lexemes) if fine and depth == 0 else _without(lexemes, _BRACKETS)


def _with_operands(lexemes: Sequence[Lexeme]) -> list[Lexeme]:
    """Without operators that have nothing to work on."""
    found: list[Lexeme] = []  # built from the end, so that what follows has been decided
    for place in range(len(lexemes) - 1, -1, -1):
        lexeme = lexemes[place]
        following = found[-1] if found else None
        touching = following is not None and following.start - lexeme.end <= 1
        if lexeme.kind is Kind.FIELD:
            fine = touching and _begins_operand(following)
        elif lexeme.kind is Kind.MINUS:
            fine = touching and _begins_operand(following, Kind.FIELD)
        elif lexeme.kind is Kind.NOT:
            fine = _begins_operand(following, Kind.FIELD, Kind.OPEN)
        elif lexeme.kind in _JOINING:
            before = lexemes[place - 1] if place else None
            ends = before is not None and (before.is_content or before.kind is Kind.CLOSE)
            fine = ends and _begins_operand(following, Kind.FIELD, Kind.OPEN, *_DENYING)
        else:
            fine = True
        if fine:
            found.append(lexeme)
    return found[::-1]


def _begins_operand(lexeme: Lexeme | None, *others: Kind) -> bool:
    return lexeme is not None and (lexeme.is_content or lexeme.kind in others)


def _without(lexemes: Sequence[Lexeme], kinds: set[Kind]) -> list[Lexeme]:
    return [lexeme for lexeme in lexemes if lexeme.kind not in kinds]


def _denied(lexemes: Sequence[Lexeme]) -> list[bool]:
    """Which lexemes belong to what is excluded."""
    denied = [False] * len(lexemes)
    for place, lexeme in enumerate(lexemes):
        if lexeme.kind not in _DENYING:
            continue
        end, depth = place, 0
        while True:  # to the end of the operand: a term, or a bracket and what is in it
            kind = lexemes[end].kind
            denied[end] = True
            depth += (kind is Kind.OPEN) - (kind is Kind.CLOSE)
            if depth == 0 and (kind in _TERMS or kind is Kind.CLOSE):
                break
            end += 1
    return denied


def _syntax(lexemes: Sequence[Lexeme]) -> str:
    written = {
        Kind.PHRASE: '"{}" ', Kind.FIELD: "{}:", Kind.MINUS: "NOT ", Kind.NOT: "NOT ",
        Kind.AND: "AND ", Kind.OR: "OR ", Kind.PREFIX: "{}* ", Kind.OPEN: "( ",
        Kind.CLOSE: ") ", Kind.WORD: "{} ",
    }  # fmt: skip
    return "".join(written[lexeme.kind].format(lexeme.text) for lexeme in lexemes)


def _remaining(text: str, lexemes: Sequence[Lexeme], denied: Sequence[bool]) -> str:
    """The text as it stands but for its operators and what is excluded."""
    pieces, place = [], 0
    for lexeme, no in zip(lexemes, denied, strict=True):
        if lexeme.kind is Kind.WORD and not no:
            continue
        pieces.append(text[place : lexeme.start])
        if not no and lexeme.kind in (Kind.PHRASE, Kind.PREFIX):
            pieces.append(text[lexeme.start : lexeme.end].strip('"“”*'))
        place = lexeme.end
    return " ".join(" ".join([*pieces, text[place:]]).split())
