"""The access log on each database: what it takes, how it is bounded, and that it only grows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.access import operator
from engine.access_log import DISTINCT, WINDOW
from engine.log_entry import Logged
from engine.permission import Action, Caller, Denied, How, Role, Why
from engine.store import append_only
from engine.store.access import append
from engine.store.roles import AUDIT, grant_roles
from engine.store.sql import SqlStore, open_store
from engine.store.tables import access_log
from tests.store.looked import looking
from tests.store.test_tokens import NOW, Office

CRIMES = (
    "UPDATE regimen_access_log SET actor = 'other'",
    "UPDATE regimen_access_log SET about = '{}' WHERE tenant = '{0}'",
    "DELETE FROM regimen_access_log WHERE tenant = '{0}'",
    (
        "INSERT INTO regimen_access_log SELECT * FROM regimen_access_log WHERE 1 = 1 "
        "ON CONFLICT (tenant, at, id) DO UPDATE SET actor = 'other'"
    ),
)
SQLITE = (
    "INSERT OR REPLACE INTO regimen_access_log SELECT * FROM regimen_access_log",
    "REPLACE INTO regimen_access_log SELECT * FROM regimen_access_log",
    "UPDATE OR REPLACE regimen_access_log SET actor = 'other'",
    (
        "INSERT OR REPLACE INTO regimen_access_log "
        "(rowid, tenant, at, id, actor, action, outcome, about) "
        "SELECT rowid, tenant, at, 'other', actor, action, outcome, about FROM regimen_access_log"
    ),
)
POSTGRESQL = ("TRUNCATE regimen_access_log", "TRUNCATE regimen_access_log CASCADE")


def analyzed(database: SqlStore) -> None:
    """Let PostgreSQL know how many rows there are; its autovacuum does so within a minute."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.begin() as connection:
            connection.execute(text("ANALYZE regimen_access_log"))


@pytest.fixture
def office(database: SqlStore, tenant: str) -> Office:
    return Office(database, tenant)


def caller(tenant: str, *roles: Role, how: How = How.TOKEN, sites: tuple[str, ...] = ()) -> Caller:
    return Caller(
        tenant=tenant,
        id="oidc:1" if how is How.OIDC else "token:1",
        roles=frozenset(roles),
        sites=frozenset(sites) or None,
        how=how,
    )


def test_no_row_can_be_changed_deleted_or_replaced(database: SqlStore, office: Office):
    office.create()
    before = office.entries()
    own = SQLITE if database.engine.dialect.name == "sqlite" else POSTGRESQL
    for crime in (*CRIMES, *own):
        with (
            pytest.raises((IntegrityError, DBAPIError), match="append-only"),
            database.engine.begin() as connection,
        ):
            connection.exec_driver_sql(crime.replace("{0}", office.tenant))

    assert before
    assert office.entries() == before


def test_on_postgresql_the_application_appends_and_the_auditor_reads(
    migrated_postgres_url: str, tenant: str
):
    store = open_store(migrated_postgres_url)
    office = Office(store, tenant)
    name, _ = office.create()
    with store.engine.begin() as connection:
        grant_roles(connection, app="regimen_app", auditor="regimen_auditor")

    def attempt(role: str, statement: str) -> list[object]:
        with store.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            result = connection.execute(text(statement))
            return list(result.scalars()) if result.returns_rows else []

    for crime in (
        "UPDATE regimen_access_log SET actor = 'other'",
        "DELETE FROM regimen_access_log",
        "TRUNCATE regimen_access_log",
        "ALTER TABLE regimen_access_log DISABLE TRIGGER ALL",
        "DELETE FROM regimen_tokens",
    ):
        with pytest.raises(DBAPIError, match="permission denied|must be owner"):
            attempt("regimen_app", crime)
    where = f"WHERE tenant = '{tenant}'"
    assert attempt("regimen_auditor", f"SELECT id FROM {AUDIT}.regimen_tokens {where}") == [name]
    assert attempt("regimen_auditor", f"SELECT sha256 FROM {AUDIT}.regimen_tokens {where}") == [
        None
    ]
    assert len(attempt("regimen_auditor", f"SELECT 1 FROM {AUDIT}.regimen_access_log {where}")) == 1
    with pytest.raises(DBAPIError, match="permission denied"):
        attempt("regimen_auditor", "SELECT sha256 FROM regimen_tokens")
    store.close()


def test_a_late_page_looks_at_no_row_before_it(database: SqlStore, office: Office):
    """Else reading the whole log looks at each row as often as there are pages behind it."""
    many = [office.log.entry(caller(office.tenant), Logged.READ, {"n": n}) for n in range(2_000)]
    office.access.append(many)
    analyzed(database)
    last = many[-10]

    with looking(database, "access_log") as looked:
        found = office.log.entries(office.tenant, after=(last.at, last.id))

    assert [entry.about["n"] for entry in found] == list(range(1_991, 2_000))
    assert looked.rows < 100


def test_on_postgresql_the_whole_log_is_read_in_parts(migrated_postgres_url: str, tenant: str):
    """Else a driver holds all of it at once, and a worker reads it daily."""
    store = open_store(migrated_postgres_url)
    office = Office(store, tenant)
    office.access.append([office.log.entry(caller(tenant), Logged.READ, {}) for _ in range(5)])
    cursors = list[object]()

    def executed(_connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if "FROM regimen_access_log" in statement:
            cursors.append(cursor)

    event.listen(store.reading, "after_cursor_execute", executed)
    found = office.log.verify(tenant)
    store.close()

    assert (found.position, found.flaw) == (5, None)
    assert len(cursors) == 2
    assert all(isinstance(one, psycopg.ServerCursor) for one in cursors)


def test_the_same_denial_again_and_again_is_one_row_and_a_number(office: Office):
    for _ in range(1000):
        office.log.denied(Denied(why=Why.UNKNOWN_TOKEN))
    assert len(office.entries()) == 1

    office.clock.time = NOW + WINDOW
    office.log.denied(Denied(why=Why.UNKNOWN_TOKEN))

    assert [entry.about for entry in office.entries()] == [
        {"why": "unknown-token"},
        {"why": "unknown-token", "again": 999},
        {"why": "unknown-token"},
    ]


def test_whoever_is_denied_different_things_all_the_time_writes_a_bounded_number_of_rows(
    office: Office,
):
    for n in range(1000):
        denied = Denied(why=Why.SITE, actor="token:1", tenant=office.tenant)
        office.log.denied(denied, Action.READ_COURSES, course=f"C-{n}")
    office.log.flush()
    found = office.entries()

    assert len(found) == DISTINCT + 2
    assert found[-1].about == {"why": "various", "again": 1000 - DISTINCT - 1}


def test_one_who_is_denied_much_hides_no_other(office: Office):
    for n in range(100):
        one = Denied(why=Why.SITE, actor="token:1", tenant=office.tenant)
        office.log.denied(one, Action.READ_COURSES, course=f"C-{n}")
    office.log.denied(Denied(why=Why.ROLE, actor="token:2", tenant=office.tenant))

    assert [e.about for e in office.entries() if e.actor == "token:2"] == [{"why": "role-may-not"}]


def test_what_was_only_counted_is_written_at_the_end_and_once(office: Office):
    for _ in range(3):
        office.log.denied(Denied(why=Why.EXPIRED, actor="token:1", tenant=office.tenant))
    office.log.flush()
    office.log.flush()

    assert [e.about.get("again") for e in office.entries()] == [None, 2]


def test_a_clock_that_was_set_back_counts_nothing_for_ever(office: Office):
    office.log.denied(Denied(why=Why.EXPIRED))
    office.clock.time = NOW - WINDOW
    office.log.denied(Denied(why=Why.EXPIRED))

    assert len(office.entries()) == 2


def test_a_denial_of_nobody_goes_to_the_tenant_of_the_installation(office: Office):
    office.log.denied(Denied(why=Why.NO_CREDENTIAL))

    assert [(e.actor, e.tenant) for e in office.entries()] == [("nobody", office.tenant)]


def test_what_has_not_the_shape_of_an_id_gets_in_by_no_denial(office: Office):
    denied = Denied(why=Why.SITE, actor="token:1", tenant=office.tenant)
    office.log.denied(denied, Action.READ_COURSES, course="Jane Doe", site="x" * 65, event=None)

    assert office.entries()[0].about == {"why": "outside-its-sites", "what": "read:courses"}


@pytest.mark.parametrize("wrong", ["Jane Doe", "é", 1.5, {"a": ["b c"]}, object(), "x" * 65])
def test_a_row_takes_ids_roles_and_numbers_alone(office: Office, wrong: object):
    with pytest.raises(ValueError, match="^note"):
        office.log.note(operator(office.tenant), Logged.EXPORTED, {"note": wrong})

    assert office.entries() == []


def test_what_an_auditor_reads_is_noted_and_what_others_read_is_not(office: Office):
    for role in Role:
        office.gate.permit(caller(office.tenant, role), Action.READ_WORKFLOWS)
    office.gate.permit(caller(office.tenant, Role.AUDITOR), Action.READ_RECORDS, course="C-1")

    assert [(e.action, e.about) for e in office.entries()] == [
        (Logged.READ, {"what": "read:workflows"}),
        (Logged.READ, {"what": "read:records", "course": "C-1"}),
    ]


def test_a_person_whose_roles_or_sites_changed_since_is_noted_once(
    database: SqlStore, office: Office
):
    first = caller(office.tenant, Role.SCHEDULER, how=How.OIDC)
    more = caller(office.tenant, Role.SCHEDULER, Role.CLINICIAN, how=How.OIDC)
    narrow = caller(office.tenant, Role.SCHEDULER, how=How.OIDC, sites=("north",))
    for who in (first, first, more, more, narrow):
        office.log.seen(who)
    again = Office(database, office.tenant)  # another process, which remembers nothing
    again.log.seen(narrow)

    found = office.entries()
    assert [e.about["now"]["roles"] for e in found] == [
        ["scheduler"],
        ["clinician", "scheduler"],
        ["scheduler"],
    ]
    assert found[2].about["before"] == found[1].about["now"]
    assert found[2].about["now"]["sites"] == ["north"]


def test_a_token_never_changes_so_nothing_is_noted_of_its_roles(office: Office):
    office.log.seen(caller(office.tenant, Role.SCHEDULER))

    assert office.entries() == []


def test_a_row_is_appended_in_somebody_elses_transaction_or_not_at_all(
    database: SqlStore, office: Office
):
    entry = office.log.entry(operator(office.tenant), Logged.SITE_CHANGED, {"site": "north"})
    with database.engine.connect() as connection:
        transaction = connection.begin()
        append(connection, [entry])
        transaction.rollback()
    assert office.entries() == []

    with database.engine.begin() as connection:
        append(connection, [entry])
    assert office.entries() == [entry]


def test_the_log_is_read_page_by_page_and_from_a_time_on(office: Office):
    for n in range(5):
        office.clock.time = NOW + n * WINDOW
        office.log.note(operator(office.tenant), Logged.EXPORTED, {"n": n})
        office.log.note(operator(office.tenant), Logged.EXPORTED, {"n": n})
    found: list[object] = []
    after = None
    while page := office.log.entries(office.tenant, since=NOW + WINDOW, after=after, limit=3):
        found += [entry.about["n"] for entry in page]
        after = (page[-1].at, page[-1].id)

    assert found == [1, 1, 2, 2, 3, 3, 4, 4]


def test_nobody_reads_the_log_of_another_tenant(database: SqlStore, office: Office):
    office.create()

    assert Office(database, f"{office.tenant}-other").entries() == []


# --- the chain --------------------------------------------------------------------------------


def noted(office: Office, *numbers: int) -> None:
    for n in numbers:
        office.log.note(operator(office.tenant), Logged.EXPORTED, {"n": n})


@contextmanager
def unguarded(store: SqlStore) -> Iterator[Connection]:
    """Whoever owns the tables drops the guards; here they come back."""
    with store.engine.connect() as connection:
        transaction = connection.begin()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE regimen_access_log DISABLE TRIGGER ALL")
            yield connection
            for one in append_only._POSTGRESQL[access_log]:
                name = f"regimen_access_log_guard_{one}"
                connection.exec_driver_sql(
                    f"ALTER TABLE regimen_access_log ENABLE ALWAYS TRIGGER {name}"
                )
        else:
            guards = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master "
                "WHERE type = 'trigger' AND tbl_name = 'regimen_access_log'"
            ).all()
            for name, _ in guards:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            for _, sql in guards:
                connection.exec_driver_sql(sql)
        transaction.commit()


def test_a_log_of_which_nothing_was_changed_holds_and_tells_its_head(office: Office):
    noted(office, 1, 2, 3)
    office.create()
    found = office.log.verify(office.tenant)

    assert (found.position, found.before, found.flaw) == (4, 0, None)
    assert office.log.verify(office.tenant, (found.position, found.head)).flaw is None


CHANGES = {
    "edited": (
        "UPDATE regimen_access_log SET actor = 'other' WHERE {0} AND position = 2", "content", 2
    ),
    "read otherwise": (
        "UPDATE regimen_access_log SET about = '{\"n\":7}' WHERE {0} AND position = 2", "content", 2
    ),
    "said twice": (
        (
            "UPDATE regimen_access_log SET about = '{\"n\":7,' || substr(about, 2) "
            "WHERE {0} AND position = 2"
        ),
        "content",
        2,
    ),
    "spelled otherwise": (
        "UPDATE regimen_access_log SET about = about || ' ' WHERE {0} AND position = 2",
        "content",
        2,
    ),
    "deleted": ("DELETE FROM regimen_access_log WHERE {0} AND position = 2", "gap", 3),
    "deleted and closed up": (
        (
            "DELETE FROM regimen_access_log WHERE {0} AND position = 2;"
            "UPDATE regimen_access_log SET position = position - 1 WHERE {0} AND position > 2"
        ),
        "content",
        2,
    ),
    "reordered": (
        (
            "UPDATE regimen_access_log SET position = -2 WHERE {0} AND position = 2;"
            "UPDATE regimen_access_log SET position = 2 WHERE {0} AND position = 3;"
            "UPDATE regimen_access_log SET position = 3 WHERE {0} AND position = -2"
        ),
        "content",
        2,
    ),
    "taken out of the chain": (
        "UPDATE regimen_access_log SET position = NULL WHERE {0} AND position = 1", "gap", 2
    ),
    "put before the chain": (
        "UPDATE regimen_access_log SET position = NULL WHERE {0} AND position = 4", "link", 1
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_in_the_log_is_found(database: SqlStore, office: Office, change: str):
    noted(office, 1, 2, 3, 4)
    crime, kind, position = CHANGES[change]
    with unguarded(database) as connection:
        for statement in crime.replace("{0}", f"tenant = '{office.tenant}'").split(";"):
            connection.exec_driver_sql(statement)
    flaw = office.log.verify(office.tenant).flaw

    assert flaw is not None
    assert (flaw.kind, flaw.position) == (kind, position)


def test_a_log_whose_end_was_cut_off_agrees_and_only_a_noted_head_tells(
    database: SqlStore, office: Office
):
    noted(office, 1, 2, 3)
    before = office.log.verify(office.tenant)
    with unguarded(database) as connection:
        connection.exec_driver_sql(
            f"DELETE FROM regimen_access_log WHERE tenant = '{office.tenant}' AND position = 3"
        )
    assert office.log.verify(office.tenant).flaw is None

    flaw = office.log.verify(office.tenant, (before.position, before.head)).flaw
    assert flaw is not None
    assert flaw.kind == "gap"
    noted(office, 4)  # something else at the place of what was cut off
    flaw = office.log.verify(office.tenant, (before.position, before.head)).flaw
    assert flaw is not None
    assert flaw.kind == "head"


def test_what_was_written_before_the_chain_stays_readable_and_is_held_by_it(
    database: SqlStore, office: Office
):
    old = "{0}, '2026-01-01T00:00:00.000000Z', 'old-{1}', 'operator', 'exported', 'given', '{}'"
    columns = "tenant, at, id, actor, action, outcome, about"
    with database.engine.begin() as connection:
        for n in (1, 2):
            values = old.replace("{0}", f"'{office.tenant}'").replace("{1}", str(n))
            connection.exec_driver_sql(
                f"INSERT INTO regimen_access_log ({columns}) VALUES ({values})"
            )
    noted(office, 1)
    found = office.log.verify(office.tenant)
    assert (found.position, found.before, found.flaw) == (1, 2, None)
    assert [entry.id[:3] for entry in office.entries()][:2] == ["old", "old"]

    with unguarded(database) as connection:
        connection.exec_driver_sql(
            "UPDATE regimen_access_log SET actor = 'other' "
            f"WHERE tenant = '{office.tenant}' AND id = 'old-1'"
        )
    flaw = office.log.verify(office.tenant).flaw
    assert flaw is not None
    assert (flaw.kind, flaw.position) == ("link", 1)


def test_entries_that_are_written_at_once_are_one_chain(database: SqlStore, office: Office):
    failed: list[BaseException] = []

    def write(n: int) -> None:
        try:
            for _ in range(5):
                noted(office, n)
        except BaseException as wrong:  # noqa: BLE001  # whatever it is, the test tells
            failed.append(wrong)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = office.log.verify(office.tenant)

    assert failed == []
    assert (found.position, found.flaw) == (20, None)


def test_the_chain_of_a_tenant_is_its_own(database: SqlStore, office: Office):
    other = Office(database, f"{office.tenant}-other")
    noted(office, 1)
    noted(other, 2)
    noted(office, 3)

    assert office.log.verify(office.tenant).position == 2
    assert other.log.verify(other.tenant).position == 1
