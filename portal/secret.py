"""The key that signs cookies and form tokens."""

from __future__ import annotations

import os
import secrets

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
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    key = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
    return key
