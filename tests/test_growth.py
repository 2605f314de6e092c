"""The measure of growth tells work that is linear in its text from work that is not."""

from __future__ import annotations

import re

from growth import grows_with_its_text


def test_one_pass_over_the_text_grows_with_it() -> None:
    assert grows_with_its_text(lambda text: [text.casefold() for _ in range(50)], "ab ")


def test_a_search_that_starts_again_at_every_character_does_not() -> None:
    again = re.compile(r"a[^b]{0,4000}b")
    assert grows_with_its_text(again.findall, "a")  # the length it looks ahead is limited
    endless = re.compile(r"a[^b]*b")
    assert not grows_with_its_text(lambda text: endless.findall(text[: len(text) // 5]), "a")
