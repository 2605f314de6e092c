"""Tables as files: CSV that no spreadsheet takes for formulas, JSON for programs.

Files with figures of visitors who never were say so: by `-simulated` in their names, which a table
survives, and JSON by a field `simulated`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from portal.editor.legible import legible
from portal.forms.export import plain_cell
from portal.forms.intervals import Share
from portal.services import services
from portal.simulate.mark import is_simulated

_DIGITS = 6
BOM = "\ufeff"  # without it Excel reads Chinese as another encoding
SHARE = ("share", "low", "high")
"""Columns of a share and its interval, as fractions of one."""


def csv_file(name: str, header: Sequence[str], lines: Iterable[Sequence[object]]) -> Response:
    """A CSV file to download. Texts that could be formulas are quoted; numbers stay numbers."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    for line in lines:
        writer.writerow([_cell(cell) if isinstance(cell, str) else cell for cell in line])
    return download(file.getvalue(), name, "text/csv")


def json_file(name: str, data: Any) -> Response:
    """A JSON file to download; every object of a list has the field `simulated`."""
    played = {"simulated": is_simulated(services().engine)}
    data = {**data, **played} if isinstance(data, dict) else [{**one, **played} for one in data]
    text = json.dumps(data, ensure_ascii=False, indent=2)
    # A lone half of a surrogate pair, which a log may hold, has no bytes of its own.
    return download(text.encode("utf-8", "replace").decode(), name, "application/json")


def share_cells(share: Share | None) -> list[object]:
    """Value, low and high; empty where there is no share."""
    if share is None:
        return [""] * len(SHARE)
    return [round(value, _DIGITS) for value in (share.value, share.low, share.high)]


def share_dict(share: Share | None) -> dict[str, Any] | None:
    """A share for JSON."""
    if share is None:
        return None
    value, low, high = share_cells(share)
    return {"count": share.count, "of": share.of, "share": value, "low": low, "high": high}


def _cell(text: str) -> str:
    return plain_cell(legible(text).strip())


def download(text: str, name: str, kind: str) -> Response:
    """A file of figures; its name says so when some of them were played."""
    stem, _dot, suffix = name.rpartition(".")
    if is_simulated(services().engine):
        name = f"{stem}-simulated.{suffix}"
    response = Response(BOM + text if kind == "text/csv" else text, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
