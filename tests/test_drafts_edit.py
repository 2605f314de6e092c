"""Files edited from pages: whatever is not asked for stays as it was, byte for byte."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from indexer.frontmatter import Parsed, parse
from portal.drafts.added import Added
from portal.drafts.compose import Commission, compose
from portal.drafts.errors import EditRefused
from portal.drafts.lines import compared, restored, shown
from portal.drafts.outline import unwritten
from portal.drafts.slugs import free_slug, slug_of
from portal.drafts.synonym_edit import add_synonym, take_out_synonym
from portal.drafts.yaml_edit import (
    add_questions,
    one_line,
    scalar,
    set_field,
    take_out_questions,
)
from search.synonyms import parse_synonyms
from search.text import normalise

HOSTILE = (
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "- a: b # c", "---", "yes", "null", "1.5",
    "2026-11-22", "{{ 7*7 }}", "*x", "&x", "!!python/object:os.system", "a\nstatus: published",
    "\x1b[31mred", "\u202eevil", '"quoted"', "it's", "[a, b]", "退款：多久？", "@x", "`x`", "%x",
    "| x", "> x", "? x", "\ufeffx", "\u2028x", "a\x85b", "\\n", "'", "#hash", "a #b", "a: b", ": a",
)  # fmt: skip

ANY_LINE = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=230),
    st.text("ab '\":#-[]{},&*!|>%@`\\退款？\t", min_size=1, max_size=30),
)
ENDS = st.sampled_from(["\n", "\r\n"])
BLOCK = 'questions:\n{indent}- first one\n{indent}- "second: one" # said often\n'
STYLES = [
    "",
    "questions: []\n",
    "questions: [first one, 'it''s']\n",
    "questions: [ first one , # why\n  second ]\n",
    "questions:\n- first one\n- 第二个问题 # 备注\n",
    BLOCK.format(indent="  "),
    BLOCK.format(indent="      "),
    "questions:\n  - >-\n    folded\n    text\n",
    "questions:\n  - first one\n\n  # a comment about nothing\n",
    "questions:\n  - long plain\n    over two lines\n  # the end\n",
]


def article(style: str, *, newline: str = "\n", mark: str = "", body: str = "Text.\n") -> str:
    text = (
        "---\n# kept by Ann\nid: refund-timing\ntitle:   Wie lange?  # 标题\nsummary: 'S.'\n"
        f'section: refunds\n{style}status: draft # not yet\nowner: "Ann"\n'
        "updated: 2026-11-01\nverified_on: 2026-11-01\nreview_by: 2027-05-01\n---\n\n"
    )
    return mark + text.replace("\n", newline) + body


def front(text: str) -> Parsed:
    found = parse(text, "x.md")
    assert isinstance(found, Parsed), found
    return found


def is_inserted(old: str, new: str) -> bool:
    """Whether `new` is `old` with one stretch put in."""
    start = 0
    while start < len(old) and old[start] == new[start]:
        start += 1
    return new.endswith(old[start:])


@settings(deadline=None)
@given(
    st.sampled_from(STYLES), ENDS, st.sampled_from(["", "\ufeff"]),
    st.lists(ANY_LINE, min_size=1, max_size=5),
    st.sampled_from(["Text.\n", "", "a\r\nb\rc", "---"]),
)  # fmt: skip
@example(STYLES[0], "\r\n", "\ufeff", ["yes"], "")
def test_questions_are_added_and_every_other_byte_stays(
    style: str, newline: str, mark: str, questions: list[str], body: str
) -> None:
    old = article(style, newline=newline, mark=mark, body=body)
    new = add_questions(old, questions)
    before, after = front(old).front, front(new).front
    wanted = list(before.questions)
    for question in map(one_line, questions):
        if question and question.casefold() not in {one.casefold() for one in wanted}:
            wanted.append(question)
    assert list(after.questions) == wanted
    assert after.model_copy(update={"questions": ()}) == before.model_copy(update={"questions": ()})
    assert is_inserted(old, new)
    assert Added.between(old, new).cut_from(new) == old
    if newline == "\r\n" and not body:
        assert "\n" not in new.replace("\r\n", "")
    added = [one for one in after.questions if one not in before.questions]
    try:
        taken_out = take_out_questions(new, added)
    except EditRefused:  # the comma that goes with them cannot be told from the list's own
        assert "questions: [" in style
    else:
        assert taken_out == old


@pytest.mark.parametrize("style", STYLES)
def test_added_questions_are_taken_out_again_of_a_file_that_has_changed_elsewhere(
    style: str,
) -> None:
    old = article(style)
    new = add_questions(add_questions(old, ["how, long?", "two: x"]), ["later one"])
    changed = new.replace("Wie lange?", "How long?").replace("Text.", "Other text.")
    assert front(take_out_questions(changed, ["how, long?", "two: x"])).front.questions == (
        *front(old).front.questions, "later one",
    )  # fmt: skip
    assert take_out_questions(take_out_questions(new, ["how, long?", "two: x"]),
                              ["later one"]) == old  # fmt: skip


@pytest.mark.parametrize("style", [STYLES[0], STYLES[5]])
@pytest.mark.parametrize(
    "edit", [("- how long", "- how very long"), ("- how long", '- "how long"'),
             ("- how long", "- how long # asked often"), ("  - how long\n", "")],
)  # fmt: skip
def test_questions_that_somebody_has_edited_stay(style: str, edit: tuple[str, str]) -> None:
    changed = add_questions(article(style), ["how long", "two"]).replace(*edit)
    with pytest.raises(EditRefused):
        take_out_questions(changed, ["how long", "two"])


def test_adding_what_is_there_already_changes_nothing() -> None:
    old = article(STYLES[4])
    assert add_questions(old, ["First one", "第二个问题", " "]) == old


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        article("questions: {a: b}\n"),
        article("questions:\n"),
        article("questions: &x [a]\ntags: *x\n"),
        "---\n{id: a, title: b, summary: c, section: d, status: draft, owner: e, "
        "updated: 2026-01-01, verified_on: 2026-01-01, review_by: 2026-01-01}\n---\n",
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(EditRefused):
        add_questions(text, ["how long"])


@settings(deadline=None)
@given(ENDS, st.sampled_from(["", "\ufeff"]), st.sampled_from(STYLES))
def test_only_the_status_changes_when_it_is_set(newline: str, mark: str, style: str) -> None:
    old = article(style, newline=newline, mark=mark)
    assert set_field(old, "status", "published") == old.replace(
        "status: draft #", "status: published #"
    )
    assert set_field(set_field(old, "status", "published"), "status", "draft") == old


@settings(deadline=None)
@given(ANY_LINE)
def test_any_line_is_read_from_yaml_as_it_was_written(text: str) -> None:
    line = one_line(text)
    assume(line)
    assert yaml.safe_load(f"- {scalar(line)}\n") == [line]
    assert yaml.safe_load(f"[{scalar(line, plain=False)}]") == [line]


TYPED = st.text("ab-:\r\n\0\ufeff\u2028退", max_size=40)


@settings(deadline=None)
@given(TYPED)
def test_what_comes_back_from_a_page_unchanged_is_the_file(text: str) -> None:
    assert restored(text, shown(text)) == text
    assert restored(text, shown(text).replace("\n", "\r\n")) == text  # as browsers send it


@settings(deadline=None)
@given(TYPED, TYPED)
def test_what_was_typed_is_what_is_saved(old: str, typed: str) -> None:
    wanted = typed.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    found = restored(old, typed).removeprefix("\ufeff" if old.startswith("\ufeff") else "")
    assert found.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n") == wanted


@settings(deadline=None)
@given(TYPED, TYPED, TYPED)
def test_lines_that_were_not_edited_keep_their_bytes(head: str, tail: str, new: str) -> None:
    old = f"{head}\nkept line\r\n{tail.replace(chr(13), '')}"
    typed = shown(old) + "\n" + new.replace("\0", "")
    assert restored(old, typed).startswith(f"{head}\nkept line\r\n")
    assert shown(restored(old, typed)) == typed.replace("\r\n", "\n").replace("\r", "\n")


def test_a_new_line_ends_as_most_do() -> None:
    assert restored("\ufeffa\r\nb\r\nc\n", "a\nx\nb\nc\n") == "\ufeffa\r\nx\r\nb\r\nc\n"


SYNONYMS = "# words\r\nmoney back, cash back => refund\r\nvoucher => coupon, gift card  # both\r\n"


def test_a_synonym_joins_its_line_or_becomes_the_last() -> None:
    joined = add_synonym(SYNONYMS, "Payback", "refund")
    assert joined == SYNONYMS.replace("cash back =>", "cash back, Payback =>")
    added = add_synonym("\ufeffa => b", "保价", "价格保护")
    assert added == "\ufeffa => b\n保价 => 价格保护\n"
    assert add_synonym(SYNONYMS, "cash back", "refund") == SYNONYMS


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef退款"), st.sampled_from("uvwxyz钱")), max_size=6),
    st.text("abcdefgh退款 -'", min_size=1, max_size=12),
    st.text("uvwxyz钱 -'", min_size=1, max_size=12),
    ENDS,
)
def test_a_synonym_adds_its_rule_and_no_other_byte(
    lines: list[tuple[str, str]], said: str, meant: str, newline: str
) -> None:
    unique = dict(lines)
    old = "".join(f"{left} => {right}  # note{newline}" for left, right in unique.items())
    try:
        new = add_synonym(old, said, meant)
    except EditRefused:
        return
    rules, mistakes = parse_synonyms(new)
    assert not mistakes
    phrase, target = normalise(said), normalise(meant)
    assert any(phrase in rule.phrases and target in rule.targets for rule in rules)
    assert new == old or is_inserted(old, new)
    if new != old:
        assert Added.between(old, new).cut_from(new) == old
        assert take_out_synonym(new, said, meant) == old


def test_a_synonym_is_taken_out_of_a_line_that_others_have_joined() -> None:
    for old in (SYNONYMS, "", "\ufeffa => b"):
        new = add_synonym(add_synonym(old, "dosh", "money"), "wad", "money")
        assert "wad => money" in take_out_synonym(new, "dosh", "money")
        assert "dosh => money" in take_out_synonym(new, "wad", "money")
        left = take_out_synonym(take_out_synonym(new, "dosh", "money"), "wad", "money")
        assert left.rstrip() == old.rstrip()


@pytest.mark.parametrize(
    "edit", [("dosh => money", "dosh => cash"), ("dosh => money", "dosh => money, cash"),
             ("dosh => money", "dosh => money # slang"), ("dosh => money", "dosh, money"),
             ("dosh => money", ""), ("dosh => money", "dosh =>")],
)  # fmt: skip
def test_a_synonym_that_somebody_has_edited_stays(edit: tuple[str, str]) -> None:
    with pytest.raises(EditRefused):
        take_out_synonym(add_synonym(SYNONYMS, "dosh", "money").replace(*edit), "dosh", "money")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("a, b", "c"), ("a => b", "c"), ("a # b", "c"), ("", "c"), ("a", "A"), ("a\nb => c", "d"),
     ("cash back", "coupon"), ("!", "?")],
)  # fmt: skip
def test_what_is_no_synonym_is_refused(said: str, meant: str) -> None:
    with pytest.raises(EditRefused):
        add_synonym(SYNONYMS, said, meant)


@settings(deadline=None)
@given(
    st.sampled_from(["en", "zh-Hans"]),
    st.sampled_from(
        ["no_article", "not_found", "not_helpful", "other_language", "outdated", "out_of_scope"]
    ),
    ANY_LINE, ANY_LINE, st.lists(ANY_LINE, max_size=6),
)  # fmt: skip
def test_a_draft_is_complete_whatever_customers_wrote(
    locale: str, kind: str, title: str, owner: str, questions: list[str]
) -> None:
    text = compose(
        Commission(17, locale, "refunds", slug_of(title), title, kind, owner, tuple(questions),
                   date(2026, 11, 22))
    )  # fmt: skip
    made = front(text).front
    assert (made.status, made.closes, made.section) == ("draft", "gap-17", "refunds")
    known = {one_line(question).casefold() for question in questions} - {""}
    assert {question.casefold() for question in made.questions} == known
    assert unwritten(text)
    assert "script>" not in front(text).body


def test_slugs_are_addresses_in_pinyin_and_free() -> None:
    assert slug_of("花呗分期怎么退款？") == "hua-bei-fen-qi-zen-me-tui-kuan"
    assert slug_of("Can't I get it gift-wrapped?") == "cant-i-get-it-gift-wrapped"
    assert slug_of("…") == "article"
    assert len(slug_of("word " * 40)) <= 60
    assert free_slug("Gifts", {"gifts", "gifts-2"}) == "gifts-3"


@settings(deadline=None)
@given(st.text(max_size=80))
def test_every_slug_can_be_an_address(title: str) -> None:
    import re

    from indexer.schema import ID

    assert re.fullmatch(ID, slug_of(title))


@pytest.mark.parametrize("value", ["gap-0", "17", "gap-", "gap-x", "[gap-1]", "gap-1 gap-2"])
def test_the_check_says_what_a_closed_gap_is_called(value: str) -> None:
    found = parse(article(f"closes: {value}\n"), "x.md")
    assert isinstance(found, list)
    assert [(one.field, "gap-17" in one.mend) for one in found] == [("closes", True)]


def test_a_gap_that_is_closed_is_read() -> None:
    assert front(article("closes: gap-17\n")).front.closes == "gap-17"
    assert front(article("")).front.closes is None


def test_two_texts_are_compared_line_by_line_whatever_their_ends() -> None:
    assert compared("a\r\nb\r\nd\r\n", "a\nc\nd\ne") == [
        ("both", "a"), ("there", "b"), ("yours", "c"), ("both", "d"), ("yours", "e"),
    ]  # fmt: skip
    assert compared("", "x\n") == [("yours", "x")]
    assert compared("x\n", "") == [("there", "x")]


@pytest.mark.parametrize("lines", [300, 20_000])
def test_many_lines_that_are_alike_are_compared_at_once(lines: int) -> None:
    there = [f"Step {line} of a long list of steps, {line * 7} in all." for line in range(lines)]
    yours = [line.replace("long", "longer") for line in there]
    found = compared("\n".join(there), "\n".join(yours))
    assert [text for side, text in found if side != "yours"] == there
    assert [text for side, text in found if side != "there"] == yours
