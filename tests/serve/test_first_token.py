"""From an empty folder to the first answer: nothing is open, and the service says what to do."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx2

from engine.access import HOW_TO_BEGIN
from tests.serve.process import COMMAND, Process, environment, start


def regimen(folder: Path, *arguments: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder, env=environment(None), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout


def status(service: Process, token: str | None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{service.url}/v1/caller", headers=headers).status_code


def test_nothing_is_open_until_a_token_is_made_as_the_first_start_says(tmp_path: Path):
    service = start("--port", "0", "--no-worker", url=None, folder=tmp_path).up()
    try:
        assert HOW_TO_BEGIN in service.said
        assert [status(service, None) for _ in range(5)] == [401] * 5
        line = next(one for one in HOW_TO_BEGIN.splitlines() if one.startswith("    regimen"))
        token = regimen(tmp_path, *shlex.split(line)[1:]).strip()
        assert status(service, token) == 200
        regimen(tmp_path, "token", "revoke", token.split("_")[1])
        assert status(service, token) == 401
        service.send(signal.SIGTERM)
        assert service.ended() == 0
    finally:
        service.close()

    entries: list[Any] = json.loads(regimen(tmp_path, "access-log", "--json"))["entries"]
    assert [(one["action"], one["about"].get("why")) for one in entries] == [
        ("access.denied", "no-credential"),
        ("token.created", None),
        ("token.revoked", None),
        ("access.denied", "revoked"),
        ("access.denied", "no-credential"),
    ]
    assert entries[-1]["about"]["again"] == 4  # written when the service ended
    assert token not in service.said


def test_a_service_with_tokens_says_nothing_of_the_first(tmp_path: Path):
    regimen(tmp_path, "token", "create", "--name", "desk", "--role", "scheduler")
    service = start("--port", "0", "--no-worker", url=None, folder=tmp_path).up()
    try:
        assert "first token" not in service.said
        assert status(service, None) == 401
    finally:
        service.close()
