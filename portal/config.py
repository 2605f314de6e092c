"""Every setting of the project; the only place that reads the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from search.errors import KnowledgeBaseError
from search.use_encoder import BUNDLED

OFF = "off"
"""A rate limit that is none."""
_LOOPBACK = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::(?:\*|[0-9]{1,5}))?")
_PLAIN_LIMIT = re.compile(r"[1-9][0-9]{0,6} per (second|minute|hour|day)")


class SettingsInvalid(KnowledgeBaseError):
    """An environment variable has a value that cannot be used."""

    exit_code = 2


def check_rate_limit(value: str) -> str:
    """A rate limit as it was given. Raises `ValueError` for one that cannot be read."""
    if value == OFF or _PLAIN_LIMIT.fullmatch(value):
        return value
    from limits import parse_many  # takes its time, which every command would wait for

    try:
        parse_many(value)
    except ValueError:
        raise ValueError("is no rate limit; write it as '120 per minute'") from None
    return value


class Settings(BaseSettings):
    """Twelve-factor settings; the description of a field is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix="KB_", extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    port: int = Field(
        8000, ge=1, le=65535, validation_alias="PORT", description="Port `kb serve` listens on."
    )
    host: str = Field("127.0.0.1", description="Address `kb serve` listens on.")
    articles: Path = Field(
        Path("articles"), description="Folder of articles, taxonomy and word lists."
    )
    data: Path = Field(Path("var"), description="Folder of the index, its caches and the log.")
    model: str = Field(
        BUNDLED,
        description="Embedding model: the bundled one, a sentence-transformers name, or a folder.",
    )
    database_url: str = Field(
        "", description="SQLAlchemy address of the event log; empty: SQLite in `KB_DATA`."
    )
    secret_key: str = Field(
        "",
        repr=False,
        description="Signs cookies and form tokens; empty: made once and kept in `KB_DATA`.",
    )
    base_url: str = Field(
        "",
        description="Public address such as `https://help.example`, for canonical links, "
        "feed and sitemap; empty: taken from the request.",
    )
    contact_url: str = Field(
        "",
        description="The shop's own contact page, linked where a person is offered; gets the "
        "question and the hand-over reference as `q` and `ref`.",
    )
    handover_mail: str = Field(
        "", description="Mail address that hand-overs are sent to; needs `KB_SMTP_URL`."
    )
    smtp_url: str = Field(
        "",
        repr=False,
        description="Mail server, `smtp://user:password@host:port` or `smtps://…`.",
    )
    default_locale: Literal["en", "zh-Hans"] = Field(
        "en", description="Language of visitors whose browser asks for neither."
    )
    workers: int = Field(2, ge=1, le=64, description="Worker processes of `kb serve`.")
    threads: int = Field(4, ge=1, le=64, description="Threads in each worker.")
    cache_results: int = Field(
        500,
        ge=0,
        le=1_000_000,
        description="Searches each worker remembers whole, for whoever asks the same; 0: none.",
    )
    cache_vectors: int = Field(
        4000,
        ge=0,
        le=1_000_000,
        description="Texts whose vectors each worker remembers, 2 KB each; 0: none.",
    )
    retention_days: int = Field(
        180, ge=1, description="Age in days beyond which `kb events purge` removes events."
    )
    rate_limit: str = Field(
        "120 per minute",
        description="How often an address may ask each worker for a search or any one page, "
        "signing in among them; `off`: any number.",
    )
    write_rate_limit: str = Field(
        "20 per minute",
        description="Votes, events, hand-overs and attempts to sign in an address may send each "
        "worker; `off`: any number.",
    )
    editor_rate_limit: str = Field(
        "600 per minute",
        description="Pages for editors an account may ask of each worker while it is signed in, "
        "all told, instead of `KB_RATE_LIMIT`; `off`: any number.",
    )
    editor_write_rate_limit: str = Field(
        "240 per minute",
        description="Changes an account may send each worker, instead of `KB_WRITE_RATE_LIMIT`; "
        "`off`: any number.",
    )
    forms: Path | None = Field(
        None,
        description="YAML file of other sites' forms that may ask for suggestions: their origins, "
        "thresholds and limits.",
    )
    widget_demo_origins: str = Field(
        "",
        description="Origins on this machine, apart by spaces, from which the demo of the widget "
        "may ask too, such as `http://localhost:*`; for development.",
    )
    orders: str = Field(
        "",
        description="Where refund requests find orders: a CSV file, or an address that answers as "
        "docs/orders-api.md says; empty: the demo shop's.",
    )
    orders_token: str = Field(
        "", repr=False, description="Bearer token sent to the address in `KB_ORDERS`."
    )
    lookup_rate_limit: str = Field(
        "10 per 15 minutes",
        description="Orders a visitor may look up, and guesses allowed for one order number; "
        "`off`: any number.",
    )
    webhook_url: str = Field(
        "", description="Address that refund requests, and digests if asked, are posted to."
    )
    webhook_secret: str = Field(
        "",
        repr=False,
        description="Signs what is posted to `KB_WEBHOOK_URL`: `whsec_` and the base64 of 24 to "
        "64 bytes.",
    )
    request_retention_days: int = Field(
        30,
        ge=1,
        description="Age in days at which the sender's details of a refund request are erased.",
    )
    session_idle_minutes: int = Field(
        480,
        ge=5,
        le=43_200,
        description="Minutes without a page after which an editor has to sign in again.",
    )
    session_hours: int = Field(
        168, ge=1, le=8760, description="Hours after which an editor has to sign in again anyway."
    )
    oidc_issuer: str = Field(
        "",
        description="OpenID Connect provider that editors may sign in at, such as "
        "`https://login.example`; empty: only passwords.",
    )
    oidc_client_id: str = Field("", description="The portal's name at that provider.")
    oidc_client_secret: str = Field("", repr=False, description="Its secret there.")
    oidc_name: str = Field(
        "", description="What the sign-in page calls the provider; empty: its host."
    )
    oidc_mail_domains: str = Field(
        "",
        description="Domains, apart by spaces, of which a verified mail address is needed to sign "
        "in at the provider; empty: none is.",
    )
    oidc_role_claim: str = Field(
        "",
        description="Claim that says what role somebody has, read at every sign-in, such as "
        "`groups`; empty: the default role, and admins change it.",
    )
    oidc_roles: str = Field(
        "",
        description="What the values of that claim mean, apart by spaces, such as "
        "`kb-admins=admin kb-team=editor`; empty: they are the roles' names.",
    )
    oidc_default_role: Literal["none", "reader", "editor", "admin"] = Field(
        "none",
        description="Role of whoever signs in at the provider and has none by the claim; "
        "`none`: they are not let in.",
    )
    trusted_proxies: int = Field(
        0, ge=0, le=8, description="Reverse proxies in front whose forwarded headers are believed."
    )
    secure_cookies: bool = Field(
        False, description="Send cookies over HTTPS only; on whenever `KB_BASE_URL` is https."
    )
    maintenance: bool = Field(False, description="Answer every page with the maintenance page.")
    explain_pages: bool = Field(
        False,
        description="For editors: `&explain=1` on a results page says why each result is there; "
        "the header `Server-Timing` says what each stage of a search took.",
    )
    index_workers: int = Field(
        0, ge=0, le=64, description="Processes that encode during `kb index`; 0: one for each core."
    )
    keep_generations: int = Field(
        3, ge=1, le=100, description="Published generations kept for `kb rollback`."
    )
    golden: Path | None = Field(
        None,
        description="Folder of golden questions, as `kb eval` reads it, that a proof asks before "
        "and after; empty: the questions that other articles list.",
    )
    git_commit: bool = Field(
        False,
        description="Commit what editors save to git, with their names, where `KB_ARTICLES` is in "
        "a git work tree.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe message that is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`auto` is text on a terminal and JSON elsewhere."
    )

    @field_validator(
        "rate_limit", "write_rate_limit", "lookup_rate_limit", "editor_rate_limit",
        "editor_write_rate_limit",
    )  # fmt: skip
    @classmethod
    def _readable_limit(cls, value: str) -> str:
        return check_rate_limit(value)

    @field_validator("widget_demo_origins")
    @classmethod
    def _loopback_origins(cls, value: str) -> str:
        if wrong := [one for one in value.split() if not _LOOPBACK.fullmatch(one)]:
            raise ValueError(
                f"{wrong[0]!r} is no origin on this machine; write http://localhost:* or "
                "http://127.0.0.1:8080"
            )
        return value

    @field_validator("base_url", "contact_url", "webhook_url")
    @classmethod
    def _complete_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("is no address; write it as https://help.example")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        if value and not value.startswith("https://") and not _LOOPBACK.match(value):
            raise ValueError("has to be an https address; write it as https://login.example")
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        for pair in value.split():
            name, _, role = pair.rpartition("=")
            if not name or role not in ("reader", "editor", "admin"):
                raise ValueError(f"{pair!r} is no role; write it as kb-team=editor")
        return value

    @property
    def cache(self) -> Path:
        """The folder of what can be made again: vectors, the model's weights unpacked."""
        return self.data / "cache"

    @property
    def events_url(self) -> str:
        """The address of the event log, the default filled in."""
        return self.database_url or f"sqlite:///{(self.data / 'portal.db').absolute()}"


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; `overrides` win. Raises `SettingsInvalid` naming every wrong one."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [
            f"{_variable(item['loc'])}={item['input']!r}: {item['msg']}" for item in error.errors()
        ]
        raise SettingsInvalid("; ".join(lines)) from error


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else ""
    return name if name.isupper() else f"KB_{name.upper()}"


def settings_table() -> str:
    """The documented settings as a Markdown table, for the README."""
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    for name, info in Settings.model_fields.items():
        variable = str(info.validation_alias or f"KB_{name.upper()}")
        empty = info.default is None or not str(info.default)
        default = "empty" if empty else f"`{info.default}`"
        rows.append(f"| `{variable}` | {default} | {info.description} |")
    return "\n".join(rows)
