"""The forms that may ask for suggestions: two of our own, and those of the file `KB_FORMS`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import field_validator as validates

from portal.config import Settings, SettingsInvalid, check_rate_limit
from portal.forms.origins import ORIGIN, matches
from search.suggest import MOST, THRESHOLD

OWN = "request"
"""The key of our own form."""
DEMO = "demo"
"""The key of the form on the page that shows the widget."""
KEY = re.compile(r"[a-z0-9-]{1,40}")
_MENDS = {
    "extra_forbidden": "is not known; remove it",
    "missing": "is missing; add it",
}
_Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """What one form may do. `key` is public: it stands in the page of the form."""

    key: str
    titles: Mapping[str, str]
    """By locale, for editors."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask, as `https://shop.example`; `http://localhost:*` has any
    port. Our own pages always may."""
    threshold: float = THRESHOLD
    """The least confidence, 0 to 1, of what is suggested."""
    holdout: float = 0.0
    """The share of sessions, 0 to 1, that get no suggestions, so that they can be compared."""
    locale: str | None = None
    """The language of its customers; None: that of the request, else of what they write."""
    limit: int = MOST
    """Suggestions it shows at once, at most."""
    rate_limit: str = "60 per minute"
    """Suggestions one visitor may ask for, and apart from these events one may send."""

    def title(self, locale: str) -> str:
        """Its name in the reader's language, else in any, else the key."""
        return self.titles.get(locale) or next(iter(self.titles.values()), self.key)

    def allows(self, origin: str) -> bool:
        """Whether pages of another site may ask in this form's name."""
        return any(matches(origin, pattern) for pattern in self.origins)


class Forms:
    """All forms by key."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._forms = {form.key: form for form in forms}

    def get(self, key: str) -> Form | None:
        """The form of a key, or None."""
        return self._forms.get(key)

    def all(self) -> tuple[Form, ...]:
        """Our own first, then in the order of the file."""
        return tuple(self._forms.values())

    def origins(self) -> frozenset[str]:
        """Every origin that some form allows, as it was written."""
        return frozenset(origin for form in self._forms.values() for origin in form.origins)

    def allow(self, origin: str) -> bool:
        """Whether some form allows an origin."""
        return any(form.allows(origin) for form in self._forms.values())


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class _Title(_Strict):
    en: _Text | None = None
    zh_hans: _Text | None = Field(None, alias="zh-Hans")


class _Entry(_Strict):
    """One form of the file."""

    title: _Title
    origins: list[str] = []
    threshold: Annotated[float, Field(ge=0, le=1, strict=False)] = THRESHOLD
    holdout: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    locale: Literal["en", "zh-Hans"] | None = None
    limit: int = Field(MOST, ge=1, le=MOST)
    rate_limit: str = "60 per minute"

    @validates("origins")
    @classmethod
    def _are_origins(cls, values: list[str]) -> list[str]:
        for value in values:
            if not ORIGIN.fullmatch(value):
                raise ValueError(
                    f"{value!r} is no origin; write scheme and host without a path, as "
                    "https://shop.example"
                )
        return values

    @validates("rate_limit")
    @classmethod
    def _is_limit(cls, value: str) -> str:
        return check_rate_limit(value)


def open_forms(settings: Settings) -> Forms:
    """Our own forms and those of `KB_FORMS`.

    Raises `SettingsInvalid` naming file, line, field and what to do.
    """
    demo = settings.widget_demo_origins.split()
    own = (
        Form(OWN, {"en": "Refund request", "zh-Hans": "退款申请"}),
        Form(DEMO, {"en": "Widget demo", "zh-Hans": "组件演示"}, origins=tuple(demo)),
    )
    if settings.forms is None:
        return Forms(own)
    return Forms((*own, *_read(settings.forms)))


def _read(path: Path) -> Iterator[Form]:
    try:
        text = path.read_text("utf-8")
        lines: dict[_Location, int] = {}
        # The file is the operator's own; SafeLoader makes nothing but plain values.
        data = yaml.safe_load(text)
        if (root := yaml.compose(text, Loader=yaml.SafeLoader)) is not None:
            _note_lines(root, (), lines)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"KB_FORMS={path}: cannot be read ({error})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsInvalid(f"{path}:{line}: not YAML ({error.problem}); mend it") from error
    except yaml.YAMLError as error:  # a character YAML cannot have
        raise SettingsInvalid(f"{path}: not YAML ({error}); mend it") from error
    forms = data.get("forms") if isinstance(data, dict) else None
    if not isinstance(forms, dict) or data.keys() != {"forms"}:
        raise SettingsInvalid(
            f"{path}:1: has to be one mapping `forms:` with a key for every form; see the README"
        )
    problems: list[str] = []
    read: list[Form] = []
    for key, value in forms.items():
        line = lines.get(("forms", str(key)), 1)
        if not isinstance(key, str) or not KEY.fullmatch(key):
            problems.append(
                f"{path}:{line}: {key!r} is no key; use 1 to 40 of a-z, 0-9 and `-`, in quotes "
                "where it is a number"
            )
        elif key in (OWN, DEMO):
            problems.append(f"{path}:{line}: {key!r} is one of our own forms; use another key")
        else:
            try:
                read.append(_form(key, _Entry.model_validate(value)))
            except ValidationError as error:
                problems += _problems(path, key, error, lines)
    if problems:
        raise SettingsInvalid("; ".join(problems))
    yield from read


def _form(key: str, entry: _Entry) -> Form:
    titles = {"en": entry.title.en, "zh-Hans": entry.title.zh_hans}
    return Form(
        key=key,
        titles=MappingProxyType({name: title for name, title in titles.items() if title}),
        origins=tuple(entry.origins),
        threshold=entry.threshold,
        holdout=entry.holdout,
        locale=entry.locale,
        limit=entry.limit,
        rate_limit=entry.rate_limit,
    )


def _problems(
    path: Path, key: str, error: ValidationError, lines: Mapping[_Location, int]
) -> Iterator[str]:
    for item in error.errors(include_url=False):
        location: _Location = ("forms", key, *item["loc"])
        line = next(
            (lines[location[:end]] for end in range(len(location), 0, -1)
             if location[:end] in lines), 1,
        )  # fmt: skip
        field = ".".join(map(str, location[1:]))
        what = _MENDS.get(item["type"]) or item["msg"].removeprefix("Value error, ")
        yield f"{path}:{line}: {field}: {what}"


def _note_lines(node: yaml.Node, place: _Location, lines: dict[_Location, int]) -> None:
    """Write down the line of every key and item, 1-based."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inner = (*place, _plain(name))
            lines[inner] = name.start_mark.line + 1
            _note_lines(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*place, number] = value.start_mark.line + 1
            _note_lines(value, (*place, number), lines)


def _plain(node: Any) -> str:
    return str(node.value)
