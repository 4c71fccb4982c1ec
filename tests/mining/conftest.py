"""Simulated courses, their log and the net of their workflow, as files that were written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from engine import bootstrap
from engine.mining.log import Wanted, courses, opened
from engine.mining.net import net_of
from engine.mining.pnml import write_pnml
from engine.mining.xes import XesLog
from engine.service import Service
from engine.settings import Settings
from engine.simulation import simulate
from tests.mining.replaying import Log, PetriNet, read_log, read_net
from workflows import ALL, SIMULATIONS

IL2 = next(one for one in ALL if one.label == "intralesional_il2@2")
UNTIL = date(2024, 6, 1)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Courses that are over, and courses that are still on their way."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('mined') / 'courses.db'}")
    bootstrap.migrate(settings)
    service = bootstrap.service(settings)
    scenario = SIMULATIONS["intralesional_il2"]
    list(simulate(service, scenario, courses=24, seed=3, start=date(2024, 1, 1)))
    list(simulate(service, scenario, courses=16, seed=4, start=date(2024, 1, 1), until=UNTIL))
    yield service
    service.store.close()


@pytest.fixture(scope="session")
def log_file(simulated: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log as XES."""
    path = tmp_path_factory.mktemp("log") / "log.xes"
    wanted = Wanted()
    with path.open("w") as out:
        lines = courses(simulated, wanted)
        XesLog(out, name="clinic").write(opened(simulated, line, wanted) for line in lines)
    return path


@pytest.fixture(scope="session")
def net_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The net of the protocol as PNML."""
    return _net_file(tmp_path_factory, finished=False)


@pytest.fixture(scope="session")
def finished_net_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The net in which only a closed state is an end."""
    return _net_file(tmp_path_factory, finished=True)


def _net_file(factory: pytest.TempPathFactory, *, finished: bool) -> Path:
    path = factory.mktemp("net") / "net.pnml"
    with path.open("w") as out:
        write_pnml(out, net_of(IL2, finished=finished))
    return path


@pytest.fixture(scope="session")
def log(log_file: Path) -> Log:
    return read_log(log_file)


@pytest.fixture(scope="session")
def net(net_file: Path) -> PetriNet:
    return read_net(net_file)


@pytest.fixture(scope="session")
def finished_net(finished_net_file: Path) -> PetriNet:
    return read_net(finished_net_file)
