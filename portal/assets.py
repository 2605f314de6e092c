"""Files the browser loads: where they lie, and addresses that change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, send_from_directory, url_for

STATIC = Path(__file__).parent / "static"
_YEAR = 365 * 24 * 3600


def templates_folder() -> Path:
    """The Jinja templates: beside the packages, in a checkout as in an installation."""
    return Path(__file__).parent.parent / "templates"


def init_app(app: Flask) -> None:
    """Serve `portal/static` below `/static/<hash>/` and offer `static_url` to templates."""
    app.add_url_rule("/static/<wanted>/<path:name>", "asset", _serve)
    app.add_url_rule("/favicon.ico", "favicon", lambda: _serve("", "favicon.svg"))
    app.jinja_env.globals["static_url"] = static_url


def static_url(name: str) -> str:
    """The address of a static file.

    The hash covers the whole folder, so that modules importing one another by relative address
    always come from the same version.
    """
    return url_for("asset", wanted=version(), name=name)


def version() -> str:
    """Twelve hex digits of the static folder's content, read again at every use when debugging."""
    return _hash_folder() if current_app.debug else _version_once()


@lru_cache(maxsize=1)
def _version_once() -> str:
    return _hash_folder()


def _hash_folder() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _serve(wanted: str, name: str) -> Response:
    """A file; kept for a year under its own hash, checked again under any other."""
    response = send_from_directory(STATIC, name, conditional=True)
    if wanted == version():
        response.cache_control.max_age = _YEAR
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
    return response
