"""The description of the API, as programs read it."""

from __future__ import annotations

import importlib.metadata
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify

_FILE = Path(__file__).with_name("openapi.json")


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/openapi.json", "openapi", serve)


def serve() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(document())


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The document with the version of this installation filled in."""
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    found["info"]["version"] = importlib.metadata.version("kb-portal")
    return found
