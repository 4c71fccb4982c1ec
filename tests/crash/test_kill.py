"""A writer that is killed at any moment: what it acknowledged is there, and nothing in half."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from engine.store.sql import SqlStore
from tests.crash.conftest import Journal, opened
from tests.crash.process import applying, ending, killed, regimen, submitting
from tests.crash.witness import contents, everything, kept, proved, whole_part

ROUNDS = 3
Sending = Callable[[str, Path], "subprocess.Popen[str]"]


@pytest.mark.parametrize("sending", [applying, submitting])
def test_what_was_acknowledged_before_a_kill_is_there_whole_and_the_rest_can_follow(
    sending: Sending, durable_url: str, told: Journal
):
    chance = Random(f"{sending.__name__} to be killed")
    for _ in range(ROUNDS):
        ended = killed(
            sending(durable_url, told.file),
            after=chance.randint(1, told.events // 8),
            delay=chance.random() * 0.04,
        )
        assert ended.code == -signal.SIGKILL
        with opened(durable_url) as store:
            settle(store)
            assert kept(ended.acknowledged, store)
            assert whole_part(store, told.full)
            assert proved(store)

    assert completed(durable_url, told)


def completed(url: str, told: Journal) -> bool:
    """Whether the file, applied again, is all there, and applied once more changes nothing."""
    again = regimen(url, "apply", str(told.file))
    assert again.code == 0, again.said
    with opened(url) as store:
        assert contents(store) == told.full
        assert proved(store)
        before = everything(store)
    once_more = regimen(url, "apply", str(told.file))
    assert f"{told.events} events: 0 applied, {told.events} already there." in once_more.said
    with opened(url) as store:
        assert everything(store) == before
    assert regimen(url, "replay", "--re-decide").code == 0
    return True


def settle(store: SqlStore) -> None:
    """Until the server has noticed that the writer is gone; its transaction may just have ended."""
    if store.engine.dialect.name == "sqlite":
        return
    others = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with store.engine.connect() as connection:
            if not connection.scalar(others):
                return
        time.sleep(0.02)
    raise AssertionError("the writer's connection does not end")


def test_a_kill_while_the_first_database_is_made_is_no_loss(tmp_path: Path, told: Journal):
    """The same command makes what is missing, whatever had been made by then."""
    chance = Random("made and killed")
    for number in range(2):
        file = tmp_path / f"{number}.db"
        with ending(applying(f"sqlite:///{file}", told.file)) as process:
            deadline = time.monotonic() + 60
            while not file.exists():
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(chance.random() * 0.2)
            process.kill()

        again = regimen(f"sqlite:///{file}", "apply", str(told.file))
        assert again.code == 0, again.said
        with opened(f"sqlite:///{file}") as store:
            assert contents(store) == told.full


def test_a_file_that_was_begun_and_never_got_a_table_is_made_a_database(
    tmp_path: Path, told: Journal
):
    connection = sqlite3.connect(tmp_path / "courses.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    first = tmp_path / "first.jsonl"
    first.write_text(told.file.read_text().partition("\n")[0])

    applied = regimen(f"sqlite:///{tmp_path}/courses.db", "apply", str(first))

    assert applied.code == 0, applied.said
    assert "Made the database" in applied.said
