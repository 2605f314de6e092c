"""The suffix array against its plain definition."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.suffixes import sort_places

# Two letters and long runs of them, so that texts are alike far beyond what one number holds.
_TEXTS = st.lists(
    st.one_of(
        st.text("ab", max_size=40),
        st.integers(0, 60).map(lambda times: "ab" * times),
        st.sampled_from(["退款", "退款多久到账", "aaaaaaaa", "aaaaaaaaa", "ÿ"]),
    ),
    max_size=10,
)


@given(_TEXTS, st.data())
@example(["aaaaaaaa", "aaaaaaaaa", "aaaaaaaa"], None)
@settings(max_examples=300, deadline=None)
def test_places_are_sorted_by_what_follows_and_equals_stay_in_order(
    texts: list[str], data: st.DataObject | None
) -> None:
    encoded = [text.encode() for text in texts]
    content = np.frombuffer(b"\n".join([*encoded, b""]), np.uint8)
    places: list[tuple[int, int]] = []
    start = 0
    for text in encoded:
        offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=6)) if data else [0]
        places += [(start + offset, start + len(text)) for offset in offsets]
        start += len(text) + 1
    begins, ends = np.array(places, np.int64).reshape(-1, 2).T
    order = sort_places(content, begins, ends)
    wanted = sorted(range(len(places)), key=lambda n: bytes(content[slice(*places[n])]))
    assert order.tolist() == wanted
