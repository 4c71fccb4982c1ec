"""Whatever the OpenAPI document allows or forbids is tried against the running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.serve.process import run, start

CONFIG = Path(__file__).with_name("schemathesis.toml")
TRIES = 8
"""Random requests for each operation, besides the examples and every boundary."""
SECONDS = 1200
"""It takes two minutes where nothing else runs."""

ENROLMENT = {
    "format": 1,
    "id": "e1",
    "course": "GAR-Z",
    "event": "course.enrolled",
    "at": datetime(2026, 3, 2, 16, tzinfo=UTC).isoformat(),
    "actor": {"id": "contract", "role": "technician"},
    "workflow": "instrument_calibration",
    "patient": "P-1",
    "site": "north",
    "zone": "America/Los_Angeles",
}
"""A course of the documents' examples, so that what they ask about is there."""


def token(url: str, *roles: str) -> str:
    said = run(
        *("token", "create", "--name", "contract", "--json"),
        *(part for role in roles for part in ("--role", role)),
        *("--actor-role", "metrologist", "--actor-role", "technician"),
        url=url,
    )
    return str(json.loads(said)["text"])


@pytest.mark.timeout(SECONDS + 60)
def test_the_running_service_keeps_its_document(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'courses.db'}"
    run("migrate", url=url)
    text = token(url, "service", "administrator")
    many = {
        "REGIMEN_RATE": "10000",
        "REGIMEN_STRANGERS": "100000",
        "REGIMEN_LOG_LEVEL": "error",
        "REGIMEN_WORKFLOWS": "tests.web.offered",
    }
    service = start("--port", "0", url=url, folder=tmp_path, more=many)
    try:
        where = service.up().url
        began = post(f"{where}/v1/courses", ENROLMENT, text)
        assert began.status_code == 201, began.text

        found = schemathesis(where, text, tmp_path)

        assert found.returncode == 0, found.stdout[-20_000:]
        tried = re.search(r"(\d+) generated, (\d+) passed", found.stdout)
        assert tried is not None, found.stdout[-20_000:]
        assert tried[1] == tried[2]
        assert int(tried[1]) > 1000
    finally:
        service.close()


def post(url: str, body: dict[str, Any], bearer: str) -> httpx2.Response:
    return httpx2.post(url, json=body, headers={"Authorization": f"Bearer {bearer}"})


def schemathesis(where: str, bearer: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """All its checks, in all its phases."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{where}/v1/openapi.json", "--header", f"Authorization: Bearer {bearer}"),
            *("--checks", "all", "--max-examples", str(TRIES), "--seed", "1", "--no-color"),
            # Its answer ends after minutes; tests of the feed read it.
            *("--exclude-path", "/v1/feed/stream"),
        ],
        cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False,
        timeout=SECONDS,
    )  # fmt: skip
