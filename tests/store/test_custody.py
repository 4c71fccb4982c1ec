"""What a database keeps of an erased text, and how it is got rid of, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.core.sealing import SealedText
from engine.errors import Conflict
from engine.store.custody import SqlCustody
from engine.store.roles import grant_roles
from engine.store.sql import SqlStore, open_store
from tests.store.writing import Clinic

WORDS = SealedText(path="reason.text", salt="pepper", text="fell ill", sha256="5e")


@pytest.fixture
def custody(database: SqlStore) -> SqlCustody:
    return SqlCustody(database)


def test_an_erasure_is_written_with_its_record_and_touches_no_other_text(clinic: Clinic):
    for course in ("C-1", "C-2"):
        clinic.begun(course, texts=[WORDS])
    gone = [(1, "reason.text"), (1, "override.text"), (9, "reason.text")]
    clinic.stored(clinic.decision(seq=2, erased=gone))

    with clinic.reading() as tx:
        assert tx.kept_texts("C-1") == []
        assert tx.texts("C-1", 1) == {"reason.text": ("", None)}
        assert tx.kept_texts("C-2") == [(1, "reason.text")]
        assert tx.last_seq("C-1") == 2


def test_an_erasure_that_lost_a_race_erases_nothing(clinic: Clinic):
    clinic.begun(texts=[WORDS])
    clinic.stored(clinic.decision(seq=2))
    with pytest.raises(Conflict):
        clinic.stored(clinic.decision(seq=2, event_id="late", erased=[(1, "reason.text")]))

    with clinic.reading() as tx:
        assert tx.kept_texts("C-1") == [(1, "reason.text")]


def test_the_bytes_are_got_rid_of_by_who_may(database: SqlStore, clinic: Clinic):
    custody = SqlCustody(database)
    clinic.begun(texts=[WORDS])
    clinic.stored(clinic.decision(seq=2, erased=[(1, "reason.text")]))

    assert custody.scrub(rewrite=False).done is False
    assert custody.scrub(rewrite=True).done is True
    traces = custody.traces()
    if custody.kind == "sqlite":
        assert traces == {"free_pages": 0, "overwrites": 1, "ahead_bytes": 0}
    else:
        assert set(traces) == {"dead_rows", "last_vacuum", "standbys", "slots", "archive_mode"}


def test_a_reader_who_goes_on_keeps_the_write_ahead_log_and_that_is_said(
    sqlite_url: str, tenant: str
):
    store = open_store(sqlite_url)
    clinic = Clinic(store, tenant)
    clinic.begun(texts=[WORDS])
    with store.reading.connect() as reader, reader.begin():
        reader.execute(text("SELECT count(*) FROM regimen_records"))
        clinic.stored(clinic.decision(seq=2, erased=[(1, "reason.text")]))
        found = SqlCustody(store).scrub(rewrite=False)
    store.close()

    assert not found.done
    assert "still read by others" in found.why


def test_on_postgresql_the_application_cannot_vacuum_and_is_told_so(
    migrated_postgres_url: str, tenant: str
):
    owner = open_store(migrated_postgres_url)
    with owner.engine.begin() as connection:
        grant_roles(connection, app="regimen_app")
        connection.execute(text("ALTER ROLE regimen_app LOGIN"))
    app = open_store(migrated_postgres_url, connect_args={"options": "-c role=regimen_app"})
    clinic = Clinic(app, tenant)
    clinic.begun(texts=[WORDS])
    clinic.stored(clinic.decision(seq=2, erased=[(1, "reason.text")]))
    found = SqlCustody(app).scrub(rewrite=True)

    assert (found.done, "only the owner" in found.why) == (False, True)
    assert SqlCustody(owner).scrub(rewrite=True).done
    for store in (app, owner):
        store.close()


def test_what_a_course_has_is_counted_and_nothing_of_another(database: SqlStore, tenant: str):
    clinic = Clinic(database, tenant)
    clinic.begun(texts=[WORDS])
    clinic.begun("C-2", texts=[WORDS])
    clinic.stored(clinic.decision(seq=2, erased=[(1, "reason.text")]))
    counts = SqlCustody(database).counts(tenant, "C-1")

    assert (counts["records"], counts["texts"], counts["erased"]) == (2, 0, 1)
    assert SqlCustody(database).counts(f"{tenant}-other", "C-1")["records"] == 0
