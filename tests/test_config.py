"""Settings: one table, read from the environment once, wrong values named."""

from __future__ import annotations

import pytest

from portal.config import Settings, SettingsInvalid, load_settings, settings_table
from portal.secret import secret_key
from tests_support import README


def test_the_readme_has_the_table_of_settings_as_the_code_prints_it() -> None:
    assert settings_table() in README.read_text("utf-8")


def test_every_setting_says_what_it_does() -> None:
    for name, info in Settings.model_fields.items():
        assert info.description, name
        assert info.description.endswith("."), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("KB_WORKERS", "0"),
        ("KB_DEFAULT_LOCALE", "fr"),
        ("KB_LOG_LEVEL", "loud"),
        ("KB_MAINTENANCE", "perhaps"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert f"{name}='{value}'" in str(caught.value)


def test_several_wrong_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_WORKERS", "0")
    monkeypatch.setenv("KB_THREADS", "x")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert "KB_WORKERS" in str(caught.value)
    assert "KB_THREADS" in str(caught.value)


def test_an_empty_variable_is_as_if_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MODEL", "")
    assert load_settings().model == Settings().model


def test_the_secret_key_is_made_once_and_readable_by_us_alone(tmp_path: object) -> None:
    settings = Settings(data=tmp_path)  # type: ignore[arg-type]
    first = secret_key(settings)
    assert len(first) == 64
    assert secret_key(settings) == first
    assert (settings.data / "secret-key").stat().st_mode & 0o077 == 0


def test_a_short_secret_key_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="KB_SECRET_KEY"):
        secret_key(Settings(secret_key="short"))


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(Settings(secret_key="s3cret" * 10, smtp_url="smtp://u:pa55@h"))
    assert "s3cret" not in shown
    assert "pa55" not in shown
