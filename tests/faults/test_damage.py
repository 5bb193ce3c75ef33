"""Damaged storage: told in words, limited to what is damaged, found and named by `check`."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hub.storage.sqlite.connect import DATABASE
from tests.commands.conftest import Done, start
from tests.rest.running import message_ids, running

pytestmark = pytest.mark.fault

PAGE = 4096
SECRET = "Geheimnis"


def run(folder: Path, *arguments: str | Path) -> Done:
    """A command that ends in words, never in a traceback."""
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err, err
    return Done(process.returncode, out, err)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose store holds thirty patients of two versions, and a blob."""
    folder = tmp_path_factory.mktemp("sound")
    with running(folder) as hub:
        for number in range(30):
            patient = {
                "resourceType": "Patient",
                "id": f"p{number}",
                "name": [{"family": SECRET, "text": "x" * 200}],
            }
            hub.client.put(f"/Patient/p{number}", json=patient)
            hub.client.put(f"/Patient/p{number}", json=patient | {"active": True})
        made = hub.client.put(
            "/Binary/b",
            content=os.urandom(200_000),
            headers={"content-type": "application/octet-stream"},
        )
        assert made.status_code == 201, made.text
        hub.stop()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy to harm."""
    shutil.copytree(sound / "data", tmp_path / "data")
    return tmp_path


def change(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "data" / DATABASE) as connection:
        connection.execute(sql, values)
    connection.close()


OF_P3 = "rid = (SELECT rid FROM resource WHERE id = 'p3')"


def garble_body(folder: Path) -> None:
    change(folder, f"UPDATE resource SET body = ? WHERE {OF_P3}", os.urandom(150))


def flip_a_bit_of_the_body(folder: Path) -> None:
    with sqlite3.connect(folder / "data" / DATABASE) as connection:
        (body,) = connection.execute(f"SELECT body FROM resource WHERE {OF_P3}").fetchone()
    connection.close()
    flipped = bytearray(body)
    flipped[-8] ^= 1
    change(folder, f"UPDATE resource SET body = ? WHERE {OF_P3}", bytes(flipped))


def lose_the_dictionary(folder: Path) -> None:
    change(folder, f"UPDATE resource SET codec = 77 WHERE {OF_P3}")


@pytest.mark.parametrize(
    "harm", [garble_body, flip_a_bit_of_the_body, lose_the_dictionary], ids=lambda it: it.__name__
)
def test_a_damaged_body_is_told_and_all_else_goes_on(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    harm(folder)
    found = run(folder, "check")
    assert found.code == 1
    assert "Patient/p3/_history/2" in found.out
    assert run(folder, "backup", "copy").code == 2
    assert not list(folder.glob("copy*"))
    exported = run(folder, "export", "out")
    assert exported.code == 1
    assert "Patient/p3" in exported.err
    with running(folder) as hub:
        get = hub.client.get
        for address in ("/Patient/p3", "/Patient/p3/_history/2", "/Patient/p3?_summary=true"):
            answer = get(address)
            assert answer.status_code == 500, address
            assert message_ids(answer) == ["resource-damaged"]
            assert SECRET not in answer.text
        assert get("/Patient/p3/_history/1").status_code == 200
        assert get("/Patient/p4").status_code == 200
        page = get("/Patient", params={"name": SECRET, "_count": 50}).json()
        modes = [entry["search"]["mode"] for entry in page["entry"]]
        assert (modes.count("match"), modes.count("outcome")) == (29, 1)
        told = next(e["resource"] for e in page["entry"] if e["search"]["mode"] == "outcome")
        assert told["issue"][0]["details"]["coding"][0]["code"] == "resource-damaged"
        batch = hub.client.post(
            "",
            json={
                "resourceType": "Bundle",
                "type": "batch",
                "entry": [
                    {"request": {"method": "GET", "url": f"Patient/{id}"}} for id in ("p3", "p4")
                ],
            },
        ).json()
        assert [e["response"]["status"][:3] for e in batch["entry"]] == ["500", "200"]
        assert hub.unexpected_errors() == 0
        rows = [line["message"] for line in hub.lines() if "damaged" in line.get("message", "")]
        assert rows
        assert all("(Patient, version 2)" in row and "p3" not in row for row in rows)


def test_a_damaged_match_is_no_reason_to_create_it_again(folder: Path) -> None:
    change(
        folder,
        f"UPDATE resource SET body = x'00' WHERE {OF_P3}",
    )
    with running(folder) as hub:
        made = hub.client.post(
            "/Patient", json={"resourceType": "Patient"}, headers={"if-none-exist": "_id=p3"}
        )
        assert made.status_code == 500
        assert message_ids(made) == ["resource-damaged"]


def test_a_damaged_index_entry_spoils_one_write_and_is_named(folder: Path) -> None:
    change(folder, f"UPDATE entry SET packed = x'c1c1c1' WHERE {OF_P3}")
    found = run(folder, "check")
    assert found.code == 1
    assert "Patient/p3: its index" in found.out
    with running(folder) as hub:
        patients = [
            {"resourceType": "Patient", "id": id, "active": False} for id in ("p2", "p3", "p4")
        ]
        answers = [hub.client.put(f"/Patient/{one['id']}", json=one) for one in patients]
        assert [one.status_code for one in answers] == [200, 500, 200]
        assert message_ids(answers[1]) == ["store-damaged"]
        assert hub.unexpected_errors() == 0


@pytest.mark.parametrize("kept", [None, 5_000], ids=["missing", "cut off"])
def test_a_damaged_blob_is_told_before_the_first_byte(folder: Path, kept: int | None) -> None:
    (file,) = (one for one in (folder / "data" / "blobs").rglob("*") if one.is_file())
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, kept)
    assert file.name in run(folder, "check").out
    refused = run(folder, "backup", "copy")
    assert refused.code == 2
    assert file.name in refused.err
    exported = run(folder, "export", "out")
    assert exported.code == 1
    assert "Binary/b" in exported.err
    assert len((folder / "out" / "Patient.ndjson").read_text().splitlines()) == 30
    with running(folder) as hub:
        for accept in ("application/octet-stream", "application/fhir+json"):
            answer = hub.client.get("/Binary/b", headers={"accept": accept})
            assert answer.status_code == 500
            assert message_ids(answer) == ["store-damaged"]


def leaf_of(folder: Path, table: str) -> int:
    """A page of a table: its root, which holds rows while the table is small."""
    with sqlite3.connect(folder / "data" / DATABASE) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    connection.close()
    return int(page)


@pytest.mark.parametrize("table", ["resource", "history", "audit", "token", "entry", "statistics"])
def test_a_damaged_page_is_found_and_what_needs_it_not_is_served(folder: Path, table: str) -> None:
    page = leaf_of(folder, table)
    with (folder / "data" / DATABASE).open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * 60)
    found = run(folder, "check")
    assert run(folder, "backup", "copy").code == 2
    if found.code == 2:  # the store cannot even be opened
        assert "damaged" in found.err
        assert run(folder, "serve", "--port", "0").code == 2
        return
    assert found.code == 1, found
    assert "database: " in found.out
    with running(folder) as hub:
        answers = [
            hub.client.get("/Patient/p3"),
            hub.client.get("/Patient", params={"name": SECRET}),
            hub.client.get("/Patient/p3/_history"),
            hub.client.put("/Patient/p3", json={"resourceType": "Patient", "id": "p3"}),
        ]
        for answer in answers:
            if answer.status_code != 200:
                assert answer.status_code == 500
                assert message_ids(answer)[0] in ("store-damaged", "resource-damaged")
                assert SECRET not in answer.text
        if table == "audit":  # reading goes on; a write that nobody could account for does not
            assert [answer.status_code for answer in answers] == [200, 200, 200, 500]
            assert "audit" in found.out
        assert httpx.get(f"{hub.url}/health/live").status_code == 200
        assert hub.unexpected_errors() == 0, hub.tracebacks()


def no_database(folder: Path) -> None:
    (folder / "data" / DATABASE).unlink()


def empty_database(folder: Path) -> None:
    os.truncate(folder / "data" / DATABASE, 0)


def half_a_database(folder: Path) -> None:
    os.truncate(folder / "data" / DATABASE, 10 * PAGE)


def another_database(folder: Path) -> None:
    no_database(folder)
    change(folder, "CREATE TABLE t (n)")


def broken_off_restore(folder: Path) -> None:
    (folder / "data" / DATABASE).rename(folder / "data" / f"{DATABASE}.partial")


@pytest.fixture(
    params=[no_database, empty_database, half_a_database, another_database, broken_off_restore],
    ids=lambda it: it.__name__,
)
def lost(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A folder whose database is not what it was."""
    request.param(folder)
    return folder


def test_a_lost_database_is_not_taken_for_a_new_store(lost: Path) -> None:
    for command in (("serve", "--port", "0"), ("serve", "--port", "0", "--workers", "2")):
        ended = run(lost, *command)
        assert ended.code == 2
        assert len(ended.err.splitlines()) == 1, ended.err
    for other in (("check",), ("backup", "copy"), ("export", "out"), ("reindex",)):
        ended = run(lost, *other)
        assert ended.code == 2, other
        assert len(ended.err.splitlines()) == 1, ended.err


def test_a_store_without_its_log_is_no_new_store(tmp_path: Path) -> None:
    """The schema is in the database file from the start: an empty one would be made anew."""
    with running(tmp_path) as hub:
        hub.client.put("/Patient/a", json={"resourceType": "Patient", "id": "a"})
        hub.process.kill()
        hub.process.wait()
    (tmp_path / "data" / f"{DATABASE}-wal").unlink()
    with sqlite3.connect(tmp_path / "data" / DATABASE) as connection:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    connection.close()
    assert tables > 10
