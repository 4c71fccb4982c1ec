"""What a decision costs on PostgreSQL: one statement, which the server and the driver both keep."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.dialects.postgresql.psycopg import dialect

from engine.core.sealing import SealedText
from engine.core.snapshot import Armed
from engine.core.view import Reading
from engine.ports import Outgoing
from engine.store import step
from engine.store.sql import HostStore, SqlStore, open_store
from tests.store.writing import NOON, WINDOW, Clinic

KINDS = ("readings", "messages", "texts", "armed", "disarmed", "due", "gone")
"""Those that one decision may bring together: a booking comes alone, with what it says."""


@pytest.fixture(scope="module")
def store(migrated_postgres_url: str) -> Iterator[SqlStore]:
    opened = open_store(migrated_postgres_url)
    yield opened
    opened.close()


def test_a_decision_is_two_statements_however_much_follows_from_it(store: SqlStore, tenant: str):
    clinic = Clinic(store, tenant)
    clinic.begun(timers={"old": Armed(NOON, 1)}, visits={"old": WINDOW})
    full = clinic.decision(
        seq=2,
        readings=[Reading(f"input {n}", "80", NOON, NOON.date(), 2) for n in range(20)],
        timers={"new": Armed(NOON, 2), "old": None},
        visits={"new": WINDOW, "old": None},
        messages=[Outgoing(kind="hold", body=b"{}")] * 3,
        texts=[SealedText(path="reason.text", salt="s", text="t", sha256="5e")],
    )
    sent: list[str] = []

    with store.engine.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda *sends: sent.append(sends[2]))
        with HostStore(connection).transaction(tenant) as tx:
            tx.head("C-1", full.record.event_id)
            tx.append(full)

    assert len(sent) == 2
    with clinic.reading() as tx:
        assert tx.stored_caches("C-1") == ({"new": Armed(NOON, 2)}, {"new": WINDOW})
        assert len(tx.readings("C-1", {f"input {n}": None for n in range(20)})) == 20
        assert [message.n for message in tx.waiting(9)] == [1, 2, 3]


@pytest.mark.parametrize("new", [True, False])
def test_the_longest_statement_is_short_enough_for_psycopg_to_keep(new: bool):
    statement = step.statement(new, *KINDS).compile(dialect=dialect())

    assert len(str(statement)) <= 4096


def test_instants_do_not_depend_on_the_zone_of_the_server(migrated_postgres_url: str, tenant: str):
    url = make_url(migrated_postgres_url).update_query_dict(
        {"options": "-ctimezone=America/Los_Angeles"}
    )
    store = open_store(url.render_as_string(hide_password=False))
    first = Clinic(store, tenant).begun(at=NOON.min.replace(tzinfo=NOON.tzinfo))

    with store.transaction(tenant, write=False) as tx:
        assert tx.record("C-1", 1) == first.record
    store.close()
