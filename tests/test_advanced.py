"""Queries with operators: which texts have any, and which articles they find."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.advanced import Advanced, parse
from search.bm25 import FIELDS, Terms
from search.keyword import WhooshEngine
from search.operators import find_operators
from search.text import Tokeniser, grams

_TOKENISER = Tokeniser()


def _parsed(text: str) -> Advanced:
    found = parse(text, _TOKENISER)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "refund", "how do I return a gift?", "退款多久到账",
        "order no: 123", "question: where is it", "title of the page", "Question:Where is it",
        "wi-fi or e-mail", "refund - how", "refund -5 degrees", "a--b", "x --force",
        "- broken screen\n- no power", "-amazon refund", "-amazon", "refund -the",
        'the "refund" please', "the “refund” please", '15" laptop and 13" screen', '"refund', '""',
        '" "', 'it said "to', 'he said"hello there"she', "我点了“申请退款”没反应",
        'how can I say "cancel my order" in French', 'what does "not found" mean',
        'Error "invalid device signature" when trying to upload', "free returns* of the shop",
        "I ordered a phone -black", "is it a refund AND replacement",
        "*refund* now", "**refund**", "refund**", "*the whole refund* now", "5*", "100*", "re*",
        "2*3", "*",
        "REFUND AND CARD", "WHERE IS MY REFUND OR CARD", "AND", "a AND b", "refund AND", "AND card",
        "I want a refund AND an apology", "refund AND the", "refund and card", "card or refund",
        "my refund did NOT arrive", "NOT refund", "refund NOT card", "NOT", "AND OR NOT",
        "refund (see below)", "((refund))", "( AND )", "http://title.example/", "subtitle:refund",
        "title: refund", "title:", "title:-refund", 'title:""', "问题：退款没到", "“退”",
    ],
)  # fmt: skip
def test_ordinary_writing_has_no_operators(text: str) -> None:
    assert find_operators(text) is None


def test_no_question_the_shipped_articles_list_has_operators() -> None:
    from indexer.articles import read_library
    from indexer.build import gather

    library, _ = read_library(Path(__file__).parents[1] / "articles")
    texts = [text for a in gather(library).articles for text in (a.title, *a.questions)]
    assert len(texts) > 100
    # A quotation among a few keywords is a phrase.
    assert [text for text in texts if find_operators(text) and '"' not in text] == []


@pytest.mark.parametrize(
    ("text", "syntax", "words"),
    [
        ('"return label"', '"return label"', "return label"),
        ("print “Return Label”", 'print "return label"', "print Return Label"),
        (
            'how do I get a "return label" -amazon',
            'how do i get a "return label" NOT amazon',
            "how do I get a return label",
        ),
        ("＂return label＂", '"return label"', "return label"),
        ("“申请退款” 没反应", '"申请退款" 没反应', "申请退款 没反应"),
        ("refund* card", "refund* card", "refund card"),
        ("运费险* 多久", "运费险* 多久", "运费险 多久"),
        ("title:refund", "title:refund", "refund"),
        ("title：退款", "title:退款", "退款"),
        ('question:"gift card" lost', 'question:"gift card" lost', "gift card lost"),
        ('title:"refund"', 'title:"refund"', "refund"),
        ("refund -amazon", "refund NOT amazon", "refund"),
        ("refund -amazon.com now", "refund NOT amazon.com now", "refund now"),
        ("退款 -运费险 多久", "退款 NOT 运费险 多久", "退款 多久"),
        ('refund -"gift card"', 'refund NOT "gift card"', "refund"),
        ("refund -title:card", "refund NOT title:card", "refund"),
        ("refund AND card", "refund AND card", "refund card"),
        ("退款 OR 换货", "退款 OR 换货", "退款 换货"),
        ("refund AND NOT card", "refund AND NOT card", "refund"),
        ("NOT card AND refund", "NOT card AND refund", "refund"),
        ('"late fee" NOT card', '"late fee" NOT card', "late fee"),
        (
            "refund AND (card OR NOT (gift AND late))",
            "refund AND ( card OR NOT ( gift AND late ) )",
            "refund card",
        ),
        # Brackets that do not pair are punctuation; so is a NOT without an operand.
        ("refund AND (card OR gift", "refund AND card OR gift", "refund (card gift"),
        ("refund* title:card NOT (the)", "refund* title:card the", "refund card NOT (the)"),
    ],
)
def test_operators_are_read_and_the_rest_is_kept_for_ranking(
    text: str, syntax: str, words: str
) -> None:
    found = find_operators(text)
    assert found is not None
    assert found.syntax.strip() == syntax
    assert found.words == words


def test_a_query_of_stop_words_alone_is_ordinary() -> None:
    assert parse('"to be or not"', _TOKENISER) is None
    assert parse('"to the" -card now', _TOKENISER) is not None


# --- against a reading of the texts themselves

_LATIN = ["refund", "card", "gift", "late", "label", "refinance"]
_HAN = ["退款", "到账", "运费险"]


@dataclass(frozen=True)
class _Article:
    title: str
    body: str
    question: str

    def terms(self) -> Terms:
        texts = {
            "article": f"{self.question} \n {self.body}", "questions": self.question,
            "title": self.title,
        }  # fmt: skip
        found: dict[str, list[str]] = {n: [] for n, f in FIELDS.items() if f.table == "articles"}
        for name, text in texts.items():
            found[name], found[f"{name}_grams"] = _TOKENISER.content_terms(text), grams(text)
        return found


def _random_text(random: Random, longest: int) -> str:
    return " ".join(random.choices(_LATIN + _HAN, k=random.randrange(longest)))


def _random_articles(seed: int, count: int) -> list[_Article]:
    random = Random(seed)
    return [
        _Article(_random_text(random, 3), _random_text(random, 8), _random_text(random, 4))
        for _ in range(count)
    ]


_ARTICLES = _random_articles(1, 60)
Test = Callable[[_Article], bool]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> WhooshEngine:
    """In three segments, two of which have deleted documents."""
    folder = tmp_path_factory.mktemp("advanced")
    terms = {str(row): article.terms() for row, article in enumerate(_ARTICLES)}
    old = {str(row): article.terms() for row, article in enumerate(_random_articles(2, 60))}
    # Rows 0 to 44 from the first index, 45 to 53 from the second, the rest from the last.
    first = {id_: terms[id_] if int(id_) < 45 else old[id_] for id_ in terms}
    WhooshEngine.build(
        folder / "0", passages=[], articles=list(first.values()), article_ids=list(first)
    )
    second = {id_: terms[id_] if int(id_) < 54 else old[id_] for id_ in terms if int(id_) >= 45}
    last = {id_: terms[id_] for id_ in terms if int(id_) >= 54}
    for step, changed in enumerate((second, last), start=1):
        found = WhooshEngine.update(
            folder / str(step), previous=folder / str(step - 1), passages={}, passage_ids=[],
            articles=changed, article_ids=list(terms),
        )  # fmt: skip
    return found


def _texts(article: _Article, field: str | None) -> list[str]:
    if field == "title":
        return [article.title]
    if field == "question":
        return [article.question]
    return [article.title, f"{article.question} {article.body}"]


def _stands(piece: str, field: str | None, *, prefix: bool = False) -> Test:
    """Whether the words stand somewhere in a row; Han anywhere."""

    def test(article: _Article) -> bool:
        for text in _texts(article, field):
            words = text.split()
            wanted = piece.split()
            if prefix and any(word.startswith(piece) for word in words):
                return True
            for place in range(len(words)):
                if words[place : place + len(wanted)] == wanted:
                    return True
        return False

    return test


_Clause = tuple[str, Test]
_FIELD = st.sampled_from([None, "title", "question"])


@st.composite
def _terms(draw: st.DrawFn) -> _Clause:
    field = draw(_FIELD)
    kind = draw(st.sampled_from(["word", "han", "phrase", "prefix"]))
    name = f"{field}:" if field else ""
    if kind == "phrase":
        piece = " ".join(draw(st.lists(st.sampled_from(_LATIN), min_size=2, max_size=3)))
        return f'{name}"{piece}"', _stands(piece, field)
    if kind == "prefix":
        piece = draw(st.sampled_from(["ref", "refu", "car", "lat"]))
        return f"{name}{piece}*", _stands(piece, field, prefix=True)
    piece = draw(st.sampled_from(_HAN if kind == "han" else _LATIN))
    return f"{name}{piece}", _stands(piece, field)


def _joined(parts: list[_Clause], operator: str) -> _Clause:
    every = all if operator == "AND" else any
    texts, tests = zip(*parts, strict=True)
    return f" {operator} ".join(texts), lambda article: every(test(article) for test in tests)


@st.composite
def _chains(draw: st.DrawFn) -> _Clause:
    """Terms or their brackets, joined by AND or OR, any of them denied."""
    operator = draw(st.sampled_from(["AND", "OR"]))
    parts = draw(st.lists(_terms(), min_size=2, max_size=3))
    if draw(st.booleans()):
        text, test = _joined(
            draw(st.lists(_terms(), min_size=2, max_size=2)), draw(st.sampled_from(["AND", "OR"]))
        )
        parts[-1] = f"({text})", test
    if draw(st.booleans()):
        text, test = parts[-1]
        parts[-1] = f"NOT {text}", lambda article: not test(article)
    return _joined(parts, operator)


@st.composite
def _queries(draw: st.DrawFn) -> _Clause:
    """A chain, or clauses side by side of which some are excluded, and a word that only ranks."""
    if draw(st.booleans()):
        return draw(_chains())
    asked = draw(st.lists(_terms(), min_size=1, max_size=2))
    denied = draw(st.lists(_terms(), max_size=2))
    plain = draw(st.sampled_from(_LATIN))
    text = " ".join([plain, *(text for text, _ in asked), *(f"-{text}" for text, _ in denied)])
    # Without operator and field a word only ranks.
    required = [test for text, test in asked if not text.isalpha()]
    return (
        text,
        lambda article: (
            all(test(article) for test in required) and not any(test(article) for _, test in denied)
        ),
    )


@settings(max_examples=300, deadline=None)
@given(_queries())
def test_articles_that_match_are_those_whose_text_does(
    engine: WhooshEngine, query: _Clause
) -> None:
    text, test = query
    wanted = [row for row, article in enumerate(_ARTICLES) if test(article)]
    advanced = parse(text, _TOKENISER)
    if advanced is None:  # nothing but words that rank, or more operators than are read
        assert find_operators(text) is None
        return
    rows, scores = engine.matching(advanced)
    assert rows.tolist() == wanted
    assert scores.shape == rows.shape


def test_what_has_more_of_what_is_asked_for_scores_more(tmp_path: Path) -> None:
    bodies = ["gift card", "gift late card", "gift card late gift card"]
    engine = WhooshEngine.build(
        tmp_path, passages=[], articles=[_Article("", body, "").terms() for body in bodies]
    )
    rows, scores = engine.matching(_parsed('"gift card"'))
    assert rows.tolist() == [0, 2]
    assert (scores > 0).all()


def test_a_prefix_finds_other_endings_of_the_word_typed_in_full(tmp_path: Path) -> None:
    bodies = ["we ship it", "shipping is free", "shipment 4", "a shape"]
    engine = WhooshEngine.build(
        tmp_path, passages=[], articles=[_Article("", body, "").terms() for body in bodies]
    )
    assert engine.matching(_parsed("shipping* now"))[0].tolist() == [0, 1]
    assert engine.matching(_parsed("ship* now"))[0].tolist() == [0, 1, 2]


def test_chinese_phrases_are_found_however_the_sentence_is_cut(tmp_path: Path) -> None:
    bodies = ["我要申请退款到账时间", "退款申请", "iPhone15 退款"]
    engine = WhooshEngine.build(
        tmp_path, passages=[], articles=[_Article("", body, "").terms() for body in bodies]
    )
    assert engine.matching(_parsed("“请退款到”"))[0].tolist() == [0]
    assert engine.matching(_parsed('"iphone15 退款"'))[0].tolist() == [2]


def test_an_index_of_nothing_matches_nothing(tmp_path: Path) -> None:
    engine = WhooshEngine.build(tmp_path, passages=[], articles=[])
    for text in ('"gift card"', "refund* x", "refund -card", "title:refund", "a1 AND NOT b1"):
        rows, scores = engine.matching(_parsed(text))
        assert len(rows) == len(scores) == 0


_PIECES = st.sampled_from(
    ['"', "“", "”", "(", ")", "-", "*", ":", "title:", "question:", " AND ", " OR ", " NOT ", " ",
     "refund", "退款", "card*", "\ud800", "\x00", "ﬀ", "~2", "^3", "[a TO b]", "'", "?", "\n"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=4), max_size=25).map("".join))
def test_no_text_is_an_error(engine: WhooshEngine, text: str) -> None:
    advanced = parse(text, _TOKENISER)
    if advanced is not None:
        rows, _ = engine.matching(advanced)
        assert set(rows.tolist()) <= set(range(len(_ARTICLES)))


@pytest.mark.parametrize(
    "text",
    [
        "abc* " * 5000, "(" * 5000, "((a1 AND b1) " * 2000, '"a b" ' * 5000, " -abc" * 5000,
        "title:" * 5000, "abc AND " * 5000, "NOT " * 5000, '"' * 5001, "“" * 5000, "*" * 5000,
        "abc* " * 40, "abc AND " * 24 + "abc", "(" * 90 + "ab AND cd" + ")" * 90, "-a" * 99,
        '"a' * 99, "退" * 190 + "*", "a'" * 99, "1" * 190 + "*", "abc* " * 8, "x -refund" * 8,
        "a1 AND " * 28 + "b1",
    ],
)  # fmt: skip
def test_hostile_texts_are_read_quickly_and_ask_for_little(engine: WhooshEngine, text: str) -> None:
    started = time.thread_time()
    advanced = parse(text, _TOKENISER)
    if advanced is not None:
        engine.matching(advanced)
    # Milliseconds of this thread's own processor; what is read again and again takes minutes.
    assert time.thread_time() - started < 5
