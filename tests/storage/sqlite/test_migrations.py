"""Every schema ever released is brought up to today's."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from hub.storage.port import StoreNewer, StoreUnavailable
from hub.storage.sqlite import migrations
from hub.storage.sqlite.connect import DATABASE
from hub.storage.sqlite.store import open_store
from tests.faults.load import Load, assert_whole

RELEASED = Path(__file__).parents[2] / "cases" / "storage"


def schema_of(connection: apsw.Connection) -> list[str]:
    """The statements that make a database, without what SQLite adds itself."""
    rows = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'word_index_%' ORDER BY type DESC, name"
    )
    return [str(sql) for (sql,) in rows]


def fresh() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    migrations.upgrade(connection)
    return connection


def versions() -> list[int]:
    return sorted(int(file.stem.removeprefix("schema_v")) for file in RELEASED.glob("*.sql"))


def test_there_is_a_file_of_every_schema_version() -> None:
    """A change of the schema needs a step in `migrations.STEPS` and a new file.

    `python -m tests.storage.sqlite.test_migrations` writes it.
    """
    assert versions() == list(range(1, migrations.version() + 1))
    newest = (RELEASED / f"schema_v{migrations.version()}.sql").read_text()
    assert newest == ";\n".join(schema_of(fresh())) + ";\n"


@pytest.mark.parametrize("version", versions())
def test_a_database_of_any_version_is_brought_up(version: int) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute((RELEASED / f"schema_v{version}.sql").read_text())
    connection.execute("INSERT INTO state VALUES (1, 0, 0, 0)")
    connection.pragma("application_id", 0x46484842)
    connection.pragma("user_version", version)
    assert migrations.upgrade(connection) == version
    assert schema_of(connection) == schema_of(fresh())
    assert migrations.found_version(connection) == migrations.version()
    assert migrations.upgrade(connection) == migrations.version()


async def test_what_was_stored_survives_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    load = Load(Random(1))
    await load.run(store, 30)
    await store.close()

    def step(connection: apsw.Connection) -> None:
        connection.execute("ALTER TABLE resource ADD COLUMN mark INTEGER NOT NULL DEFAULT 0")

    steps = (*migrations.STEPS, step)
    connection = apsw.Connection(str(tmp_path / DATABASE))
    assert migrations.upgrade(connection, steps) == migrations.version()
    assert migrations.found_version(connection) == migrations.version() + 1
    migrations.require_current(connection, steps)
    with pytest.raises(StoreNewer):
        migrations.upgrade(connection)
    connection.pragma("user_version", migrations.version())
    with pytest.raises(StoreUnavailable, match="not migrated"):
        migrations.require_current(connection, steps)
    connection.close()
    store = open_store(tmp_path, role="reader")
    await assert_whole(store, len(load.sent), load.stored, set())
    await store.close()


def test_a_step_that_fails_changes_nothing() -> None:
    connection = fresh()

    def step(connection: apsw.Connection) -> None:
        connection.execute("CREATE TABLE half (n)")
        raise RuntimeError("power cut")

    before = schema_of(connection)
    with pytest.raises(RuntimeError):
        migrations.upgrade(connection, (*migrations.STEPS, step))
    assert schema_of(connection) == before
    assert migrations.found_version(connection) == migrations.version()


if __name__ == "__main__":
    RELEASED.mkdir(parents=True, exist_ok=True)
    file = RELEASED / f"schema_v{migrations.version()}.sql"
    file.write_text(";\n".join(schema_of(fresh())) + ";\n")
