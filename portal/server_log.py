"""Gunicorn's own messages in the portal's log."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger as _Logger


class Logger(_Logger):  # type: ignore[misc]
    """Leaves handlers and format to the root logger, which `configure_logging` has set up."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers = []
            logger.propagate = True
        # Start and stop of workers are routine; the portal logs its own requests.
        self.error_log.setLevel(max(self.error_log.level, logging.INFO))
