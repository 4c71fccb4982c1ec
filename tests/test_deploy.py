"""The files of the containers, read: no engine runs where these tests do."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from engine.cli.app import app
from engine.settings import VARIABLES

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
PINNED = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[a-z]+)*(@sha256:[0-9a-f]{64})?")


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile with their arguments, in order."""
    lines = [
        line
        for line in (DEPLOY / "Containerfile").read_text().splitlines()
        if not line.startswith("#")
    ]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest) for word, _, rest in (one.partition(" ") for one in joined.split("\n")) if word
    ]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_the_images_are_named_by_a_version():
    images = [rest.partition(" AS ")[0] for word, rest in instructions() if word == "FROM"]

    assert len(images) == 2
    assert all(PINNED.fullmatch(image) for image in images), images


def test_the_image_runs_as_nobody_who_may_do_anything():
    users = [rest for word, rest in instructions() if word == "USER"]
    after = instructions()[instructions().index(("USER", users[-1])) :]

    assert users == ["10001:10001"]
    assert not any(word in ("RUN", "COPY", "ADD") for word, _ in after)


def test_everything_that_the_wheel_needs_is_copied():
    copied = {
        part
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for part in rest.split()[:-1]
    }

    assert {"engine", "workflows", "migrations"} <= {part.removeprefix("./") for part in copied}
    assert all((ROOT / part).exists() for part in copied)
    assert {"pyproject.toml", "README.md", "LICENSE"} <= copied


def test_the_image_is_asked_whether_it_is_ready():
    (health,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    command = json.loads(health.partition("CMD ")[2])

    assert command[0] == "python"
    compile(command[2], "health", "exec")
    assert "http://127.0.0.1:8000/health/ready" in command[2]


def test_what_the_image_runs_is_a_command_of_ours():
    (arguments,) = [json.loads(rest) for word, rest in instructions() if word == "CMD"]

    parsed(arguments)


def parsed(arguments: list[str]) -> None:
    """Raises what the command line raises for what it does not know."""
    command = get_command(app)
    name, *rest = arguments
    commands: Any = command
    sub = commands.commands[name]
    sub.make_context(name, list(rest))


def test_each_service_runs_a_command_of_ours_with_settings_of_ours(compose: dict[str, Any]):
    ours = [one for one in compose["services"].values() if "build" in one]

    assert len(ours) == 3
    for one in ours:
        parsed(one["command"])
        assert set(one["environment"]) == {"REGIMEN_ROLE", "REGIMEN_SECRET"}
        assert one["environment"]["REGIMEN_SECRET"] in one["secrets"]
    script = compose["configs"]["regimen.sh"]["content"]
    exported = re.findall(r"export REGIMEN_(\w+)", script)
    assert set(exported) <= set(VARIABLES)
    assert "unset REGIMEN_ROLE REGIMEN_SECRET" in script


def test_nothing_may_be_written_and_no_right_is_gained(compose: dict[str, Any]):
    for name, one in compose["services"].items():
        assert one["read_only"] is True, name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert not one.get("privileged"), name
        if "build" in one:
            assert one["cap_drop"] == ["ALL"], name


def test_only_the_service_listens_and_only_on_this_machine(compose: dict[str, Any]):
    ports = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}

    assert ports == {"service": ["127.0.0.1:8000:8000"]}


def test_the_database_is_one_version_and_waited_for(compose: dict[str, Any]):
    services = compose["services"]

    assert PINNED.fullmatch(services["database"]["image"])
    assert services["migration"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("service", "worker"):
        condition = services[name]["depends_on"]["migration"]["condition"]
        assert condition == "service_completed_successfully"


def test_no_password_is_in_the_file_or_in_an_environment(compose: dict[str, Any]):
    for one in compose["services"].values():
        for name, value in one.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/"), name
    assert "@database" in compose["configs"]["regimen.sh"]["content"]
    assert not re.search(r"://\w+:[^@/]+@", (DEPLOY / "compose.yaml").read_text())


def test_a_container_has_longer_to_end_than_the_grace_of_the_service(compose: dict[str, Any]):
    seconds = int(compose["services"]["service"]["stop_grace_period"].rstrip("s"))

    assert seconds > 25 + 5


def test_the_scripts_of_the_containers_are_shell(compose: dict[str, Any]):
    for config in compose["configs"].values():
        assert shlex.split(config["content"].replace("$$", "$"), comments=True)
