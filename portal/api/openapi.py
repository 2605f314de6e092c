"""The description of the API, as programs read it."""

from __future__ import annotations

import importlib.metadata
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify

from portal.services import services
from search.errors import KnowledgeBaseError

_FILE = Path(__file__).with_name("openapi.json")


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/openapi.json", "openapi", serve)


def serve() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(here())


def document() -> dict[str, Any]:
    """The document with the version of this installation filled in."""
    found: dict[str, Any] = json.loads(_text())
    found["info"]["version"] = importlib.metadata.version("kb-portal")
    return found


def here() -> dict[str, Any]:
    """The document with the names of the published articles and the keys of the forms.

    Without a published index the names stay open.
    """
    found = document()
    schemas = found["components"]["schemas"]
    asked = schemas["SuggestRequest"]["properties"]
    asked["form"]["enum"] = [*(form.key for form in services().forms.all()), None]
    try:
        taxonomy = services().library.catalogue.taxonomy
    except KnowledgeBaseError:
        return found
    schemas["Section"]["enum"] = list(taxonomy.sections)
    schemas["Platform"]["enum"] = list(taxonomy.platforms)
    asked["reason"]["examples"] = list(taxonomy.reasons)
    asked["platform"]["examples"] = list(taxonomy.platforms)
    return found


@lru_cache(maxsize=1)
def _text() -> str:
    return _FILE.read_text("utf-8")
