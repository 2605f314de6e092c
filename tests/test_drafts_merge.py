"""Two edits of one text are put together where they do not touch, and marked where they do."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.drafts.lines import shown
from portal.drafts.merge import Merged, marked_line, merge

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "退款", "- x"]), max_size=12)
TEXT = LINES.map("\n".join)
DISTINCT = st.integers(4, 14).map(lambda size: [f"line {n}" for n in range(size)])


def text(found: Merged) -> str:
    return found.text(yours="yours", theirs="in the file")


@given(TEXT, TEXT)
def test_what_one_side_alone_has_changed_is_the_merged_text(base: str, edited: str) -> None:
    for found in (merge(base, base, edited), merge(base, edited, base)):
        assert found.conflicts == 0
        assert text(found) == edited


@given(TEXT, TEXT)
def test_the_same_edit_made_twice_is_one(base: str, edited: str) -> None:
    found = merge(base, edited, edited)
    assert found.conflicts == 0
    assert text(found) == edited


@settings(deadline=None)
@given(DISTINCT, st.data())
def test_edits_that_do_not_touch_are_both_in_the_merged_text(
    base: list[str], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(base) - 3))
    second = data.draw(st.integers(first + 2, len(base) - 1))
    one = data.draw(st.lists(st.sampled_from(["theirs 1", "theirs 2"]), max_size=3))
    two = data.draw(st.lists(st.sampled_from(["mine 1", "mine 2"]), max_size=3))
    theirs = [*base[:first], *one, *base[first + 1 :]]
    mine = [*base[:second], *two, *base[second + 1 :]]
    both = [*base[:first], *one, *base[first + 1 : second], *two, *base[second + 1 :]]
    for left, right in ((theirs, mine), (mine, theirs)):
        found = merge("\n".join(base), "\n".join(left), "\n".join(right))
        assert found.conflicts == 0
        assert text(found) == "\n".join(both)


@given(st.one_of(st.none(), TEXT), TEXT, TEXT)
def test_nothing_of_either_side_is_lost_where_both_have_changed_the_same(
    base: str | None, theirs: str, mine: str
) -> None:
    found = merge(base, theirs, mine)
    assert "\n".join(line for piece in found.pieces for line in piece.theirs) == theirs
    assert "\n".join(line for piece in found.pieces for line in piece.mine) == mine
    assert bool(found.conflicts) == bool(marked_line(text(found)))
    if base is None:
        assert (found.conflicts == 0) == (theirs == mine)


@given(TEXT, TEXT, TEXT)
def test_who_is_called_mine_changes_nothing_but_the_order_in_conflicts(
    base: str, theirs: str, mine: str
) -> None:
    here, there = merge(base, theirs, mine), merge(base, mine, theirs)
    assert here.conflicts == there.conflicts
    assume(not here.conflicts)
    assert text(here) == text(there)


def test_a_conflict_has_both_between_marks_and_the_rest_is_merged() -> None:
    found = merge("1\n2\n3\n4\n5\n", "1\r\ntwo\r\n3\r\n4\r\n5\r\n", "1\nzwei\n3\n4\nfünf\n")
    assert text(found) == (
        "1\n<<<<<<< yours\nzwei\n=======\ntwo\n>>>>>>> in the file\n3\n4\nfünf\n"
    )
    assert (found.conflicts, marked_line(text(found))) == (1, 2)


@pytest.mark.parametrize("line", ["=======", "<<<<<<<x", " <<<<<<< yours", "> >>>>>>> x", ""])
def test_what_is_no_mark_is_none(line: str) -> None:
    assert marked_line(f"a\n{line}\nb") == 0


def test_texts_too_long_to_compare_line_by_line_are_one_conflict() -> None:
    base = [f"{n}" for n in range(3000)]
    theirs = [f"{line} x" if n % 2 else line for n, line in enumerate(base)]
    mine = [f"{line} y" if n % 3 else line for n, line in enumerate(base)]
    found = merge("\n".join(base), "\n".join(theirs), "\n".join(mine))
    assert found.conflicts == 1
    assert shown("\n".join(theirs)).split("\n")[1] in text(found)
