"""The key that signs cookies and form tokens."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from portal.config import Settings, SettingsInvalid

_SHORTEST = 32


def secret_key(settings: Settings) -> str:
    """The configured key, else one made once and kept in the data folder, readable by us alone."""
    if settings.secret_key:
        if len(settings.secret_key) < _SHORTEST:
            raise SettingsInvalid(
                f"KB_SECRET_KEY: {len(settings.secret_key)} characters, at least {_SHORTEST} are "
                'needed; make one with `python -c "import secrets; print(secrets.token_hex(32))"`'
            )
        return settings.secret_key
    path = settings.data / "secret-key"
    settings.data.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    key = path.read_text("ascii").strip()
    if len(key) < _SHORTEST:
        raise SettingsInvalid(f"{path}: is damaged; remove it, and a new key is made")
    return key


def _make(path: Path) -> None:
    """Written whole under another name first, so that nobody ever reads half a key."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    with contextlib.suppress(FileExistsError):  # another process was first; its key is the key
        path.hardlink_to(temporary)
    temporary.unlink()
