"""Hands commands the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from portal.config import load_settings

R = TypeVar("R")


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Hand a command the settings, and set the log up by them."""
    return _prepared(command, quick=False)


def quick(command: Callable[..., R]) -> Callable[..., R]:
    """The same for a command that is done in the time the log of the others takes to load."""
    return _prepared(command, quick=True)


def _prepared(command: Callable[..., R], *, quick: bool) -> Callable[..., R]:
    @wraps(command)
    def wrapper(*args: Any, **options: Any) -> R:
        settings = load_settings()
        if quick:
            from portal.plain_logs import configure_plainly

            configure_plainly(level=settings.log_level)
        else:
            from portal.logs import configure_logging

            configure_logging(level=settings.log_level, form=settings.log_format)
        return command(settings, *args, **options)

    return wrapper
