"""HL7 v2 from the command line, beside a hub that runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Done, Run
from tests.rest.running import RunningHub, free_port, running

ADMISSION = r"""MSH|^~\&|HIS|CENTRAL|||20260301080000+0800||{kind}|{id}|P|2.5.1||||||UNICODE UTF-8
EVN||20260301080000+0800
PID|1||{patient}^^^CENTRAL^MR||欧阳^建国||19480219|{sex}
PV1|1|I|A^1^1|||||||||||||||||V{patient}^^^CENTRAL
"""
SITE = """
sender = ["HIS|CENTRAL"]
[destination]
host = "127.0.0.1"
port = {port}
events = ["ADT"]
"""


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hub with MLLP, and a sender."""

    hub: RunningHub
    run: Run
    folder: Path
    port: int

    def send(self, control_id: str, kind: str = "ADT^A01", patient: str = "P1") -> Done:
        """Send a message and wait for the answer."""
        file = self.folder / f"{control_id}.hl7"
        file.write_text(ADMISSION.format(kind=kind, id=control_id, patient=patient, sex="M"))
        return self.run("v2", "send", file, "--to", f"127.0.0.1:{self.port}")

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Messages as `list --json` tells of them."""
        done = self.run("v2", *arguments, "--json")
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    def until(self, wanted: Callable[[], bool]) -> None:
        """Wait up to ten seconds."""
        deadline = time.monotonic() + 10
        while not wanted():
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def hospital(tmp_path: Path, run: Run) -> Iterator[Hospital]:
    port = free_port()
    with running(tmp_path, "--mllp", str(port)) as hub:
        yield Hospital(hub, run, tmp_path, port)


def test_what_came_is_listed_and_shown_and_who_looked_is_audited(hospital: Hospital) -> None:
    assert "MSA|AA|M1" in hospital.send("M1").out
    refused = hospital.send("M2", "ZZZ^Z01")
    assert refused.code == 1
    assert "MSA|AR|M2" in refused.out
    assert hospital.send("M1").out.count("MSA|AA|M1") == 1
    newest, first = hospital.rows("list")
    assert (first["row"], first["state"], first["kind"], first["repeats"]) == (
        1, "stored", "ADT^A01", 1)  # fmt: skip
    assert (newest["state"], newest["controlId"]) == ("quarantined", "M2")
    assert [row["row"] for row in hospital.rows("quarantine")] == [newest["row"]]
    assert not hospital.rows("list", "--kind", "ORU")
    listed = hospital.run("v2", "list").out
    assert "欧阳" not in listed
    shown = hospital.run("v2", "show", "1").out
    assert "PID|1||P1^^^CENTRAL^MR||欧阳^建国" in shown
    assert "MSA|AA|M1" in shown
    assert hospital.run("v2", "show", "99").code == 1
    looks = hospital.hub.audited("subtype=v2-show", lambda one: "message-in/1" in json.dumps(one))
    assert len(looks) == 1


def test_the_numbers_of_every_site_reconcile(hospital: Hospital) -> None:
    hospital.send("M1")
    hospital.send("M1")
    hospital.send("M2", "ZZZ^Z01")
    (row,) = hospital.rows("counts")
    assert row.pop("reconciles")
    assert row == {
        "direction": "in", "peer": "default", "received": 3, "stored": 1, "repeat": 1,
        "quarantined": 1, "waiting": 0}  # fmt: skip
    assert "received 3  stored 1  repeat 1  quarantined 1" in hospital.run("v2", "counts").out


def test_a_quarantined_message_is_worked_on_again_by_the_hub_that_runs(
    hospital: Hospital,
) -> None:
    file = hospital.folder / "undated.hl7"
    text = ADMISSION.format(kind="ADT^A01", id="M3", patient="", sex="M").replace("MR", "")
    file.write_text(text)
    assert hospital.run("v2", "send", file, "--to", f"127.0.0.1:{hospital.port}").code == 1
    (row,) = hospital.rows("quarantine")
    done = hospital.run("v2", "replay", str(row["row"]))
    assert done.code == 0
    assert "1 messages wait" in done.out

    def is_back() -> bool:
        rows = hospital.rows("quarantine")
        return bool(rows) and rows[0]["settled"] != row["settled"]

    hospital.until(is_back)
    assert hospital.run("v2", "replay", "--all").out.startswith("1 ")
    assert hospital.run("v2", "replay", "77").code == 1
    assert hospital.run("v2", "replay").code == 2


def test_a_destination_is_paused_resumed_and_shown(tmp_path: Path, run: Run) -> None:
    port = free_port()
    (tmp_path / "data" / "sites").mkdir(parents=True)
    site = tmp_path / "data" / "sites" / "his.toml"
    site.write_text(SITE.format(port=free_port()).replace("HIS|CENTRAL", "OTHER|CENTRAL"))
    with running(tmp_path, "--mllp", str(port)) as hub:
        hospital = Hospital(hub, run, tmp_path, port)
        assert run("v2", "pause", "hiss").code == 2
        assert run("v2", "pause", "his").code == 0
        assert hospital.send("M1").code == 0
        hospital.until(lambda: bool(hospital.rows("list", "--out")))
        assert {row["state"] for row in hospital.rows("list", "--out")} == {"queued"}
        (told,) = hospital.rows("destinations")
        assert told["state"] == "paused"
        assert told["queued"] == len(hospital.rows("list", "--out"))
        oldest = hospital.rows("list", "--out")[-1]
        assert "欧阳" in run("v2", "show", "--out", str(oldest["row"])).out
        done = run("v2", "resend", str(oldest["row"]))
        assert done.code == 1
        assert "waits to be sent already" in done.err
        assert run("v2", "resume", "his").code == 0
        hospital.until(lambda: hospital.rows("destinations")[0]["state"] == "unreachable")
    site.unlink()
    assert "wait, but no site file his.toml has a [destination]" in run("v2", "destinations").err


def test_nobody_there_is_said_in_words(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.hl7"
    file.write_text("not a message")
    assert run("v2", "send", file).code == 1
    file.write_text(ADMISSION.format(kind="ADT^A01", id="1", patient="1", sex="M"))
    done = run("v2", "send", file, "--to", f"127.0.0.1:{free_port()}")
    assert done.code == 1
    assert "Connection refused" in done.err
    assert run("v2", "send", file, "--to", "nowhere").code == 2
