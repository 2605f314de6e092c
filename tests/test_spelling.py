"""Spelling: what is corrected, what is only asked about, and above all what is left alone."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from search.channel import least_cost, slip_cost
from search.lexicon import Lexicon, english
from search.spelling import Correction, Misspelling, Speller
from search.text import normalise

# Words of a help centre, about as often as articles have them.
INDEX = {
    "a": 1500, "address": 60, "account": 90, "and": 1300, "amount": 80, "balance": 20, "cancel": 90,
    "card": 260, "change": 110, "chargeback": 12, "customer": 40, "delivered": 50, "delivery": 120,
    "don't": 8, "exchange": 130, "fapiao": 6, "for": 600, "gift": 70, "how": 110, "is": 700,
    "item": 330, "kuailane": 25, "label": 60, "missing": 40, "money": 90, "my": 60, "of": 900,
    "order": 420, "parcel": 190, "payment": 150, "pinecart": 22, "policy": 35, "receipt": 30,
    "receive": 40, "refund": 900, "refundable": 9, "return": 610, "shipping": 90, "status": 30,
    "the": 3000, "to": 1500, "tracking": 45, "voucher": 25, "warranty": 60, "where": 50,
    "wrenfield": 110, "you": 1400, "qipao": 1, "ninebot": 1,
}  # fmt: skip
words = st.text("abcdefgh'", min_size=1, max_size=12)


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller(INDEX)


def silent(speller: Speller, text: str) -> dict[str, str]:
    """What is replaced without asking."""
    return {m.wrong: m.right for m in speller.misspellings(normalise(text)) if m.sure}


def asked(speller: Speller, text: str) -> dict[str, str]:
    return {m.wrong: m.right for m in speller.misspellings(normalise(text)) if not m.sure}


# --- corrected


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("refnd", "refund"), ("adress", "address"), ("recieve", "receive"), ("cancle", "cancel"),
        ("retrun", "return"), ("delivary", "delivery"), ("paymnet", "payment"),
        ("voucer", "voucher"), ("reciept", "receipt"), ("warrenty", "warranty"),
        ("chargback", "chargeback"), ("wrenfeild", "wrenfield"), ("refundd", "refund"),
    ],
)  # fmt: skip
def test_a_slip_in_a_word_of_the_articles_is_corrected(
    speller: Speller, wrong: str, right: str
) -> None:
    assert speller.corrections(wrong)[0].word == right
    assert silent(speller, f"where is my {wrong}?") == {wrong: right}


def test_places_are_those_of_the_normalised_text(speller: Speller) -> None:
    text = normalise("My  REFND, and (my parcle’s) “adress”: refund/retrun!")
    found = speller.misspellings(text)
    assert [text[m.start : m.end] for m in found] == ["refnd", "parcle", "adress", "retrun"]
    assert found[0] == Misspelling(3, 8, "refnd", "refund", sure=True)
    assert [m.right for m in found] == ["refund", "parcel", "address", "return"]


def test_english_among_chinese_is_corrected(speller: Speller) -> None:
    assert silent(speller, "我的refnd什么时候到,单号WF-311-908-220") == {"refnd": "refund"}


def test_corrections_are_the_best_first_and_as_many_as_asked_for(speller: Speller) -> None:
    for limit in range(5):
        found = speller.corrections("refudn", limit)
        assert len(found) == limit
        assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
        assert found == speller.corrections("refudn", 4)[:limit]
    assert all(c.distance == OSA.distance(c.word, "refudn") for c in found)


def test_the_words_of_the_articles_are_preferred() -> None:
    general = Speller({}).corrections("parsel")
    assert general[0].word == "parcel"
    assert Speller({"parsley": 5, "salad": 90}).corrections("parsel")[0].word == "parsley"


def test_words_run_together_are_taken_apart(speller: Speller) -> None:
    assert silent(speller, "myrefund status") == {"myrefund": "my refund"}
    assert asked(speller, "giftcard balance") == {"giftcard": "gift card"}


def test_a_missing_apostrophe_is_put_back(speller: Speller) -> None:
    assert silent(speller, "i dont see my refund") == {"dont": "don't"}


def test_a_swap_of_neighbours_in_a_long_common_word_is_seen_through() -> None:
    speller = Speller({})
    dice = random.Random(5)
    common = sorted(w for w, p in english().log_probabilities.items() if len(w) > 7 and p > -11)
    right = tried = 0
    for word in dice.sample(common, 150):
        place = dice.randrange(1, len(word) - 2)
        swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        if not speller.knows(swapped):
            tried += 1
            right += speller.corrections(swapped)[0].word == word
    assert tried > 100
    assert right / tried > 0.95


# --- left alone


@given(st.sampled_from(sorted(INDEX)))
def test_a_word_of_the_articles_is_never_corrected(speller: Speller, word: str) -> None:
    assert speller.knows(word)
    assert speller.misspellings(f"the {word} of") == []


@settings(deadline=None)
@given(st.sampled_from(sorted(english().log_probabilities)))
def test_a_word_that_english_has_is_never_replaced_without_asking(
    speller: Speller, word: str
) -> None:
    assert speller.knows(word)
    assert silent(speller, word) == {}


@pytest.mark.parametrize("text", ["kuailane", "pinecart's", "qipao", "ninebot", "a fapiao"])
def test_rare_names_of_the_articles_stay(speller: Speller, text: str) -> None:
    assert speller.misspellings(text) == []


@pytest.mark.parametrize(
    "word", ["xiaomi", "huawei", "whatsapp", "klarna", "tuikuan", "wuliu", "zfxxgk", "qwrtpsdf"]
)
def test_names_that_resemble_nothing_stay(speller: Speller, word: str) -> None:
    assert not speller.knows(word)
    assert speller.misspellings(word) == []


@pytest.mark.parametrize("word", ["unrefundable", "misdescribed", "passcode", "reposted"])
def test_a_word_made_of_words_is_not_taken_for_another(speller: Speller, word: str) -> None:
    assert word not in english().log_probabilities
    assert speller.knows(word)
    assert speller.misspellings(word) == []


@pytest.mark.parametrize("word", ["refundables", "exchanging", "vouchers", "cancelled", "returne"])
def test_another_form_of_a_word_of_the_articles_needs_no_correction(
    speller: Speller, word: str
) -> None:
    assert speller.misspellings(word) == []


@pytest.mark.parametrize(
    "text",
    [
        "WF-311-908-220", "retrun-polcy", "iphone15", "1Z999AA10123456784", "refnd2", "4111",
        "refnd@wrenfeild.com", "www.wrenfeild.com/retrun", "https://refnd.example/adress?recieve=1",
        "C:\\refnd", "snake_refnd", "#refnd", "refnd=recieve", "rfd", "возвpaт",
    ],
)  # fmt: skip
def test_codes_addresses_and_short_words_are_never_corrected(speller: Speller, text: str) -> None:
    assert speller.misspellings(normalise(f"my order {text} please")) == []


@given(
    st.one_of(
        st.from_regex(r"[a-z]{2}-[0-9]{3}-[0-9]{3}-[0-9]{3}", fullmatch=True),
        st.from_regex(r"[a-z]{1,6}[0-9]{1,6}[a-z]{0,6}", fullmatch=True),
        st.from_regex(r"[a-z]{2,5}(-[a-z0-9]{2,5}){1,3}", fullmatch=True),
        st.integers(0, 10**20).map(str),
        st.text("abcdefghijklmnopqrstuvwxyz", max_size=3),
    )
)
def test_no_code_is_ever_corrected(speller: Speller, code: str) -> None:
    assert speller.knows(code)
    assert speller.misspellings(f"my order {code}.") == []


@given(st.text(max_size=60))
def test_any_text_is_taken_and_what_is_put_can_be_found(speller: Speller, text: str) -> None:
    for miss in speller.misspellings(normalise(text)):
        assert all(Speller(INDEX).knows(word) for word in miss.right.split())
        assert miss.wrong != miss.right


def test_a_rare_english_word_is_only_asked_about_and_only_if_the_frequencies_say_so() -> None:
    often = Speller({"order": 420, "refund": 900, "older": 5, "other": 100})
    seldom = Speller({"order": 1, "refund": 900, "older": 1, "other": 100})
    assert silent(often, "my oder") == silent(seldom, "my oder") == {}
    assert asked(often, "my oder") == {"oder": "order"}
    assert asked(seldom, "my oder") == {}


def test_what_the_articles_lack_is_not_put_in(speller: Speller) -> None:
    assert speller.corrections("girafe")[0].word == "giraffe"
    assert speller.misspellings("girafe") == []
    assert Speller({}).misspellings("my refnd") == []


def test_no_correction_leads_to_a_word_that_says_nothing(speller: Speller) -> None:
    assert speller.corrections("whire")[0].word == "where"
    assert speller.misspellings("whire") == []


# --- cost


def test_the_general_vocabulary_is_read_only_for_a_word_the_articles_lack() -> None:
    english.cache_clear()
    speller = Speller(INDEX)
    assert speller.misspellings("where is my refund for order wf-311-908-220") == []
    assert english.cache_info().currsize == 0
    speller.misspellings("where is my refnd")
    assert english.cache_info().currsize == 1


def test_a_text_of_nonsense_costs_few_lookups() -> None:
    looked_up = []

    class Counting(Speller):
        def corrections(self, word: str, limit: int = 3) -> list[Correction]:
            looked_up.append(word)
            return super().corrections(word, limit)

    dice = random.Random(3)
    nonsense = ["".join(dice.choices("aeinorst", k=9)) for _ in range(100)]
    Counting(INDEX).misspellings(" ".join(nonsense * 3))
    assert 0 < len(looked_up) < 20
    assert len(set(looked_up)) == len(looked_up)


# --- the parts


@given(st.lists(words, max_size=30, unique=True), words, st.integers(1, 3))
def test_near_words_are_those_that_comparing_with_each_finds(
    known: list[str], word: str, most: int
) -> None:
    lexicon = Lexicon(dict.fromkeys(known, 0.0))
    distances = {other: OSA.distance(word, other) for other in known}
    assert lexicon.near(word, most) == {w: d for w, d in distances.items() if d <= most}


@given(words, words)
@example("'a", "a")
@example("abcd", "abdc")
@example("ba", "ab")
@example("xab", "ab")
def test_slips_cost_at_least_what_the_search_for_the_best_relies_on(right: str, typed: str) -> None:
    cost = slip_cost(right, typed)
    assert (cost == 0) == (right == typed)
    assert cost >= least_cost(right, typed, OSA.distance(right, typed)) - 1e-9


@pytest.mark.parametrize(
    ("likelier", "rarer"),
    [
        (("receive", "recieve"), ("receive", "reseive")),  # swapped neighbours
        (("address", "adress"), ("address", "addess")),  # one of two equal letters
        (("refund", "refundd"), ("refund", "refundx")),
        (("warranty", "warrenty"), ("warranty", "warrxnty")),  # a vowel for a vowel
        (("necessary", "nesessary"), ("necessary", "nebessary")),
        (("return", "retun"), ("return", "eturn")),  # not the first letter
    ],
)
def test_likelier_slips_cost_less(likelier: tuple[str, str], rarer: tuple[str, str]) -> None:
    assert slip_cost(*likelier) < slip_cost(*rarer)


def test_the_general_vocabulary_has_both_spellings_and_adds_up() -> None:
    known = english().log_probabilities
    assert {"colour", "color", "cancelled", "canceled", "favourite", "favorite"} <= known.keys()
    assert math.fsum(map(math.exp, known.values())) == pytest.approx(1, abs=0.02)
    assert not {"recieve", "adress", "definately", "seperate"} & known.keys()
