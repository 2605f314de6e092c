"""`kb serve`: gunicorn with workers that share the index's pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from portal.allocator import be_thrifty
from portal.config import Settings


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn configured by our settings alone; `make` gives the app, once, before the fork."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make()


def run(settings: Settings) -> None:
    """Serve until stopped; SIGTERM lets requests finish."""
    metrics = settings.data.absolute() / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    # prometheus_client takes the folder that workers share from here, at its first import.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    # FAISS asks OpenMP anew in every thread; only the environment holds for all of them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    be_thrifty()
    hooks = {
        "post_worker_init": _start_threads,
        "worker_exit": _stop_threads,
        "child_exit": _forget_worker,
    }
    Server(lambda: _make_app(settings), {**options(settings), **hooks}).run()


def options(settings: Settings) -> dict[str, Any]:
    """What gunicorn is told, by its own names."""
    return {
        "bind": f"{settings.host}:{settings.port}",
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "gthread",
        "preload_app": True,
        "timeout": 60,
        "graceful_timeout": 20,
        "keepalive": 5,
        "accesslog": None,
        "loglevel": settings.log_level,
        "logger_class": "portal.server_log.Logger",
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "control_socket_disable": True,
    }


def _make_app(settings: Settings) -> Flask:
    """Made once before the workers are forked, so that they share its memory."""
    from search.embed import open_embedder

    embedder = open_embedder(settings.model, cache=settings.cache, soon=True)

    from portal.app import create_app
    from portal.services import close_before_fork, open_services

    app = create_app(settings, open_services(settings, embedder=embedder))
    close_before_fork(app)
    return app


def _start_threads(worker: Any) -> None:
    """Each worker hands over what is due and refreshes gaps; they never do the same."""
    from portal.services import services_of

    services_of(worker.wsgi).requests.thread.start()
    services_of(worker.wsgi).gap_refresher.start()


def _stop_threads(_server: Any, worker: Any) -> None:
    from portal.services import services_of

    if worker.wsgi is not None:
        # Within graceful_timeout, after which the worker is killed.
        services_of(worker.wsgi).proof.jobs.finish()
        services_of(worker.wsgi).gap_refresher.stop()
        services_of(worker.wsgi).requests.thread.stop()


def _forget_worker(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
