"""`/editor/gaps`: the queue of gaps, the most pressing first, with its filters and downloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit
from portal.editor import gap_words as words
from portal.editor.access import wants_data
from portal.editor.downloads import csv_file, json_file
from portal.editor.words import moment
from portal.gaps import definitions
from portal.gaps.definitions import LEAST
from portal.gaps.enough import enough
from portal.gaps.export import CSV_HEADER, csv_line, gap_dict
from portal.gaps.store import NOBODY, GapFilter
from portal.gaps.types import SEVERITY, UNDER_WAY, Gap, Kind, Reason, State
from portal.i18n import current_locale
from portal.services import services
from search.errors import KnowledgeBaseError
from search.types import LOCALES

PERIODS = (7, 30, 90)
_PAGE = 100
_ALL = "all"
_UNDER_WAY = "under_way"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for; empty texts ask for everything."""

    days: int = definitions.SHOWN.days
    locale: str = ""
    platform: str = ""
    reason: str = ""
    kind: str = ""
    owner: str = ""
    state: str = _UNDER_WAY
    spikes: bool = False
    least: int = LEAST

    def query(self, **others: Any) -> dict[str, Any]:
        """Arguments of an address, without those that say what is usual."""
        usual = Chosen()
        given = {
            name: getattr(self, name)
            for name in self.__slots__
            if getattr(self, name) != getattr(usual, name)
        }
        given = {name: int(v) if isinstance(v, bool) else v for name, v in given.items()}
        return {name: value for name, value in {**given, **others}.items() if value != ""}

    def filter(self, *, least: int | None = None) -> GapFilter:
        """The same for the store."""
        states = {_ALL: tuple(State), _UNDER_WAY: UNDER_WAY}
        return GapFilter(
            days=self.days,
            locale=self.locale,
            platform=self.platform,
            reason=Reason(self.reason) if self.reason else None,
            kind=Kind(self.kind) if self.kind else None,
            owner=self.owner,
            states=states[self.state] if self.state in states else (State(self.state),),
            spikes=self.spikes,
            least=self.least if least is None else least,
        )


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/gaps", "gaps", page)
    blueprint.add_url_rule("/gaps.json", "gaps_json", as_json)
    blueprint.add_url_rule("/gaps.csv", "gaps_csv", as_csv)
    blueprint.add_url_rule("/gaps/refresh", "gaps_refresh", refresh, methods=["POST"])
    blueprint.add_url_rule("/gaps/progress.json", "gaps_progress", progress)


def page() -> str:
    """The queue. Raises `EventsUnavailable`."""
    store = services().gaps
    chosen = read_chosen()
    every = store.list(chosen.filter(least=1))
    listed = enough(every, chosen.least)
    first = max(0, request.args.get("from", 0, type=int)) // _PAGE * _PAGE
    shown = listed[first : first + _PAGE]
    return render_template(
        "editor/gaps.html",
        chosen=chosen,
        gaps=shown,
        first=first,
        total=len(listed),
        spikes=sum(gap.spike for gap in listed),
        fewer=len(every) - len(listed),
        young=bool(listed) and all(gap.visitors < chosen.least for gap in listed),
        newer=url_for(".gaps", **chosen.query(**{"from": first - _PAGE})) if first else "",
        older=url_for(".gaps", **chosen.query(**{"from": first + _PAGE}))
        if first + _PAGE < len(listed) else "",
        run=store.last_run(),
        today=services().clock().date(),
        progress=services().gap_refresher.progress(),
        failed_at=services().gap_refresher.failed_at(),
        owners=store.owners(),
        platforms=platform_names(store.platforms()),
        periods=PERIODS,
        nobody=NOBODY,
        least=LEAST,
        words=words,
        reasons=words.reason_names(),
        kinds=words.kind_names(),
        states=words.state_names(),
        severity=SEVERITY,
        definitions=definitions,
        moment=moment,
        downloads={
            "csv": url_for(".gaps_csv", **chosen.query()),
            "json": url_for(".gaps_json", **chosen.query()),
        },
    )  # fmt: skip


def as_json() -> Response:
    """The same for programs, without pages."""
    chosen = read_chosen()
    run = services().gaps.last_run()
    gaps = _listed(chosen)
    data = {
        "refreshed": run.at.isoformat() if run else None,
        "days": chosen.days,
        "gaps": [gap_dict(gap) for gap in gaps],
    }
    return json_file("gaps.json", data)


def as_csv() -> Response:
    """One line for each gap; what customers typed is no formula."""
    return csv_file("gaps.csv", CSV_HEADER, map(csv_line, _listed(read_chosen())))


def _listed(chosen: Chosen) -> list[Gap]:
    return enough(services().gaps.list(chosen.filter(least=1)), chosen.least)


def refresh() -> AnyResponse:
    """Read the log anew, beside this request."""
    services().gap_refresher.request()
    audit("gaps.refreshed", "gaps")
    if wants_data(request):
        return jsonify(started=True)
    return redirect(url_for("editor.gaps"), 303)


def progress() -> Response:
    """How far a refresh is; `running` is false when there is none, `failed` when the last did."""
    found = services().gap_refresher.progress()
    failed = services().gap_refresher.failed_at()
    run = services().gaps.last_run()
    return jsonify(
        running=found is not None,
        stage=stage_name(found.stage) if found else "",
        done=found.done if found else 0,
        total=found.total if found else 0,
        refreshed=run.at.isoformat() if run else None,
        failed=failed.isoformat() if failed else None,
    )


def stage_name(stage: str) -> str:
    """What a refresh is doing, in the reader's language."""
    names = {
        "figures": _("Adding days up"),
        "read": _("Reading the log"),
        "encode": _("Encoding new questions"),
        "group": _("Grouping questions"),
        "name": _("Naming gaps"),
        "kinds": _("Proposing kinds"),
    }
    return str(names.get(stage, stage))


def read_chosen() -> Chosen:
    """What the address asks for; what makes no sense is as if it were not there."""
    args, usual = request.args, Chosen()
    days, least = args.get("days", type=int), args.get("least", type=int)

    def one_of(name: str, known: tuple[str, ...], otherwise: str = "") -> str:
        value = args.get(name, "")
        return value if value in known else otherwise

    return Chosen(
        days=days if days in PERIODS else usual.days,
        locale=one_of("locale", LOCALES),
        platform=args.get("platform", "")[:100],
        reason=one_of("reason", tuple(Reason)),
        kind=one_of("kind", tuple(Kind)),
        owner=args.get("owner", "")[:100],
        state=one_of("state", (*State, _ALL, _UNDER_WAY), _UNDER_WAY),
        spikes=args.get("spikes") == "1",
        least=least if least is not None and 1 <= least <= 1000 else usual.least,
    )


def platform_names(seen: list[str]) -> dict[str, str]:
    """Platforms that were asked about, in the reader's language where the taxonomy knows them."""
    try:
        known = services().library.catalogue.taxonomy.platforms
    except KnowledgeBaseError:
        return {key: key for key in seen}
    locale = current_locale()
    return {key: known[key].title(locale) if key in known else key for key in seen}
