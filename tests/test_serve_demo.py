"""`serve --demo`: fills an empty store once, and finishes what was broken off."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hub.demo.generate import DEFAULT_PATIENTS
from hub.loading.demo_accounts import cast
from tests.rest.running import RunningHub, running, token_of


def patients(hub: RunningHub) -> int:
    return hub.client.get("/Patient?_summary=count").json()["total"]


def test_a_demo_that_was_killed_while_loading_is_finished_by_the_next_start(tmp_path: Path):
    marker = tmp_path / "data" / "demo.unfinished"
    broken = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--demo", "--port", "0"],
        env=os.environ | {"HUB_DATA": str(tmp_path / "data")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    broken.kill()
    broken.wait()
    assert marker.exists()
    with running(tmp_path, "--demo") as hub:
        assert patients(hub) == DEFAULT_PATIENTS
        assert not marker.exists()
        # HL7 v2 messages are taken at the usual port, unless it is somebody else's.
        assert "HL7v2   mllp://127.0.0.1:2575" in hub.banner or "Port 2575 is taken" in hub.banner


def test_ctrl_c_while_the_demo_is_loaded_is_told_in_a_line(tmp_path: Path):
    marker = tmp_path / "data" / "demo.unfinished"
    stopped = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--demo", "--port", "0"],
        env=os.environ | {"HUB_DATA": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, err
    assert "the next start goes on" in err
    assert "Traceback" not in err


def test_a_store_that_holds_something_gets_no_demo(tmp_path: Path):
    with running(tmp_path) as hub:
        hub.client.post("/Patient", json={"resourceType": "Patient"}).raise_for_status()
    with running(tmp_path, "--demo") as hub:
        assert patients(hub) == 1
        assert "user: " not in hub.banner
        assert not (tmp_path / "data" / "demo-accounts.txt").exists()


def test_the_people_of_the_demo_log_in_as_somebody_of_it(tmp_path: Path):
    line = re.compile(r"^user: (\w+)  password: ([a-z0-9-]{16,})  \((\w+)\)$", re.MULTILINE)
    with running(tmp_path, "--demo", auth="on") as hub:
        people = line.findall(hub.banner)
        assert [name for name, _, _ in people] == [
            "doctor",
            "patient",
            "relative",
            "manager",
            "admin",
        ]
        assert all(name == role for name, _, role in people)
        file = tmp_path / "data" / "demo-accounts.txt"
        assert file.stat().st_mode & 0o777 == 0o600
        seen = {}
        for role in ("doctor", "patient", "relative", "manager", "admin"):
            headers = {"authorization": f"Bearer {token_of(tmp_path / 'data', role, role)}"}
            with httpx.Client(base_url=f"{hub.url}/fhir", headers=headers, timeout=30) as client:
                seen[role] = client.get("/Patient?_summary=count").json()["total"]
        assert seen["patient"] == seen["relative"] == 1
        assert 1 < seen["doctor"] < seen["manager"] == seen["admin"] == DEFAULT_PATIENTS
        discovery = httpx.get(f"{hub.url}/fhir/.well-known/smart-configuration").json()
        assert discovery["registration_endpoint"].startswith(hub.url)
    with running(tmp_path, "--demo", "--workers", "2", auth="on", registration="off") as hub:
        assert line.findall(hub.banner) == people
        discovery = httpx.get(f"{hub.url}/fhir/.well-known/smart-configuration").json()
        assert "registration_endpoint" not in discovery


def test_a_start_that_was_broken_off_leaves_no_password_that_nobody_knows(tmp_path: Path):
    with running(tmp_path, "--demo", auth="on") as hub:
        first = hub.banner
    (tmp_path / "data" / "demo-accounts.txt").unlink()
    with running(tmp_path, "--demo", auth="on") as hub:
        assert hub.banner.count("user: ") == first.count("user: ") == 5
        assert hub.banner.splitlines()[-2] != first.splitlines()[-2]


def test_nobody_elses_account_becomes_one_of_the_demo(tmp_path: Path):
    with running(tmp_path, "--demo", auth="off"):
        pass
    with running(tmp_path, auth="on"):
        token_of(tmp_path / "data", "doctor", "doctor")
    with running(tmp_path, "--demo", auth="on") as hub:
        assert "user: doctor" not in hub.banner
        assert hub.banner.count("user: ") == 4


def test_a_hub_that_nobody_can_log_in_to_says_how_to_make_the_first_administrator(tmp_path: Path):
    with running(tmp_path, auth="on") as hub:
        assert "fhir-hub account add NAME --role admin" in hub.banner
    with running(tmp_path, "--workers", "2", auth="on") as hub:
        assert "account add" not in hub.banner
        assert "is OFF" not in hub.banner
    with running(tmp_path, auth="off") as hub:
        assert "Authentication is OFF" in hub.banner
        assert any("authentication is off" in line["message"] for line in hub.lines())


def test_a_demo_set_of_an_older_hub_gets_the_people_that_it_lacks(tmp_path: Path):
    with running(tmp_path, "--demo", auth="off") as hub:
        manager = next(one.fhir_user for one in cast() if one.role == "manager")
        roles = hub.client.get(f"/PractitionerRole?practitioner={manager}").json()["entry"]
        hub.client.delete(f"/PractitionerRole/{roles[0]['resource']['id']}").raise_for_status()
        hub.client.delete(f"/{manager}").raise_for_status()
    with running(tmp_path, "--demo", auth="on") as hub:
        assert hub.banner.count("user: ") == 5
        assert hub.client.get(f"/{manager}").status_code == 200
