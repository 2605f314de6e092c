"""Chinese that provably works: properties over the shipped articles."""

from __future__ import annotations

import re
from functools import cache

import opencc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.services import Services
from search.generation import Generation
from search.types import Passage, Response

_HAN = re.compile("[\u4e00-\u9fff]+")
_SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _search(services: Services, query: str) -> Response:
    return services.library.search(query, locale="zh-Hans", limit=500, mode="hybrid")


def _keyword(services: Services, query: str) -> list[str]:
    found = services.library.search(query, locale="zh-Hans", limit=500, mode="keyword")
    return [result.article.id for result in found.results]


@cache
def _passages(generation: Generation) -> tuple[Passage, ...]:
    rows = (generation.passage(row) for row in range(len(generation.passages)))
    return tuple(passage for passage in rows if passage.locale == "zh-Hans")


def _generation(services: Services) -> Generation:
    return services.library.searcher.generation  # type: ignore[attr-defined,no-any-return]


def _draw_run(data: st.DataObject, services: Services, *, least: int, most: int) -> tuple[str, str]:
    """A run of characters copied from a passage, and the article it comes from."""
    passages = _passages(_generation(services))
    passage = passages[data.draw(st.integers(0, len(passages) - 1))]
    runs = [run for run in _HAN.findall(passage.text) if len(run) >= least]
    if not runs:
        return "退款", "refund-timing"
    run = runs[data.draw(st.integers(0, len(runs) - 1))]
    length = data.draw(st.integers(least, min(most, len(run))))
    start = data.draw(st.integers(0, len(run) - length))
    return run[start : start + length], passage.article_id


@_SLOW
@given(data=st.data())
def test_any_run_of_two_characters_finds_its_article(
    services: Services, data: st.DataObject
) -> None:
    run, article = _draw_run(data, services, least=2, most=12)
    assert article in [result.article.id for result in _search(services, run).results]
    assert article in _keyword(services, run)


@_SLOW
@given(data=st.data())
def test_a_long_run_puts_its_article_in_front(services: Services, data: st.DataObject) -> None:
    run, article = _draw_run(data, services, least=8, most=16)
    having = {
        passage.article_id
        for passage in _passages(_generation(services))
        if run in passage.text or run in passage.headings[-1]
    }
    first = [result.article.id for result in _search(services, run).results][: len(having) + 2]
    assert article in first


@_SLOW
@given(data=st.data(), absent=st.sampled_from(["龘龘", "魑魅魍魉", "xyzzyq", "量子泡泡机"]))
def test_one_absent_word_never_empties_the_result(
    services: Services, data: st.DataObject, absent: str
) -> None:
    run, article = _draw_run(data, services, least=2, most=8)
    assert article in _keyword(services, f"{run} {absent}")


@_SLOW
@given(data=st.data())
def test_traditional_and_full_width_give_the_same(services: Services, data: st.DataObject) -> None:
    run, _ = _draw_run(data, services, least=2, most=12)
    plain = [r.article.id for r in _search(services, f"{run} iphone15").results]
    traditional = opencc.OpenCC("s2t").convert(run)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in "iphone15")
    back = opencc.OpenCC("t2s").convert(traditional)
    if back == run:  # some characters have no way back, with any converter
        again = [r.article.id for r in _search(services, f"{traditional} {wide}").results]
        assert again[:10] == plain[:10]


def test_mixed_text_finds(services: Services) -> None:
    found = [result.article.id for result in _search(services, "iPhone15 退款").results]
    assert "refund-timing" in found[:20]


def test_words_of_the_field_stay_whole(services: Services) -> None:
    tokeniser = _generation(services).tokeniser
    for word in ("运费险", "七天无理由", "仅退款", "以旧换新"):
        assert word in tokeniser.terms(f"请问{word}怎么办")
