"""The header `Server-Timing`: what each stage of a search took, shown by browsers to editors."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flask import Flask, Response, g


def init_app(app: Flask) -> None:
    """Add the header to whatever has noted a stage."""

    @app.after_request
    def add(response: Response) -> Response:
        stages: dict[str, float] = g.get("stages", {})
        if stages:
            total = (time.perf_counter() - g.started) * 1000
            response.headers["Server-Timing"] = ", ".join(
                f"{name};dur={milliseconds:.3f}"
                for name, milliseconds in {**stages, "total": total}.items()
            )
        return response


def note(stages: Mapping[str, float]) -> None:
    """Remember what stages of the present request took, in milliseconds."""
    g.setdefault("stages", {}).update(stages)
