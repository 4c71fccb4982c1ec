"""Review work from the shell."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.conftest import Regimen


@pytest.fixture
def told(regimen: Regimen) -> Regimen:
    """The demonstration: a course of everything."""
    assert regimen("demo").code == 0
    return regimen


DB = ("--db", "regimen-demo.db")


def queues(regimen: Regimen, *asked: str) -> dict[str, list[dict[str, object]]]:
    found = regimen(*DB, "review", "list", "--json", *asked).json()["queues"]
    return {one["queue"]: one["items"] for one in found}


def test_every_queue_is_listed_with_why(told: Regimen):
    ran = told(*DB, "review", "list")
    found = queues(told)

    assert ran.code == 0
    assert list(found) == ["open-finding", "deviation", "override", "late-entry", "refusal"]
    for queue, items in found.items():
        title = queue.replace("-", " ").capitalize()
        assert (f"{title} ({len(items)}" in ran.out) is bool(items)


def test_queues_are_listed_of_one_workflow_by_its_name(told: Regimen):
    every, its = queues(told), queues(told, "--workflow", "intralesional_il2")
    others = told(*DB, "review", "list", "--json", "--workflow", "instrument_calibration").json()

    assert its == every
    assert any(its.values())
    assert others["workflow"] == "instrument_calibration"
    assert [(one["count"], one["items"]) for one in others["queues"]] == [(0, [])] * len(every)


def test_the_command_that_shows_the_next_page_runs_as_it_is_printed(told: Regimen):
    every = queues(told)["refusal"]
    sites = ("--site", str(every[0]["site"]), "--site", "a site of two words")
    asked = ("--workflow", "intralesional_il2", *sites, "--limit", "1", "--kind", "refusal")
    ran = told(*DB, "review", "list", *asked)
    (hint,) = [line for line in ran.out.splitlines() if line.startswith("There are more: ")]
    program, *arguments = shlex.split(hint.removeprefix("There are more: "))
    following = told(*arguments, "--json").json()

    assert program == "regimen"
    assert following["sites"] == [every[0]["site"], "a site of two words"]
    assert following["workflow"] == "intralesional_il2"
    (queue,) = following["queues"]
    assert [one["record"] for one in queue["items"]] == [every[1]["record"]]


def test_a_record_is_signed_off_and_is_gone(told: Regimen):
    item = queues(told)["refusal"][0]
    place = (str(item["course"]), str(item["record"]))
    ran = told(*DB, "review", "sign-off", *place, "--outcome", "accepted", "--actor", "auditor-1")

    assert ran.code == 0
    assert f"Record {place[1]} of {place[0]} is signed off as accepted" in ran.out
    assert item["record"] not in [one["record"] for one in queues(told)["refusal"]]
    assert told(*DB, "verify").code == 0
    assert told(*DB, "replay", "--re-decide").code == 0


def test_the_same_person_cannot_sign_off_again(told: Regimen):
    item = queues(told)["refusal"][0]
    asked = ("sign-off", str(item["course"]), str(item["record"]), "--actor", "auditor-1")
    told(*DB, "review", *asked, "--outcome", "escalated")
    again = told(*DB, "review", *asked, "--outcome", "accepted")

    assert again.code == 2
    assert "was signed off by them before" in again.err


def test_a_sign_off_by_who_saw_less_than_there_is_now_is_not_recorded(told: Regimen):
    item = queues(told)["refusal"][0]
    place = ("sign-off", str(item["course"]), str(item["record"]), "--outcome", "escalated")
    first = told(*DB, "review", *place, "--reviewed-by", "none", "--actor", "auditor-1", "--json")
    by = first.json()["signed_off_by"]
    late = told(*DB, "review", *place, "--reviewed-by", "none", "--actor", "auditor-2")
    (waiting,) = [one for one in queues(told)["refusal"] if one["record"] == item["record"]]
    informed = told(*DB, "review", *place, "--reviewed-by", str(by), "--actor", "auditor-2")

    assert (first.code, late.code, informed.code) == (0, 2, 0)
    assert f"record {item['record']} was last signed off by record {by}" in late.err
    assert waiting["reviewed_by"] == by


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("list", "--kind", "mistakes"), "--kind: expected one of open-finding"),
        (("list", "--cursor", "x"), "--cursor: expected one --kind beside it"),
        (("sign-off", "nobody", "1", "--outcome", "accepted"), "nobody"),
        (("sign-off", "DEMO-constructed", "2", "--outcome", "fine"), "data.outcome: expected"),
        (
            ("sign-off", "x", "2", "--outcome", "accepted", "--reviewed-by", "nobody"),
            "--reviewed-by: expected the record of a sign-off, or none",
        ),
    ],
)
def test_what_cannot_be_asked_is_named(told: Regimen, asked: tuple[str, ...], said: str):
    ran = told(*DB, "review", *asked)

    assert ran.code == 2
    assert said in ran.err
