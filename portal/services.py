"""What a request needs, composed once per process and handed to the blueprints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from flask import current_app

from portal.config import Settings
from portal.events import SafeEventStore
from portal.metrics import Metrics
from portal.visitors import VisitorKeys
from search.catalogue import Catalogue
from search.types import Filters, Response

_KEY = "kb_services"


class SearchLibrary(Protocol):
    """The published generation as the portal sees it; swaps to a new one by itself."""

    @property
    def catalogue(self) -> Catalogue:
        """Articles of the current generation. Raises `IndexMissing` before the first publish."""
        ...

    @property
    def generation(self) -> str:
        """Name of the current generation."""
        ...

    def search(
        self,
        query: str,
        *,
        locale: str,
        filters: Filters = ...,
        limit: int = 10,
        mode: str = "hybrid",
        explain: bool = False,
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything with state; tests put fakes here."""

    settings: Settings
    library: SearchLibrary
    events: SafeEventStore
    visitors: VisitorKeys
    metrics: Metrics
    clock: Callable[[], datetime]


def install(app: object, services: Services) -> None:
    """Attach the services to a Flask app."""
    app.extensions[_KEY] = services  # type: ignore[attr-defined]


def services() -> Services:
    """The services of the app that handles the present request."""
    return cast(Services, current_app.extensions[_KEY])
