"""`/editor/articles`: which articles need somebody, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import format_decimal

from portal.drafts.find import Listed, listed
from portal.editor.charts import percent
from portal.editor.downloads import SHARE, csv_file, json_file, share_cells, share_dict
from portal.editor.health import NEEDS, SORTS, Health, health
from portal.editor.legible import legible
from portal.editor.period import MOST_ROWS, PERIODS, Chosen, chosen
from portal.figures.counts import ARTICLE_NAMES
from portal.figures.read import articles
from portal.i18n import current_locale
from portal.services import services
from portal.transactions import transaction

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class _Wanted:
    section: str
    owner: str
    need: str
    sort: str

    def query(self) -> dict[str, Any]:
        given = {"section": self.section, "owner": self.owner, "need": self.need,
                 "sort": self.sort}  # fmt: skip
        return {name: value for name, value in given.items() if value}


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/articles", "articles", page)
    blueprint.add_url_rule("/articles.json", "articles_json", as_json)
    blueprint.add_url_rule("/articles.csv", "articles_csv", as_csv)


def page() -> str:
    """Every article with what readers said of it. Raises `EventsUnavailable`."""
    period, wanted = chosen(), _wanted()
    every, drafts = _read(period)
    locale = current_locale()
    return render_template(
        "editor/articles.html",
        chosen=period,
        wanted=wanted,
        rows=_pick(every, period, wanted),
        drafts=[one for one in drafts if one.status == "draft"],
        sections={key: label.title(locale) for key, label in _sections().items()},
        owners=sorted({one.article.owner for one in every}),
        needs=NEEDS,
        sorts=SORTS,
        periods=PERIODS,
        selection=period.selection(services().clock()),
        query=period.query(**wanted.query()),
        downloads={
            "csv": url_for(".articles_csv", **period.query(**wanted.query())),
            "json": url_for(".articles_json", **period.query(**wanted.query())),
        },
        number=format_decimal,
        percent=percent,
        legible=legible,
    )


def as_json() -> Response:
    """The same list for programs."""
    period = chosen()
    rows = _pick(_read(period)[0], period, _wanted())
    return json_file("articles.json", [
        {**_fields(row), "reasons": dict(row.counts.reasons), "needs": list(row.needs),
         "helpfulness": share_dict(row.helpful)}
        for row in rows
    ])  # fmt: skip


def as_csv() -> Response:
    """One line for each article in each language."""
    period = chosen()
    rows = _pick(_read(period)[0], period, _wanted())
    header = [*_COLUMNS, *(f"helpful_{part}" for part in SHARE), "reasons", "needs"]
    lines = [
        [*_fields(row).values(), *share_cells(row.helpful),
         " ".join(f"{name}:{count}" for name, count in sorted(row.counts.reasons.items())),
         " ".join(row.needs)]
        for row in rows
    ]  # fmt: skip
    return csv_file("articles.csv", header, lines)


_COLUMNS = (
    "article", "locale", "section", "title", "owner", "updated", "verified_on", "review_by",
    "days_left", *ARTICLE_NAMES,
)  # fmt: skip


def _fields(row: Health) -> dict[str, Any]:
    article = row.article
    values = (
        article.id, article.locale, article.section, article.title, article.owner,
        article.updated.isoformat(), article.verified_on.isoformat(),
        article.review_by.isoformat(), row.days_left,
        *(getattr(row.counts, name) for name in ARTICLE_NAMES),
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _read(period: Chosen) -> tuple[list[Health], list[Listed]]:
    here = services()
    here.events.flush()
    now = here.clock()
    selection = period.selection(now)
    with transaction(here.engine, "read figures of articles") as connection:
        counts = articles(connection, selection.first, selection.last, now, most=MOST_ROWS)
    files = list(listed(here.settings.articles))
    return health(here.library.catalogue, counts, files, selection.last), files


def _pick(rows: list[Health], period: Chosen, wanted: _Wanted) -> list[Health]:
    some = [
        row
        for row in rows
        if (not period.locale or row.article.locale == period.locale)
        and (not wanted.section or row.article.section == wanted.section)
        and (not wanted.owner or row.article.owner == wanted.owner)
        and (not wanted.need or wanted.need in row.needs)
    ]
    key = SORTS[wanted.sort]
    return sorted(some, key=lambda row: (*key(row), row.article.id, row.article.locale))


def _wanted() -> _Wanted:
    """What the address asks for; what makes no sense is as if it were not there."""
    section, need = request.args.get("section", ""), request.args.get("need", "")
    sort = request.args.get("sort", "")
    return _Wanted(
        section=section if section in _sections() else "",
        owner=request.args.get("owner", "")[:_LONGEST],
        need=need if need in NEEDS else "",
        sort=sort if sort in SORTS else "helpful",
    )


def _sections() -> Any:
    return services().library.catalogue.taxonomy.sections
