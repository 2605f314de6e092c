"""Forms by key: our own, those of the file, and what is said about mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.config import Settings, SettingsInvalid, load_settings
from portal.forms.origins import ORIGIN, matches
from portal.forms.registry import Form, Forms, open_forms

GOOD = """\
forms:
  shop-refund:
    title: {en: Refunds of the shop, zh-Hans: 商城退款}
    origins: [https://shop.example, "http://localhost:*"]
    threshold: 0.7
    holdout: 0.1
    locale: zh-Hans
    limit: 2
    rate_limit: 90 per minute
  plain:
    title: {en: Plain}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "forms.yaml"


def test_without_a_file_there_are_our_own_two() -> None:
    forms = open_forms(Settings())
    assert [form.key for form in forms.all()] == ["request", "demo"]
    assert forms.get("request") == forms.all()[0]
    assert forms.get("shop") is None
    assert forms.origins() == frozenset()
    assert not forms.allow("https://shop.example")


def test_a_file_adds_forms_with_all_they_say(file: Path) -> None:
    file.write_text(GOOD, "utf-8")
    forms = open_forms(Settings(forms=file))
    assert forms.get("shop-refund") == Form(
        key="shop-refund",
        titles={"en": "Refunds of the shop", "zh-Hans": "商城退款"},
        origins=("https://shop.example", "http://localhost:*"),
        threshold=0.7,
        holdout=0.1,
        locale="zh-Hans",
        limit=2,
        rate_limit="90 per minute",
    )
    plain = forms.get("plain")
    assert plain is not None
    assert (plain.threshold, plain.holdout, plain.limit, plain.origins) == (0.5, 0.0, 3, ())
    assert forms.origins() == {"https://shop.example", "http://localhost:*"}
    assert plain.title("zh-Hans") == "Plain"
    assert not plain.allows("https://shop.example")
    assert forms.allow("http://localhost:5173")


@pytest.mark.parametrize(
    ("change", "line", "named"),
    [
        (("threshold: 0.7", "threshold: 7"), 5, "shop-refund.threshold"),
        (("holdout: 0.1", "holdout: most"), 6, "shop-refund.holdout"),
        (("locale: zh-Hans", "locale: fr"), 7, "shop-refund.locale"),
        (("limit: 2", "limit: 4"), 8, "shop-refund.limit"),
        (("90 per minute", "sometimes"), 9, "write it as '120 per minute'"),
        (("https://shop.example", "shop.example"), 4, "is no origin"),
        (("https://shop.example", "https://shop.example/refunds"), 4, "is no origin"),
        (("https://shop.example", "https://*.example"), 4, "is no origin"),
        (("http://localhost:*", "http://shop.example:*"), 4, "is no origin"),
        (("threshold:", "treshold:"), 5, "shop-refund.treshold: is not known"),
        (("    title: {en: Plain}", "    limit: 3"), 10, "plain.title: is missing"),
        (("{en: Plain}", "{fr: Plain}"), 11, "plain.title.fr: is not known"),
        (("plain:", "Plain Form:"), 10, "'Plain Form' is no key"),
        (("plain:", "12:"), 10, "12 is no key"),
        (("plain:", "request:"), 10, "one of our own forms"),
        (("forms:", "form:"), 1, "has to be one mapping"),
        (("  plain:", "  plain"), 11, "not YAML"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(
    file: Path, change: tuple[str, str], line: int, named: str
) -> None:
    assert change[0] in GOOD
    file.write_text(GOOD.replace(*change), "utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        open_forms(Settings(forms=file))
    assert f"{file}:{line}: " in str(caught.value)
    assert named in str(caught.value)


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    file.write_text(GOOD.replace("0.7", "7").replace("{en: Plain}", "Plain"), "utf-8")
    with pytest.raises(SettingsInvalid, match=r"threshold(?s:.*)plain\.title"):
        open_forms(Settings(forms=file))


@pytest.mark.parametrize("content", [b"", b"[]", b"forms: []", b"\xff\xfe", b"forms: {a: \x00}"])
def test_a_file_that_is_no_list_of_forms_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsInvalid, match=r"forms\.yaml"):
        open_forms(Settings(forms=file))


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(SettingsInvalid, match="KB_FORMS="):
        open_forms(Settings(forms=file))


@pytest.mark.parametrize(
    ("origin", "pattern", "same"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("http://shop.example", "https://shop.example", False),
        ("https://shop.example:8443", "https://shop.example", False),
        ("https://shop.example.evil.example", "https://shop.example", False),
        ("https://evil.example/https://shop.example", "https://shop.example", False),
        ("null", "https://shop.example", False),
        ("http://localhost", "http://localhost:*", True),
        ("http://localhost:5173", "http://localhost:*", True),
        ("http://localhost.evil.example", "http://localhost:*", False),
        ("http://localhost:80@evil.example", "http://localhost:*", False),
        ("https://localhost:5173", "http://localhost:*", False),
        ("http://[::1]:5173", "http://[::1]:*", True),
    ],
)
def test_origins_are_compared_whole(origin: str, pattern: str, same: bool) -> None:
    assert ORIGIN.fullmatch(pattern)
    assert matches(origin, pattern) is same


def test_the_demo_takes_origins_of_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_WIDGET_DEMO_ORIGINS", "http://localhost:* http://127.0.0.1:8080")
    demo = open_forms(load_settings()).get("demo")
    assert demo is not None
    assert demo.allows("http://127.0.0.1:8080")
    assert not demo.allows("http://127.0.0.1:8081")
    monkeypatch.setenv("KB_WIDGET_DEMO_ORIGINS", "https://shop.example")
    with pytest.raises(SettingsInvalid, match="KB_WIDGET_DEMO_ORIGINS"):
        load_settings()


def test_forms_of_one_key_are_one() -> None:
    assert len(Forms([Form("a", {}), Form("a", {}, limit=1)]).all()) == 1
    assert Form("a", {}).title("en") == "a"
