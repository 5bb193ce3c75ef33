"""`backup` of a hub under load, `restore` of it, and what both refuse."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.commands.conftest import Run, start
from tests.rest.running import running


@pytest.mark.slow
def test_a_backup_under_load_is_whole_and_can_be_restored(
    run: Run, tmp_path: Path, demo_set: Path
) -> None:
    with running(tmp_path) as hub:
        assert run("load", demo_set).code == 0
        stop = threading.Event()
        acknowledged: list[str] = []

        def write() -> None:
            with httpx.Client(base_url=hub.url, headers=hub.headers) as client:
                number = 0
                while not stop.is_set():
                    number += 1
                    made = client.put(
                        f"/fhir/Patient/w{number}",
                        json={"resourceType": "Patient", "id": f"w{number}"},
                    )
                    assert made.status_code == 201
                    acknowledged.append(f"w{number}")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            before = len(acknowledged)
            first = run("backup", "first")
            between = list(acknowledged)
            second = run("backup", "second")
        finally:
            stop.set()
            thread.join()
        assert (first.code, second.code) == (0, 0), first.err + second.err
        assert "verified" in first.out
        assert len(between) > before
    assert run("restore", "second", "--data", "other").code == 0
    done = run("check", "--data", "other")
    assert done.code == 0, done.out
    run("export", "out", "--data", "other", "--type", "Patient")
    text = (tmp_path / "out" / "Patient.ndjson").read_text()
    # What was acknowledged before the second backup began is in it.
    assert all(f'"id":"{id}"' in text for id in between)
    with running(tmp_path, "--data", str(tmp_path / "other")) as hub:
        assert hub.client.get(f"/Patient/{between[0]}").status_code == 200


@pytest.fixture
def backup(run: Run, tmp_path: Path) -> Path:
    """A backup of a small store."""
    assert run("demo", "--patients", "1").code == 0
    assert run("backup", "copy").code == 0
    return tmp_path / "copy"


def test_a_store_is_not_overwritten(run: Run, backup: Path) -> None:
    done = run("restore", backup)
    assert (done.code, done.err) == (
        2,
        "data holds a store already; name a new folder with --data\n",
    )


@pytest.mark.parametrize("file", ["hub.sqlite3", "backup.json"])
def test_a_damaged_backup_is_refused_and_leaves_no_store(
    run: Run, backup: Path, tmp_path: Path, file: str
) -> None:
    damaged = bytearray((backup / file).read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 4096] = bytes(len(damaged[middle : middle + 4096]))
    (backup / file).write_bytes(damaged)
    done = run("restore", backup, "--data", "other")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1, done.err
    assert not (tmp_path / "other" / "hub.sqlite3").exists()


@pytest.mark.fault
@pytest.mark.parametrize(
    ("command", "words", "left"),
    [
        ("backup", "There is no copy", set()),
        ("export", "begin again", {"copy"}),
    ],
)
def test_ctrl_c_stops_soon_and_leaves_nothing_that_looks_whole(
    run: Run, tmp_path: Path, command: str, words: str, left: set[str]
) -> None:
    run("demo", "--patients", "400")
    process = start(tmp_path, command, "copy")
    partial = tmp_path / ("copy.partial" if command == "backup" else "copy/.partial")
    deadline = time.monotonic() + 60
    while not partial.exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, words in err) == (130, True), err
    assert {one.name for one in tmp_path.iterdir()} - {"data"} == left
    assert run(command, "copy").code == 0
    assert not partial.exists()


def test_a_full_disk_or_an_unwritable_place_is_told(run: Run) -> None:
    run("demo", "--patients", "0")
    done = run("backup", "/proc/nothing/copy")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
