"""`serve --demo`: fills an empty store once, and finishes what was broken off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hub.demo.generate import DEFAULT_PATIENTS
from tests.rest.running import RunningHub, running


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
