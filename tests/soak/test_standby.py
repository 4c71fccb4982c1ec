"""A primary that is killed under load: its synchronous standby has everything, and goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine import bootstrap
from engine.settings import Settings
from tests.soak.load import Load
from tests.soak.standby import pair
from tests.soak.test_killing import running, token
from tests.soak.witness import nothing_lost, proved

BEFORE, AFTER = 100, 200
PATIENCE = 120


def enough(load: Load, number: int) -> None:
    """Wait until so many events were acknowledged."""
    until = time.monotonic() + PATIENCE
    while len(load.acknowledged) < number:
        assert time.monotonic() < until, load.wrong
        assert not load.wrong
        time.sleep(0.05)


def test_a_standby_that_takes_over_has_everything_that_was_acknowledged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pair() as servers:
        bootstrap.migrate(Settings(database_url=servers.url))
        held = token(servers.url)
        with running(servers.url, tmp_path) as (services, _):
            load = Load(held, [one.url for one in services])
            load.start()
            enough(load, BEFORE)
            load.longest_gap = 0.0
            began = time.monotonic()
            servers.fail_over()
            promoted = time.monotonic() - began
            enough(load, len(load.acknowledged) + AFTER)
            load.stop()
        with capsys.disabled():
            told = f"{len(load.acknowledged)} events, {load.tried_again} tried again"
            gap = f"no event was taken for {load.longest_gap:.2f} s"
            print(f"\n{told}; the standby was promoted after {promoted:.2f} s, {gap}")

        nothing_lost(load, servers.url)
        proved(servers.url)
