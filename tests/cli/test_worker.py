"""Timers at a terminal: once, or again and again until a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from engine.service import Service
from tests.cli.conftest import GAUGES, Regimen
from tests.receiver import receiving

WORKED = {"timers": 2, "delivered": 0, "failed": 0, "given_up": 0}


def test_a_tick_lets_each_due_timer_come_back_once(gauges: Regimen):
    assert gauges("tick", "--json").json() == {"timers": 2}
    assert gauges("tick").out == "No timer was due.\n"
    assert gauges("replay", "--re-decide").code == 0


def test_a_worker_that_looks_once_does_what_a_tick_does(gauges: Regimen):
    ran = gauges("work", "--once")

    assert (ran.code, ran.out) == (0, "2 timers came back.\n")


def test_a_worker_stops_after_the_time_that_it_was_given(gauges: Regimen):
    ran = gauges("work", "--interval", "0.05", "--stop-after", "0.2", "--json")

    assert ran.code == 0
    assert WORKED.items() <= ran.json().items()


def test_a_database_that_goes_away_is_waited_for(gauges: Regimen, monkeypatch: pytest.MonkeyPatch):
    answers = iter([StoreUnavailable("it went away"), 1])

    def tick(_: Service) -> int:
        answer = next(answers, 0)
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer

    monkeypatch.setattr(Service, "tick", tick)
    ran = gauges("work", "--interval", "0.05", "--stop-after", "0.3")

    assert (ran.code, ran.out) == (0, "1 timer came back.\n")
    assert "store_unavailable" in ran.err


def test_a_worker_that_looks_once_does_not_wait_for_a_database(
    gauges: Regimen, monkeypatch: pytest.MonkeyPatch
):
    def gone(_: Service) -> int:
        raise StoreUnavailable("it went away")

    monkeypatch.setattr(Service, "tick", gone)

    assert gauges("work", "--once").code == 2


def records(regimen: Regimen, course: str) -> int:
    found: int = regimen("verify", course, "--json").json()["courses"][0]["records"]
    return found


def test_a_timer_comes_back_while_an_endpoint_does_not_answer(
    regimen: Regimen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_WEBHOOK_ALLOW", "127.0.0.0/8")
    later = tmp_path / "later.jsonl"
    text = Path(GAUGES).read_text().replace("gauge-", "later-")
    later.write_text(text.replace('"patient": "', '"patient": "later-'))
    answered = threading.Event()
    with receiving() as receiver:
        receiver.answering = lambda _: (204 if answered.wait(60) else 500, {})
        assert regimen("endpoint", "add", receiver.url).code == 0
        assert regimen("apply", GAUGES).code == 0
        worker = started("--interval", "0.1", REGIMEN_WEBHOOK_SECONDS="60")
        try:
            until(lambda: receiver.received)
            assert regimen("apply", str(later)).code == 0
            until(lambda: records(regimen, "later-2") == 2, seconds=20)
        finally:
            answered.set()
            worker.terminate()
            out, _ = worker.communicate(timeout=60)

        assert worker.returncode == 0
        assert json.loads(out)["timers"] == 4
        assert json.loads(out)["delivered"] == len(receiver.received) > 0


def started(*options: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from engine.cli import main; main()", "work", "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "REGIMEN_LOG": "json", "PYTHONPATH": str(Path(__file__).parents[2]),
             **settings},
    )  # fmt: skip


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_signal_lets_a_worker_finish_what_it_does(gauges: Regimen, told: signal.Signals):
    worker = started("--interval", "60")
    until(lambda: records(gauges, "gauge-2") == 2)
    worker.send_signal(told)
    out, err = worker.communicate(timeout=60)

    assert worker.returncode == 0
    assert WORKED.items() <= json.loads(out).items()
    lines = [json.loads(line) for line in err.splitlines()]
    events = [line["event"] for line in lines if line["event"] != "canary_flown"]
    assert events == ["event_decided"] * 2 + ["worker_stopping"]
    assert lines[-1]["signal"] == told.name


def test_a_worker_seals_what_was_recorded(gauges: Regimen):
    before = gauges("verify", "--json").json()["ledger"]
    gauges("work", "--once")
    after = gauges("verify", "--json").json()["ledger"]

    assert (before["size"], before["unsealed"]) == (0, 6)
    assert (after["size"], after["unsealed"]) == (8, 0)
