"""Completions: every way of matching against its plain definition, and what is shown of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.completion import spell_in_context, write_completions
from search.array_file import map_arrays, write_arrays
from search.catalogue import Catalogue, article_to_dict
from search.completion import Completer, Completion, PastQuestion
from search.completion_compile import Entry, compile_table
from search.completion_table import CompletionTable, Found, Kind
from search.errors import IndexDamaged, QueryRejected
from search.pinyin import FIRST, LAST, spell, unit_places, units, usual_readings
from search.records import RecordFile, write_records
from search.slips import edits_to
from search.taxonomy import Taxonomy
from search.text import Tokeniser, normalise
from search.typed import Part, take_apart, words_of
from search.types import Article

Build = Callable[..., Completer]

_TOKENISER = Tokeniser(["运费险"])
_DAY = date(2026, 11, 1)
_TAXONOMY = Taxonomy.from_dict(
    {"shop": {"en": "", "zh-Hans": ""}, "sections": {"refunds": {"en": "Refunds"}}}
)
_WORD = st.sampled_from(
    ["refund", "refunds", "Received", "card", "gift", "late", "iPhone15", "VAT", "café", "it's",
     "退款", "到账", "运费险", "銀行", "重复", "ﬀ", "…", "？", "“七天”", "𠮷", "ß"]
)  # fmt: skip
_TEXT = st.builds(
    lambda words, gap: gap.join(words),
    st.lists(_WORD, min_size=1, max_size=5),
    st.sampled_from(["", " ", "  ", "-"]),
)
_PATIENTLY = settings(deadline=None)  # the first example loads dictionaries
_TEXTS = st.lists(_TEXT, max_size=8)


def article(
    title: str, *questions: str, locale: str = "en", name: str = "refund-timing"
) -> Article:
    return Article(
        id=name, locale=locale, section="refunds", slug=name, title=title, summary="", html="",
        headings=(), updated=_DAY, verified_on=_DAY, review_by=_DAY, owner="", questions=questions,
    )  # fmt: skip


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Makes a completer over articles, whose tables are written and mapped as published ones."""
    base, numbers = tmp_path_factory.mktemp("completion"), itertools.count()

    def make(*articles: Article) -> Completer:
        folder = base / str(next(numbers))
        folder.mkdir()
        write_records(folder / "articles.jsonl", map(article_to_dict, articles))
        write_completions(folder / "completion", articles, _TOKENISER)
        catalogue = Catalogue(RecordFile(folder / "articles.jsonl"), _TAXONOMY)
        return Completer(folder / "completion", catalogue, _TOKENISER, generation="g")

    return make


def table(texts: Sequence[str]) -> CompletionTable:
    return compile_table([Entry(t, Kind.QUESTION, 0) for t in texts], _TOKENISER, spell_in_context)


def found(own: CompletionTable, numbers: Found) -> dict[str, int]:
    """The keys of what a lookup found, with their grades."""
    grades: dict[str, int] = {}
    for number in sorted(numbers.tolist(), reverse=True):
        grade, entry = divmod(number, own.size)
        grades[own.key(entry)] = grade
    return grades


def texts(completions: Sequence[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def marked(completion: Completion) -> str:
    """The text with brackets around what is highlighted."""
    text, done = "", 0
    for start, end in completion.highlight:
        assert done <= start < end <= len(completion.text)
        text += f"{completion.text[done:start]}[{completion.text[start:end]}]"
        done = end
    return text + completion.text[done:]


# --- each way of matching is what it says


@_PATIENTLY
@given(_TEXTS, _TEXT)
def test_starting_finds_the_texts_that_start_so(known: list[str], typed: str) -> None:
    own, beginning = table(known), take_apart(typed)
    keys = set(map(normalise, known))
    wanted = {key for key in keys if key.startswith(beginning.normalised)}
    assert set(found(own, own.starting(beginning))) == (wanted if beginning.normalised else set())


def _holds(key: str, part: Part, unfinished: bool) -> bool:
    if part.han:
        return part.text in key
    if unfinished:
        return any(word.startswith(part.text) for word in words_of(key))
    return part.text in words_of(key)


@_PATIENTLY
@given(_TEXTS, _TEXT)
def test_holding_finds_the_texts_with_every_part(known: list[str], typed: str) -> None:
    own, beginning = table(known), take_apart(typed)
    last = len(beginning.parts) - 1
    wanted = {
        key
        for key in map(normalise, known)
        if beginning.parts and all(_holds(key, p, n == last) for n, p in enumerate(beginning.parts))
    }
    assert set(found(own, own.holding(beginning))) == wanted


@_PATIENTLY
@given(_TEXTS, st.sampled_from(["t", "tk", "tui", "tuik", "tuikuan", "tuikuandao", "tkdz", "yh",
                                "yinhang", "chongf", "yfx", "df", "q", "vattuikuan"]))  # fmt: skip
def test_spelt_finds_the_texts_a_chinese_word_of_which_goes_on_so(
    known: list[str], letters: str
) -> None:
    wanted: dict[str, int] = {}
    for key in map(normalise, known):
        spelling = [unit.lower() for unit in units(spell(key, spell_in_context))]
        places = unit_places(key)
        begins = {token.start for token in _TOKENISER.tokens(key)}
        for n, place in enumerate(places):
            starts = not n or (place in begins and ord(key[place]) > 0x2FFF)
            initials = "".join(unit[0] for unit in spelling[n:])
            goes_on = "".join(spelling[n:]).startswith(letters) or initials.startswith(letters)
            if starts and goes_on and any(ord(character) > 0x2FFF for character in key):
                wanted[key] = min(wanted.get(key, 1), int(n > 0))
    own = table(known)
    assert found(own, own.spelt(letters)) == wanted


@_PATIENTLY
@given(_TEXTS, st.sampled_from(["refnd", "refudn", "erfund", "reived", "recieve", "iphne15", "gfit",
                                "crad", "gift crad", "refunds gitf ca", "xyzw"]))  # fmt: skip
def test_misspelt_finds_the_texts_whose_words_are_near_and_says_how_near(
    known: list[str], typed: str
) -> None:
    own, beginning = table(known), take_apart(typed)
    words = {word for text in known for word in words_of(normalise(text))}
    last = len(beginning.parts) - 1

    def exact(number: int, part: Part) -> set[str]:
        return {w for w in words if _holds(w, part, number == last)}

    unknown = [n for n, part in enumerate(beginning.parts) if not exact(n, part)]
    right = not unknown and len(own.holding(beginning)) > 0
    wanted: dict[str, int] = {}
    for key in map(normalise, known):
        total = 0
        for n, part in enumerate(beginning.parts):
            edits = [edits_to(part.text, w) for w in words_of(key)]
            if unknown and n not in unknown:
                edits = [0 if _holds(w, part, n == last) else None for w in words_of(key)]
            total += min((edit for edit in edits if edit is not None), default=1000)
        if total < 1000 and not right:
            wanted[key] = total
    assert found(own, own.misspelt(beginning)) == wanted


def test_a_table_reads_back_as_it_was_written(tmp_path: Path) -> None:
    own = table(["退款 to my card", "café", "zzz"])
    own.save(tmp_path / "en.arrays")
    again = CompletionTable.open(tmp_path / "en.arrays")
    assert [again.text(n) for n in range(again.size)] == [own.text(n) for n in range(own.size)]
    assert [again.rank(n) for n in range(3)] == sorted(again.rank(n) for n in range(3))
    assert again.find("café".casefold()) is None  # keys are normalised
    assert again.key(again.find("cafe") or 0) == "cafe"


def test_a_budget_leaves_at_least_the_words_with_the_same_first_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.completion_table.BUDGET", 1)
    own = table(["refund", "card", "gift"])
    assert set(found(own, own.misspelt(take_apart("refnd")))) == {"refund"}
    assert set(found(own, own.misspelt(take_apart("erfund")))) == set()


# --- what a reader is shown


@settings(max_examples=15, deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=8, unique_by=lambda t: normalise(t).strip(" …？“”-")))
def test_every_beginning_of_a_title_finds_it(build: Build, titles: list[str]) -> None:
    own = build(*(article(title, name=f"a{n}") for n, title in enumerate(titles)))
    for title in titles:
        visible = normalise(title)
        for end in range(2, len(title) + 1):
            if normalise(title[:end]) and visible.strip(" …？“”-."):
                shown = own.complete(title[:end], locale="en", limit=8)
                assert " ".join(title.split()) in texts(shown), title[:end]
                assert all(marked(completion) for completion in shown)


@pytest.mark.parametrize(
    ("typed", "marks"),
    [
        ("退款", "[退款]多久到账？"),
        ("退款多", "[退款多]久到账？"),
        ("到账", "退款多久[到账]？"),
        ("退款到账", "[退款]多久[到账]？"),
        ("退宽", "[退款]多久到账？"),
        ("tui kuan", "[退款]多久到账？"),
        ("tuikuan", "[退款]多久到账？"),
        ("tuik", "[退款]多久到账？"),
        ("TK", "[退款]多久到账？"),
        ("tkdj", "[退款多久]到账？"),
        ("dz", "退款多久[到账]？"),
        ("退款 dz", None),
        ("uikuan", None),
    ],
)
def test_chinese_is_found_by_characters_by_pinyin_and_by_initials(
    build: Build, typed: str, marks: str | None
) -> None:
    own = build(article("退款多久到账？", locale="zh-Hans"))
    assert [marked(each) for each in own.complete(typed, locale="zh-Hans")] == (
        [marks] if marks else []
    )


def test_a_character_is_read_as_its_neighbours_demand(build: Build) -> None:
    own = build(article("银行重复扣款", locale="zh-Hans"))
    assert texts(own.complete("yinhangchong", locale="zh-Hans")) == ["银行重复扣款"]
    assert own.complete("yinxing", locale="zh-Hans") == []
    assert own.complete("yhzfkk", locale="zh-Hans") == []


@pytest.mark.parametrize(
    ("typed", "marks"),
    [
        ("where w", "[Where w]ill my refund go?"),
        ("refund wh", "[Wh]ere will my [refund] go?"),
        ("REFUND", "Where will my [refund] go?"),
        ("refnd", "Where will my [refund] go?"),
        ("wehre", "[Where] will my refund go?"),
        ("wher my refnd", "[Wher]e will [my] [refund] go?"),
        ("refunded soon wil", None),
        ("wre", None),
        ("refunded twice", None),
    ],
)
def test_words_are_found_in_any_order_and_with_slips(
    build: Build, typed: str, marks: str | None
) -> None:
    own = build(article("Where will my refund go?"))
    assert [marked(each) for each in own.complete(typed, locale="en")] == ([marks] if marks else [])


def test_marks_count_characters_of_the_text_as_it_is_shown(build: Build) -> None:
    own = build(article("Refunds… to a cafe\u0301 ﬀ 😀 card"))
    assert marked(own.complete("cafe", locale="en")[0]) == "Refunds… to a [cafe\u0301] ﬀ 😀 card"
    assert marked(own.complete("ff", locale="en")[0]) == "Refunds… to a cafe\u0301 [ﬀ] 😀 card"
    assert marked(own.complete("card", locale="en")[0]) == "Refunds… to a cafe\u0301 ﬀ 😀 [card]"


def test_the_better_match_comes_first_then_titles_then_the_shorter(build: Build) -> None:
    own = build(
        article("My refund", "refund late again", "refund late", name="a"),
        article("Refund timing", "how is my refund", name="b"),
        article("Refunds", "a refumd question", name="c"),
    )
    assert texts(own.complete("refund", locale="en")) == [
        "Refunds", "Refund timing", "refund late", "refund late again", "My refund",
        "how is my refund",
    ]  # fmt: skip


def test_an_article_has_its_title_and_two_questions_at_most_in_all_languages(build: Build) -> None:
    own = build(
        article("VAT", *(f"VAT question {n}" for n in range(9)), name="a"),
        article("VAT 发票", "VAT 怎么开", locale="zh-Hans", name="a"),
        article("VAT 税", "VAT 税率", locale="zh-Hans", name="b"),
    )
    shown = texts(own.complete("vat", locale="en", limit=20))
    assert shown == ["VAT", "VAT question 0", "VAT question 1"]
    shown = texts(own.complete("vat", locale="zh-Hans", limit=20))
    assert shown == ["VAT 税", "VAT 发票", "VAT 税率", "VAT 怎么开"]


def test_no_text_is_shown_twice(build: Build) -> None:
    own = build(
        article("When is my refund due?", "when is my refund due", name="a"),
        article("Due dates", "When is my refund due", name="b"),
    )
    shown = own.complete("when", locale="en")
    assert texts(shown) == ["When is my refund due?"]
    assert shown[0].path == "/en/refunds/a"


def test_the_readers_language_comes_first_and_others_only_when_there_is_little(
    build: Build,
) -> None:
    english = [article(f"VAT rule {n}", name=f"e{n}") for n in range(3)]
    chinese = [article(f"VAT 规则{n}", locale="zh-Hans", name=f"z{n}") for n in range(2)]
    own = build(*english, *chinese)
    assert [c.locale for c in own.complete("vat", locale="en")] == ["en"] * 3
    assert [c.locale for c in own.complete("vat", locale="zh-Hans")] == ["zh-Hans"] * 2 + ["en"] * 3
    assert [c.locale for c in own.complete("vat", locale="zh-Hans", limit=2)] == ["zh-Hans"] * 2
    assert [c.locale for c in own.complete("guize", locale="en")] == ["zh-Hans"] * 2


def test_the_limit_is_kept_and_only_cuts(build: Build) -> None:
    own = build(*(article(f"Refund {n}", name=f"a{n}") for n in range(30)))
    whole = own.complete("refund", locale="en", limit=20)
    assert len(whole) == 20
    for limit in (1, 8):
        assert own.complete("refund", locale="en", limit=limit) == whole[:limit]


def test_a_long_story_among_the_questions_is_not_offered(build: Build) -> None:
    own = build(article("Title", "refund " * 20, "refund", "Chinese " + "退" * 50, name="a"))
    assert texts(own.complete("refund", locale="en")) == ["refund"]
    assert own.complete("chinese", locale="en") == []


def test_a_title_is_offered_however_long_it_is(build: Build) -> None:
    title = " ".join(f"refund{number}" for number in range(40))
    own = build(article(title))
    for end in (6, 150, 250, len(title)):
        assert texts(own.complete(title[:end], locale="en")) == [title]


@pytest.mark.parametrize(
    "typed", ["", "  ", "?", "\u200b", "x" * 5000, "a b " * 100, "\x00", "退" * 900]
)
def test_odd_input_finds_nothing_and_breaks_nothing(build: Build, typed: str) -> None:
    assert build(article("Refund", locale="en")).complete(typed, locale="en") == []


def test_a_text_that_is_too_long_is_refused(build: Build) -> None:
    with pytest.raises(QueryRejected, match="q: 5001 characters"):
        build(article("Refund")).complete("x" * 5001, locale="en")


# --- past questions


def test_past_questions_join_the_listed_ones_the_most_asked_first(build: Build) -> None:
    own = build(article("Refund timing", "refund by card", name="a"))
    past = own.compile_past(
        [PastQuestion("refund on Sundays", 3), PastQuestion("Refund in bitcoin", 7)]
    )
    shown = own.complete("refund", locale="en", past=past)
    assert texts(shown) == [
        "Refund timing", "Refund in bitcoin", "refund on Sundays", "refund by card",
    ]  # fmt: skip
    assert [c.kind for c in shown] == [Kind.TITLE, Kind.POPULAR, Kind.POPULAR, Kind.QUESTION]
    assert [c.path is None for c in shown] == [False, True, True, False]


def test_a_past_question_that_an_article_lists_moves_that_one_up(build: Build) -> None:
    own = build(article("Timing", "refund by card", "refund now", name="a"))
    past = own.compile_past([PastQuestion("Refund by card", 5)])
    shown = own.complete("refund", locale="en", past=past)
    assert texts(shown) == ["refund by card", "refund now"]
    assert shown[0].path == "/en/refunds/a"


def test_past_questions_are_found_by_pinyin_and_with_slips_in_their_own_language(
    build: Build,
) -> None:
    own = build(article("Other"), article("其他", locale="zh-Hans"))
    past = own.compile_past([PastQuestion("退款去哪了", 3), PastQuestion("parcel stolen", 3)])
    assert texts(own.complete("tkqn", locale="en", past=past)) == ["退款去哪了"]
    assert texts(own.complete("parcle st", locale="zh-Hans", past=past)) == ["parcel stolen"]


def test_the_version_of_past_questions_changes_with_them(build: Build) -> None:
    own = build(article("Other"))
    versions = [
        own.compile_past(questions).version
        for questions in ([], [PastQuestion("a b", 3)], [PastQuestion("a b", 4)])
    ]
    assert len(set(versions)) == 3
    assert own.compile_past([PastQuestion("a b", 3)]).version == versions[1]


def test_the_usual_readings_are_those_of_the_dictionary() -> None:
    for code in range(FIRST, LAST + 1):
        assert usual_readings(chr(code)) == spell_in_context(chr(code)), chr(code)
    assert usual_readings("银行a𠮷") == ["yin", "xing", "?", "?"]


# --- damage


def test_a_generation_without_the_table_says_what_to_do(build: Build, tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match=r"nowhere: is not there; run `kb index --rebuild`"):
        Completer(tmp_path / "nowhere", None, _TOKENISER, generation="g")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(table(["退款 to my card"])._arrays))
@pytest.mark.parametrize("change", ["missing", "shorter"])
def test_arrays_that_do_not_fit_each_other_are_damage(
    tmp_path: Path, name: str, change: str
) -> None:
    arrays = dict(table(["退款 to my card", "café"])._arrays)
    arrays = {**arrays, name: arrays[name][:-1]} if change == "shorter" else arrays
    write_arrays(
        tmp_path / "en.arrays",
        {key: array for key, array in arrays.items() if key != name or change == "shorter"},
    )
    with pytest.raises(IndexDamaged, match=r"en.arrays: cannot be used .*; run `kb index"):
        CompletionTable.open(tmp_path / "en.arrays")


def test_arrays_are_mapped_as_they_were_written(tmp_path: Path) -> None:
    arrays = {"a": np.arange(5, dtype=np.int32), "none": np.empty(0, np.uint8),
              "table": np.ones((2, 3), np.float64)}  # fmt: skip
    write_arrays(tmp_path / "x.arrays", arrays)
    mapped = map_arrays(tmp_path / "x.arrays")
    assert list(mapped) == list(arrays)
    for name, array in arrays.items():
        assert mapped[name].dtype == array.dtype
        np.testing.assert_array_equal(mapped[name], array)
        assert not mapped[name].flags.writeable


def test_a_table_of_other_articles_is_damage(build: Build) -> None:
    many, one = build(article("A"), article("B", name="b")), build(article("A"))
    many._catalogue = one._catalogue
    with pytest.raises(IndexDamaged, match="names articles that are not there"):
        many.complete("b", locale="en")
