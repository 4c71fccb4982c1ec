"""Who seals is killed at any moment: no record is sealed twice, and none is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from engine import bootstrap
from engine.settings import Settings
from engine.store.sql import SqlStore
from engine.store.tables import leaves
from tests.crash.conftest import Journal, opened, serving
from tests.crash.process import regimen

KILLS = 4
SEALING = """
import sys
from dataclasses import replace
from engine import bootstrap, ledger
from engine.settings import Settings

ledger.AT_ONCE = 2
settings = replace(Settings(), database_url=sys.argv[1])
book = bootstrap.ledger(settings, bootstrap.service(settings, enrolling=False))
print("ready", flush=True)
book.seal()
print("done", flush=True)
"""


def sealing(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SEALING, url], cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def sealed(store: SqlStore) -> int:
    with store.engine.connect() as connection:
        found: int = connection.scalar(select(func.count()).select_from(leaves)) or 0
    return found


def test_whoever_seals_next_goes_on_where_one_was_killed(durable_url: str, told: Journal):
    assert regimen(durable_url, "apply", str(told.file)).code == 0
    chance, came = Random("sealing to be killed"), [0]
    for _ in range(KILLS):
        process = sealing(durable_url)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # Until it has sealed something, and a moment more: in the middle of what comes then.
        with opened(durable_url) as store:
            deadline = time.monotonic() + 60
            while sealed(store) <= came[-1] and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            time.sleep(chance.random() * 0.01)
            process.kill()
            process.wait()
            process.stdout.close()
            came.append(sealed(store))

    assert came == sorted(came)
    assert 0 < came[1] < told.events
    with serving(durable_url) as service:
        bootstrap.ledger(Settings(), service).seal()
        found = bootstrap.inspection(service)
    assert (found.flaws, found.unsealed) == ((), 0)
    assert found.size >= told.events
