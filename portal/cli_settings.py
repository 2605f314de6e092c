"""Hands commands the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from portal.config import load_settings

R = TypeVar("R")


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Hand a command the settings, and set the log up by them."""

    @wraps(command)
    def wrapper(*args: Any, **options: Any) -> R:
        from portal.logs import configure_logging

        settings = load_settings()
        configure_logging(level=settings.log_level, form=settings.log_format)
        return command(settings, *args, **options)

    return wrapper
