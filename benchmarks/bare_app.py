"""A Flask app that does nothing, under the server's own settings: what a request costs at least."""

from __future__ import annotations

import os
import sys

from flask import Flask

from portal.config import load_settings
from portal.server import Server, options


def make_app() -> Flask:
    """One route, an empty answer."""
    app = Flask("bare")
    app.add_url_rule("/", "empty", lambda: b"")
    return app


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    settings = load_settings(port=int(sys.argv[1]))
    Server(make_app, options(settings)).run()
