"""The running API does what its OpenAPI document says, also of what nobody should send."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from portal.api.openapi import document
from portal.app import create_app
from portal.config import OFF
from portal.services import Services

pytestmark = pytest.mark.slow


@pytest.fixture
def served(services: Services) -> Iterator[str]:
    """The portal on a port, without rate limits, which have tests of their own."""
    own = services.settings.model_copy(update={"rate_limit": OFF, "write_rate_limit": OFF})
    app = create_app(own, dataclasses.replace(services, settings=own))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_operation_answers_as_described(served: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "run", f"{served}/api/v1/openapi.json",
         "--max-examples", "15", "--seed", "1", "--generation-database", "none",
         "--continue-on-failure", "--no-color"],
        capture_output=True, text=True, timeout=600, cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    # All but the address of the document itself, which it has just been read from.
    assert f"{len(document()['paths']) - 1} selected" in done.stdout
    assert "No issues found" in done.stdout
