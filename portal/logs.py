"""Structured logs: one event a line, text for people and JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from portal.plain_logs import TALKATIVE
from portal.write_behind import WriteBehind

REQUESTS = "portal.access"
"""The logger of requests; what it says of one is in these fields of the record."""
REQUEST_FIELDS = ("method", "path", "status", "ms")

_log = logging.getLogger(__name__)


class RequestLines(logging.Formatter):
    """A request as one line of JSON, made by hand.

    It looks as structlog would make it, whose chain of processors takes longer than answering
    what is remembered.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {name: getattr(record, name, None) for name in REQUEST_FIELDS}
        line |= {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
        }
        return json.dumps(line, ensure_ascii=False)


class LaterHandler(logging.Handler):
    """Writes records a little later, many at once, from a thread of its own.

    A handler that writes at once makes the threads of a worker wait for each other at its lock.
    What waits is written when the process exits; one that is killed loses the last moment.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._records: WriteBehind[logging.LogRecord] = WriteBehind(
            self._write,
            on_failure=lambda _error: None,  # there is nowhere left to say it
            on_drop=lambda count: _log.warning("%d lines about requests were dropped", count),
        )

    def handle(self, record: logging.LogRecord) -> bool:
        """Takes the record without the lock that `logging` has for handlers that write."""
        self._records.put(record)
        return True

    def flush(self) -> None:
        """Write what waits."""
        self._records.flush()

    def close(self) -> None:
        """Write what waits and take nothing more."""
        self._records.close()
        super().close()

    def _write(self, records: Sequence[logging.LogRecord]) -> None:
        self._stream.write("".join(f"{self.format(record)}\n" for record in records))
        self._stream.flush()


def configure_logging(*, level: str = "info", form: str = "auto") -> None:
    """Send structlog and the standard library's loggers through one formatter to stderr."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # Others show local variables, which may hold what a visitor wrote.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(REQUEST_FIELDS), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    requests = logging.getLogger(REQUESTS)
    requests.propagate = not as_json
    for handler_before in requests.handlers:
        handler_before.close()
    requests.handlers = []
    if as_json:
        own = LaterHandler(sys.stderr)
        own.setFormatter(RequestLines())
        requests.handlers = [own]
    for talkative in TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.WARNING)
