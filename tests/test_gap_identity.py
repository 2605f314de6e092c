"""A gap keeps its number when questions join, leave, split and merge, and editors have the say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from gap_support import new_engine, put
from portal.gaps import places
from portal.gaps.identity import Known, place
from portal.gaps.store import EVERYTHING, GapStore
from portal.gaps.types import State

# --- the pure part --------------------------------------------------------------------------

_KEYS = [f"q{number}" for number in range(12)]
_CLUSTERS = st.lists(st.integers(0, 4), min_size=12, max_size=12).map(
    lambda labels: [[key for key, label in zip(_KEYS, labels, strict=True) if label == wanted]
                    for wanted in sorted(set(labels))]
)  # fmt: skip
_GAPS = st.dictionaries(st.sampled_from(_KEYS), st.integers(1, 4))
_WEIGHTS = st.dictionaries(st.sampled_from(_KEYS), st.integers(1, 9))


@given(_CLUSTERS, _GAPS, _WEIGHTS, st.sets(st.sampled_from(_KEYS)), st.sets(st.integers(1, 4)))
def test_every_question_has_one_place_and_what_editors_put_stays(
    clusters: list[list[str]],
    gaps: dict[str, int],
    weights: dict[str, int],
    fixed: set[str],
    settled: set[int],
) -> None:
    known = Known(gaps, frozenset(fixed & gaps.keys()), frozenset(settled))
    placed = place(clusters, weights, known)
    stays = {key for key in _KEYS if known.stays(key)}
    assert set(placed.moved) == set(_KEYS) - stays
    assert all(key in clusters[number] for key, number in placed.moved.items())
    taken = [gap for gap in placed.numbers if gap is not None and gap not in settled]
    assert len(taken) == len(set(taken))
    assert all(gap not in settled for gap in placed.merged)


@given(_CLUSTERS, _WEIGHTS)
def test_the_same_clusters_keep_their_numbers(
    clusters: list[list[str]], weights: dict[str, int]
) -> None:
    gaps = {key: number + 1 for number, cluster in enumerate(clusters) for key in cluster}
    placed = place(clusters, weights, Known(gaps))
    assert placed.numbers == tuple(range(1, len(clusters) + 1))
    assert not placed.split
    assert not placed.merged


@given(_CLUSTERS, _WEIGHTS, st.data())
def test_questions_that_join_or_leave_change_no_number(
    clusters: list[list[str]], weights: dict[str, int], data: st.DataObject
) -> None:
    gaps = {key: number + 1 for number, cluster in enumerate(clusters) for key in cluster}
    kept = [data.draw(st.lists(st.sampled_from(own), min_size=1, unique=True)) for own in clusters]
    later = [[*own, f"new{number}"] for number, own in enumerate(kept)]
    placed = place(later, weights, Known(gaps))
    assert placed.numbers == tuple(range(1, len(clusters) + 1))


def test_the_larger_part_by_visitors_keeps_the_number() -> None:
    known = Known(dict.fromkeys("abc", 7))
    placed = place([["a", "b"], ["c"]], {"a": 1, "b": 1, "c": 5}, known)
    assert placed.numbers == (None, 7)
    assert placed.split == {0: 7}


def test_a_gap_that_loses_everything_was_merged() -> None:
    placed = place([["a", "b", "c"]], {}, Known({"a": 1, "b": 1, "c": 2}))
    assert placed.numbers == (1,)
    assert placed.merged == {2: 0}


def test_new_questions_join_a_gap_that_an_editor_put_together() -> None:
    known = Known({"a": 5, "b": 5}, settled=frozenset({5}))
    placed = place([["a", "x"], ["b", "y"]], {}, known)
    assert placed.numbers == (5, 5)
    assert set(placed.moved) == {"x", "y"}


# --- with the database -----------------------------------------------------------------------


def _gaps(store: GapStore) -> dict[int, set[str]]:
    return {
        gap.number: {question.text for question in store.questions(gap.number)}
        for gap in store.list(EVERYTHING)
    }


def test_numbers_survive_a_week_in_which_questions_come_and_go() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    first, second = put(engine, ["sofa", "couch"], ["app crash"])
    assert put(engine, ["couch", "settee"], ["app crash", "app freezes"], ["gift wrap"]) == [3]
    assert _gaps(store) == {
        first: {"sofa", "couch", "settee"},
        second: {"app crash", "app freezes"},
        3: {"gift wrap"},
    }
    assert put(engine, ["couch", "settee"], ["app crash", "app freezes"], ["gift wrap"]) == []


def test_a_split_is_in_both_histories() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    [old] = put(engine, ["sofa", "couch", "lamp"])
    [new] = put(engine, ["sofa", "couch"], ["lamp"])
    assert _gaps(store) == {old: {"sofa", "couch"}, new: {"lamp"}}
    [split], [from_] = store.history(old), store.history(new)
    assert (split.action, split.detail) == ("split", {"into": new, "questions": 1})
    assert (from_.action, from_.detail, from_.by) == (
        "split_from", {"gap": old, "questions": 1}, ""
    )  # fmt: skip


def test_a_merge_is_in_both_histories_and_the_smaller_number_is_gone() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    large, small = put(engine, ["sofa", "couch"], ["settee"])
    assert put(engine, ["sofa", "couch", "settee"]) == []
    assert _gaps(store) == {large: {"sofa", "couch", "settee"}}
    assert store.get(small).merged_into == large
    assert store.history(small)[0].detail == {"into": large, "questions": 1}
    assert store.history(large)[0].detail == {"gap": small, "questions": 1}


def test_what_an_editor_split_off_stays_apart_and_draws_its_like() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    [old] = put(engine, ["sofa", "couch", "lamp"])
    lamp = next(q.key for q in store.questions(old) if q.text == "lamp")
    new = store.split(old, [lamp], by="anna", version=1)
    assert put(engine, ["sofa", "couch", "lamp", "settee"]) == []
    assert _gaps(store) == {old: {"sofa", "couch", "settee"}, new.number: {"lamp"}}
    assert put(engine, ["sofa", "couch"], ["lamp", "lamp shade"]) == []
    assert _gaps(store)[new.number] == {"lamp", "lamp shade"}


def test_a_moved_question_stays_where_it_was_put() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    here, there = put(engine, ["sofa", "lamp"], ["torch"])
    [lamp] = [q.key for q in store.questions(here) if q.text == "lamp"]
    store.move(here, [lamp], there, by="anna", version=1)
    assert put(engine, ["sofa", "lamp"], ["torch"]) == []
    assert _gaps(store) == {here: {"sofa"}, there: {"torch", "lamp"}}
    assert [q.pinned_by for q in store.questions(there)].count("anna") == 1


def test_gaps_that_editors_merged_are_never_parted_by_a_refresh() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    one, other = put(engine, ["sofa"], ["lamp"])
    store.merge(one, other, by="anna", version=1)
    assert put(engine, ["sofa"], ["lamp"]) == []
    assert _gaps(store) == {other: {"sofa", "lamp"}}


def test_an_ignored_gap_keeps_the_questions_that_mean_the_same() -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    [number] = put(engine, ["dogs in the shop"])
    store.ignore(number, "not ours", by="anna", version=1)
    assert put(engine, ["dogs in the shop", "cats in the shop", "birds in the shop"]) == []
    assert store.get(number).state is State.IGNORED
    assert store.get(number).questions == 3


def test_what_goes_to_a_gap_that_is_merged_meanwhile_goes_on_to_where_it_was_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = new_engine()
    store = GapStore(engine, lambda: NOW)
    small, large, third = put(engine, ["a"], ["b", "c", "d"], ["x"])
    make = places._make

    def merging(*arguments: Any) -> Any:
        made = make(*arguments)
        store.merge(large, third, by="anna", version=store.get(large).version)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(places, "_make", merging)
        put(engine, ["a", "b", "c", "d", "new"], ["x"])  # "a" and "new" are to go to `large`
    assert _gaps(store) == {third: {"a", "b", "c", "d", "x", "new"}}
    assert store.get(small).merged_into == third
