"""`check` finds what is wrong with a store, and `reindex` mends what can be mended."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import apsw
import pytest

from hub.storage.sqlite.codec import Codec
from tests.commands.conftest import Run, start


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo set, older versions, a tombstone and a blob."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "b.ndjson").write_text(
        json.dumps(
            {
                "resourceType": "Binary",
                "id": "b",
                "contentType": "text/plain",
                "data": "A" * 200_000,
            }
        )
        + "\n"
        + "\n".join(
            json.dumps({"resourceType": "Patient", "id": "p", "multipleBirthInteger": number + 1})
            for number in range(4)
        )
    )
    gone = {"request": {"method": "DELETE", "url": "Patient/p"}}
    (folder / "c.json").write_text(
        json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [gone]})
    )
    for arguments in (("demo", "--patients", "5"), ("load", "b.ndjson"), ("load", "c.json")):
        process = start(folder, *arguments)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    return folder / "data"


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


def _edit(data: Path, *statements: str) -> None:
    connection = apsw.Connection(str(data / "hub.sqlite3"))
    for statement in statements:
        connection.execute(statement)
        assert connection.changes() > 0, statement
    connection.close()


def test_a_whole_store_is_clean(run: Run, data: Path) -> None:
    done = run("check", "--validate")
    assert (done.code, done.out[:7]) == (0, "Clean: "), done.out


PATIENT = (
    "(SELECT rid FROM resource WHERE deleted = 0"
    " AND type = (SELECT type FROM type_name WHERE name = 'Patient') LIMIT 1)"
)
CASES = Path(__file__).parents[1] / "cases" / "commands" / "damage.toml"
DAMAGE = tomllib.loads(CASES.read_text())["damage"]


@pytest.mark.parametrize("case", DAMAGE, ids=lambda case: case["name"])
def test_damage_is_found(run: Run, data: Path, case: dict[str, str]) -> None:
    _edit(data, case["sql"].format(patient=PATIENT))
    done = run("check")
    assert done.code == 1
    assert case["found"] in done.out, done.out
    assert "findings in" in done.err


def test_content_that_was_changed_behind_the_index_is_found(run: Run, data: Path) -> None:
    connection = apsw.Connection(str(data / "hub.sqlite3"))
    codec = Codec()
    rid, number, key, body = connection.execute(
        "SELECT rid, codec, key, body FROM resource WHERE rid = " + PATIENT
    ).get
    tail = codec.expand(number, key, body)
    assert b'"gender":"' in tail
    changed = tail.replace(b'"gender":"female"', b'"gender":"male"')
    if changed == tail:
        changed = tail.replace(b'"gender":"male"', b'"gender":"female"')
    number, body = codec.compress(changed)
    connection.execute("UPDATE resource SET codec = ?, body = ? WHERE rid = ?", (number, body, rid))
    connection.close()
    done = run("check")
    assert done.code == 1
    assert "index rows differ from its content: tokens" in done.out


def test_a_blob_that_was_changed_or_lost_is_found(run: Run, data: Path) -> None:
    (blob,) = (path for path in (data / "blobs").glob("??/*"))
    blob.write_bytes(b"x")
    assert "its file was changed" in run("check").out
    blob.unlink()
    assert "its file cannot be read" in run("check").out


def test_an_export_leaves_out_what_is_damaged_and_says_so(run: Run, data: Path) -> None:
    _edit(data, "UPDATE resource SET body = x'00ff' WHERE rid = " + PATIENT)
    done = run("export", "out")
    assert done.code == 1
    assert "        4 Patient" in done.out
    assert done.err.splitlines()[-1].endswith("its stored body is damaged.")


def test_a_damaged_database_file_is_found(run: Run, data: Path) -> None:
    file = data / "hub.sqlite3"
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    file.write_bytes(content)
    done = run("check")
    assert done.code in (1, 2)
    assert done.code == 2 or "database: " in done.out


def test_only_so_many_findings_are_printed(run: Run, data: Path) -> None:
    _edit(data, "DELETE FROM string")
    done = run("check", "--most", "3")
    assert len(done.out.splitlines()) == 3
    assert int(done.err.split(" findings")[0].split()[-1]) > 3


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM token WHERE rid = " + PATIENT,
        "DELETE FROM entry WHERE rid = " + PATIENT,
        "DELETE FROM by_date WHERE rid = " + PATIENT,
        "DELETE FROM string",
    ],
)
def test_reindex_mends_missing_rows(run: Run, data: Path, statement: str) -> None:
    _edit(data, statement)
    assert run("check").code == 1
    assert run("reindex").code == 0
    done = run("check")
    assert done.code == 0, done.out


def test_reindex_of_one_type_leaves_the_others(run: Run, data: Path) -> None:
    done = run("reindex", "--type", "Patient")
    assert done.out == "5 resources indexed\n"


def test_a_changed_zone_is_found_and_mended_by_reindex(run: Run, data: Path) -> None:
    done = run("check", zone="Europe/London")
    assert done.code == 1
    assert "dates" in done.out
    assert run("reindex", zone="Europe/London").code == 0
    assert run("check", zone="Europe/London").code == 0
