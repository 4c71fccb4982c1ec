"""A real browser at a served demonstration: whatever is tested here, somebody could see."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from engine import bootstrap, keys
from engine.access import operator
from engine.core.note import KeyKind
from engine.registry import compiled, stored_form
from engine.settings import Settings
from engine.tenants import Daily
from tests.pages.hostile import WORKFLOW, told
from tests.postgres import Server, fresh_database

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--font-render-hinting=none",
]
HOW_TO_GET_ONE = (
    "No browser was found. Install one (Debian and Ubuntu: apt-get install chromium), or say where "
    "one is: CHROMIUM=/path/to/chromium make test-browser"
)
PAGES = {
    "worklists": "/worklists?as_of=2026-03-09",
    "courses": "/courses",
    "course": "/courses/DEMO-constructed?until=2024-04-20",
    "states": "/courses/DEMO-constructed/states",
    "records": "/courses/DEMO-constructed/records?cursor=36:60",
    "record": "/courses/DEMO-constructed/records/41",
    "replay": "/courses/DEMO-constructed/replay?step=62",
    "review": "/review?queue=refusal",
    "to_sign": "/courses/DEMO-constructed/records/46?queue=refusal",
    "what_if": "/courses/DEMO-constructed/what-if?policy=follow-new&set.tolerated_grade=1",
    "what_if_form": "/courses/DEMO-constructed/what-if",
    "dossier": "/courses/GAR-Z/dossier",
    "workflows": "/workflows",
    "workflow": "/workflows/intralesional_il2",
    "difference": "/workflows/intralesional_il2/difference?since=instrument_calibration",
    "audit": "/audit?weigh=yes",
    "guards": "/guards",
    "canaries": "/canaries",
    "sign_in": "/sign-in",
    "problem": "/courses/NO-COURSE",
}
"""Every kind of page, by name."""

SIGNED = compiled(stored_form(WORKFLOW)).digest
"""The process that serves knows this definition from the database alone."""
RICH = {
    "rich_worklist": "/worklists/open_findings",
    "rich_course": "/courses/gauge-7",
    "rich_records": "/courses/gauge-7/records",
    "rich_record": "/courses/gauge-7/records/2",
    "rich_erased": "/courses/gauge-8/records/2",
    "rich_states": "/courses/gauge-7/states",
    "rich_replay": "/courses/gauge-7/replay?step=6",
    "rich_dossier": "/courses/gauge-7/dossier",
    "rich_difference": f"/workflows/{SIGNED}/difference?since=instrument_calibration",
    "rich_audit": "/audit?weigh=yes",
    "rich_timeline": "/courses/DEMO-constructed",
}
"""Pages with signatures, erased texts, witnesses and texts that would be markup, on PostgreSQL."""

Opener = Callable[..., Page]


class Served:
    """A service in a process of its own.

    One that ends by itself fails the test that needs it next, with its exit code and last words.
    """

    def __init__(self, folder: Path, database: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._folder, self._log = folder, folder / "log"
        regimen = Path(sys.executable).parent / "regimen"
        self._command = [
            regimen, "serve", "--demo", "--no-worker", "--db", database, "--port", str(port),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONFAULTHANDLER": "1"},
            )  # fmt: skip
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            self._require_running()
            try:
                with urllib.request.urlopen(f"{self._url}/health/live"):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"not up: {self._log.read_text()}")

    def address(self) -> str:
        """Where it answers."""
        self._require_running()
        return self._url

    def stop(self) -> None:
        """End it as an operator would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)

    def _require_running(self) -> None:
        assert self._process is not None, "it was not started"
        code = self._process.poll()
        assert code is None, f"it ended by itself with {code}: {self._log.read_text()[-2000:]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker("browser")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A demonstration, served by a process of its own."""
    folder = tmp_path_factory.mktemp("served")
    with _serving(folder, "demo.db") as service:
        _worked(folder / "demo.db")
        yield service


@pytest.fixture(scope="session")
def served_rich(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Server
) -> Iterator[Served]:
    """A demonstration on PostgreSQL that has everything."""
    folder = tmp_path_factory.mktemp("rich")
    with fresh_database(postgres_server) as database:
        _fill(database, folder / "ledger.key")
        with _serving(folder, database) as service:
            yield service


def _fill(database: str, file: Path) -> None:
    keys.write_key(
        file, keys.new_key("clinic.example/ledger", KeyKind.LOG, os.urandom(keys.SECRET))
    )
    workflows = ("workflows", "tests.pages.hostile")
    settings = Settings(database_url=database, workflows=workflows, ledger_key=(str(file),))
    bootstrap.migrate(settings)
    service = bootstrap.service(settings)
    for course in ("gauge-7", "gauge-8"):
        told(service, course)
    privacy, by = bootstrap.privacy(service), operator(service.tenant)
    privacy.erase(by, "gauge-8", id="x1", basis="gdpr-17-1-b")
    privacy.place_hold(by, "gauge-7", id="h1", hold="case-7", reason="litigation")
    ledger = bootstrap.ledger(settings, service, signing=True)
    note = ledger.checkpoint().note
    witness = keys.new_key("auditor.example/w1", KeyKind.WITNESS, os.urandom(keys.SECRET))
    line = keys.signature(witness, note.text, at=int(time.time()))
    assert ledger.witnessed(note.with_signatures(line), [witness.verifier]) == 1
    service.store.close()


@contextmanager
def _serving(folder: Path, database: str) -> Iterator[Served]:
    service = Served(folder, database)
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found_browser(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens a page; whatever the browser complains of fails the test."""
    contexts = []
    complaints: list[str] = []

    def open_(path: str, *, status: int = 200, rich: bool = False, **choices: object) -> Page:
        service: Served = request.getfixturevalue("served_rich" if rich else "served")
        choices.setdefault("viewport", {"width": 1360, "height": 900})
        context = browser.new_context(**choices)  # type: ignore[arg-type]  # as a test says
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        answer = page.goto(service.address() + path)
        assert answer is not None
        assert answer.status == status
        if status != 200:  # the browser tells of the status itself
            complaints.clear()
        return page

    open_.complaints = complaints  # type: ignore[attr-defined]  # for what is meant to be refused
    yield open_
    for context in contexts:
        context.close()
    assert not complaints


def found_browser() -> str:
    """The browser that CHROMIUM names, else the first on the path."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.exit(HOW_TO_GET_ONE, returncode=1)
    return found


def _worked(database: Path) -> None:
    """What a worker does daily, but for the timers: courses stay where the tests know them."""
    settings = replace(Settings(), database_url=f"sqlite:///{database}")
    service = bootstrap.service(settings)
    daily = Daily(settings, service)
    daily(lambda: False)
    assert daily.sound == [True, True]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-images", action="store_true", help="Make the pictures of docs/images anew."
    )
