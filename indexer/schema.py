"""The front matter of an article: the documented schema."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from indexer.messages import MENDS

ID = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
Identifier = Annotated[str, StringConstraints(pattern=ID, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
GapName = Annotated[str, StringConstraints(pattern=r"^gap-[1-9][0-9]{0,8}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceModel(_Strict):
    """A source of a statement about law or an institution."""

    title: Text
    url: HttpUrl
    verified_on: date


class PolicyModel(_Strict):
    """One machine-readable rule; `section` is the anchor of the heading that states it."""

    section: Annotated[str, StringConstraints(pattern=f"{ID}|^$", max_length=80)] = ""
    platforms: tuple[Identifier, ...] = ()
    reasons: tuple[Identifier, ...] = ()
    window_days: int | None = Field(None, ge=0, le=3650)
    window_from: (
        Literal["order", "dispatch", "delivery", "warehouse-arrival", "purchase"] | None
    ) = None
    return_shipping: Literal["shop", "customer", "seller", "insurer", "none"] | None = None
    refund_days: int | None = Field(None, ge=0, le=365)
    refund_from: Literal["approval", "inspection", "cancellation", "seller-refund"] | None = None
    refund_method: Literal["original", "balance", "gift-card", "choice"] | None = None
    conditions: tuple[Text, ...] = ()
    evidence: tuple[Identifier, ...] = ()
    goods: tuple[Identifier, ...] = ()
    regions: tuple[Literal["eu", "uk", "us", "china"], ...] = ()


class FrontMatter(_Strict):
    """Everything between the two `---` lines."""

    id: Identifier
    title: Text
    summary: Text
    section: Identifier
    tags: tuple[Text, ...] = ()
    reasons: tuple[Identifier, ...] = ()
    platforms: tuple[Identifier, ...] = ()
    questions: tuple[Text, ...] = ()
    status: Literal["draft", "published", "archived"]
    owner: Text
    updated: date
    verified_on: date
    review_by: date
    redirect_from: tuple[str, ...] = ()
    sources: tuple[SourceModel, ...] = ()
    policy: tuple[PolicyModel, ...] = ()
    closes: GapName | None = None

    @field_validator("redirect_from")
    @classmethod
    def _site_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if not re.fullmatch(r"(?:/[\w.~-]+)+/?", path):
                raise PydanticCustomError("site_path", "no path of this site", {"path": path})
        return tuple(path.rstrip("/") for path in paths)


def schema_table() -> str:
    """The front matter's fields as a Markdown table, for the README."""
    rows = ["| field | required | how to write it |", "|---|---|---|"]
    for name, info in FrontMatter.model_fields.items():
        required = "yes" if info.is_required() else "no"
        rows.append(f"| `{name}` | {required} | {MENDS[name]} |")
    clause = ", ".join(f"`{name}`" for name in PolicyModel.model_fields)
    return "\n".join(rows) + (
        f"\n\nA clause of `policy` has {clause}; `section` is the anchor of the heading that "
        "states the rule."
    )
