"""Whether a database may hold gaps at all, told without loading what reads them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

_SQLITE = "sqlite:///"


def may_have_gaps(url: str) -> bool:
    """False where the database of `url` is a file that is not there, or has no gap.

    Of other databases it is not known without asking them. For commands that are done in a second
    and need what stores gaps only where there are some.
    """
    if not url.startswith(_SQLITE):
        return True
    path = Path(url.removeprefix(_SQLITE).partition("?")[0])
    if not path.is_file():
        return False
    with contextlib.closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as db:
        try:
            return db.execute("SELECT 1 FROM gaps LIMIT 1").fetchone() is not None
        except sqlite3.OperationalError as error:
            return "no such table" not in str(error)  # what is locked may have some
        except sqlite3.DatabaseError:
            return True  # whoever needs it says what is wrong with it
