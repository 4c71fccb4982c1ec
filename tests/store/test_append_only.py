"""Crimes against the history, each attempted on both databases, behind the store's door."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.core.history import verify
from engine.core.sealing import SealedText
from engine.core.view import Reading
from engine.store.sql import SqlStore
from tests.store.writing import NOON, Clinic

CHANGES = {
    "records": "verdict = 'refused'",
    "readings": "value = '81'",
    "definitions": "name = 'other'",
    "prose": "digest = 'other'",
    "texts": "sha256 = 'other'",
    "leaves": "seq = 9",
    "nodes": "place = 9",
    "checkpoints": "size = 9",
    "cosignatures": "line = 'other'",
}
GUARDED = {
    "records": "tenant, course, seq",
    "readings": "tenant, course, input, placed, seq",
    "definitions": "tenant, digest",
    "prose": "tenant, digest",
    "texts": "tenant, course, seq, path",
    "leaves": "tenant, place",
    "nodes": "tenant, level, place",
    "checkpoints": "tenant, number",
    "cosignatures": "tenant, number, key",
}
"""The tables of the history, with their keys."""

ERASURES_THAT_DO_MORE = (
    "text = 'other'",
    "text = NULL",  # the salt would let a guess be proved right
    "salt = NULL",
    "text = NULL, salt = 'other'",
    "text = NULL, salt = NULL, sha256 = 'other'",
    "text = NULL, salt = NULL, path = 'other'",
    "text = NULL, salt = NULL, tenant = 'other'",
)

REPLACEMENTS = (
    "INSERT OR REPLACE INTO regimen_{0} SELECT * FROM regimen_{0}",
    "REPLACE INTO regimen_{0} SELECT * FROM regimen_{0}",
    "UPDATE OR REPLACE regimen_{0} SET {2}",
)
"""What only SQLite understands."""

UPSERT = (
    "INSERT INTO regimen_{0} SELECT * FROM regimen_{0} WHERE 1 = 1 "
    "ON CONFLICT ({1}) DO UPDATE SET {2}"
)

LEDGER = (
    "INSERT INTO regimen_leaves VALUES ('{0}', 0, 'C-1', 1, 's', 'h')",
    "INSERT INTO regimen_nodes VALUES ('{0}', 4, 0, 'h')",
    "INSERT INTO regimen_checkpoints VALUES ('{0}', 1, '2009-03-02 12:00Z', 'o', 1, 'r', 'n', '')",
    "INSERT INTO regimen_cosignatures VALUES ('{0}', 1, 'k', 'l', '2009-03-02 12:00Z')",
)
"""A row of each table of the ledger."""

RECORD = "tenant, course, seq, event_id, event, verdict, recorded_at, prev_hash, hash, body"
FORGED = "'{0}', 'C-1', {1}, '{2}', 'e', 'v', '2009-03-02T12:00:00.000000Z', '', '', 'b'"


@pytest.fixture
def clinic(database: SqlStore, tenant: str) -> Clinic:
    """A tenant with something of everything that may only grow."""
    clinic = Clinic(database, tenant)
    clinic.begun(
        readings=[Reading("pulse", "80", NOON, NOON.date(), 1)],
        texts=[SealedText(path="reason.text", salt="pepper", text="fell ill", sha256="5e")],
    )
    for statement in LEDGER:
        commit(clinic, statement.format(clinic.tenant))
    return clinic


def commit(clinic: Clinic, statement: str) -> None:
    """What a criminal with the application's connection would do."""
    assert isinstance(clinic.store, SqlStore)
    with clinic.store.engine.begin() as connection:
        connection.execute(text(statement))


def kind(clinic: Clinic) -> str:
    assert isinstance(clinic.store, SqlStore)
    return clinic.store.engine.dialect.name


def everything(clinic: Clinic) -> object:
    assert isinstance(clinic.store, SqlStore)
    with clinic.store.engine.begin() as connection:
        return [
            connection.execute(text(f"SELECT * FROM regimen_{table} ORDER BY 1, 2")).all()
            for table in GUARDED
        ]


@pytest.mark.parametrize("table", GUARDED)
def test_no_row_can_be_changed(clinic: Clinic, table: str):
    before = everything(clinic)

    with pytest.raises(IntegrityError, match="append-only|may only be erased"):
        commit(clinic, f"UPDATE regimen_{table} SET {CHANGES[table]}")

    assert everything(clinic) == before


@pytest.mark.parametrize("table", GUARDED)
def test_no_row_can_be_deleted(clinic: Clinic, table: str):
    before = everything(clinic)

    with pytest.raises(IntegrityError, match="append-only|may only be erased"):
        commit(clinic, f"DELETE FROM regimen_{table} WHERE tenant = '{clinic.tenant}'")

    assert everything(clinic) == before


@pytest.mark.parametrize("table", GUARDED)
def test_no_row_can_be_replaced_by_another_with_its_key(clinic: Clinic, table: str):
    before = everything(clinic)

    for way in (UPSERT, *(REPLACEMENTS if kind(clinic) == "sqlite" else ())):
        with pytest.raises(IntegrityError, match="append-only|may only be erased"):
            commit(clinic, way.format(table, GUARDED[table], CHANGES[table]))

    assert everything(clinic) == before


def test_no_record_can_be_replaced_by_another_with_its_event_id(clinic: Clinic):
    forged = FORGED.format(clinic.tenant, 2, "C-1-1")
    insert = f"INTO regimen_records ({RECORD}) VALUES ({forged})"
    upsert = f"INSERT {insert} ON CONFLICT (tenant, course, event_id) DO UPDATE SET verdict = 'v'"
    before = everything(clinic)

    for attempt in (upsert, *([f"REPLACE {insert}"] if kind(clinic) == "sqlite" else [])):
        with pytest.raises(IntegrityError, match="append-only"):
            commit(clinic, attempt)

    assert everything(clinic) == before


def test_no_leaf_can_be_replaced_by_another_of_its_record(clinic: Clinic):
    insert = f"INTO regimen_leaves VALUES ('{clinic.tenant}', 7, 'C-1', 1, 's', 'h')"
    upsert = f"INSERT {insert} ON CONFLICT (tenant, course, seq) DO UPDATE SET place = 7"
    before = everything(clinic)

    for attempt in (upsert, *([f"REPLACE {insert}"] if kind(clinic) == "sqlite" else [])):
        with pytest.raises(IntegrityError, match="append-only"):
            commit(clinic, attempt)

    assert everything(clinic) == before


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [
        ("records", RECORD, FORGED.format("{0}", 2, "new")),
        ("prose", "tenant, digest, prose", "'{0}', 'other', 'other'"),
        (
            "definitions",
            "tenant, digest, name, version, semantic, prose_digest",
            "'{0}', 'other', '', '', '', ''",
        ),
    ],
)
def test_no_row_can_be_replaced_by_another_with_its_hidden_key(
    clinic: Clinic, table: str, columns: str, values: str
):
    """Every row of SQLite has one, unless its table is declared without."""
    forged = values.format(clinic.tenant)
    hidden, error = ("rowid", IntegrityError) if kind(clinic) == "sqlite" else ("ctid", DBAPIError)
    replace = "INSERT OR REPLACE" if kind(clinic) == "sqlite" else "INSERT"
    before = everything(clinic)

    with pytest.raises(error):
        commit(
            clinic,
            f"{replace} INTO regimen_{table} ({hidden}, {columns}) "
            f"SELECT {hidden}, {forged} FROM regimen_{table}",
        )

    assert everything(clinic) == before


@pytest.mark.parametrize("change", ERASURES_THAT_DO_MORE)
def test_a_text_can_only_be_erased_and_only_with_its_salt(clinic: Clinic, change: str):
    before = everything(clinic)

    with pytest.raises(IntegrityError, match="may only be erased"):
        commit(clinic, f"UPDATE regimen_texts SET {change} WHERE tenant = '{clinic.tenant}'")

    assert everything(clinic) == before


def test_an_erased_text_is_gone_and_its_digest_stays(clinic: Clinic):
    commit(
        clinic,
        f"UPDATE regimen_texts SET text = NULL, salt = NULL WHERE tenant = '{clinic.tenant}'",
    )

    with clinic.reading() as tx:
        assert tx.texts("C-1", 1) == {"reason.text": ("", None)}
        assert verify(tx.records("C-1"), course="C-1", tenant=clinic.tenant) is None


def test_a_text_cannot_be_erased_into_existence(clinic: Clinic):
    with pytest.raises(IntegrityError, match="ck_regimen_texts_erased"):
        commit(
            clinic,
            "INSERT INTO regimen_texts (tenant, course, seq, path, text, sha256) "
            f"VALUES ('{clinic.tenant}', 'C-1', 2, 'p', 'no salt', '5e')",
        )
