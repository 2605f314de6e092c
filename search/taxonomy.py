"""The names articles may use (sections, reasons, platforms, evidence) and the words readers see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Label:
    """One key of the taxonomy in every language; `about` is empty where none was written."""

    key: str
    titles: Mapping[str, str]
    about: Mapping[str, str]

    def title(self, locale: str) -> str:
        """The title in the reader's language, else in any, else the key."""
        return self.titles.get(locale) or next(iter(self.titles.values()), self.key)

    def description(self, locale: str) -> str:
        return self.about.get(locale, "")


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Ordered labels by key, as in `taxonomy.yaml`."""

    shop: Label
    sections: Mapping[str, Label]
    reasons: Mapping[str, Label]
    platforms: Mapping[str, Label]
    evidence: Mapping[str, Label]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Taxonomy:
        """Rebuild what `to_dict` wrote, or read the parsed file; the indexer validates it first."""
        groups = {
            group: {key: _label(key, value) for key, value in (data.get(group) or {}).items()}
            for group in ("sections", "reasons", "platforms", "evidence")
        }
        return cls(shop=_label("shop", data["shop"]), **groups)

    def to_dict(self) -> dict[str, Any]:
        groups: dict[str, Mapping[str, Label]] = {
            "sections": self.sections,
            "reasons": self.reasons,
            "platforms": self.platforms,
            "evidence": self.evidence,
        }
        data: dict[str, Any] = {"shop": dict(self.shop.titles)}
        for group, labels in groups.items():
            data[group] = {
                key: {**label.titles, **({"about": dict(label.about)} if label.about else {})}
                for key, label in labels.items()
            }
        return data


def _label(key: str, value: Mapping[str, Any]) -> Label:
    titles = {locale: str(text) for locale, text in value.items() if locale != "about"}
    return Label(key=key, titles=titles, about=dict(value.get("about") or {}))
