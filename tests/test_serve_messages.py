"""`serve --mllp`: a real hub takes HL7 v2 messages, alone or with several workers."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from hl7.client import MLLPClient

from tests.rest.running import RunningHub, free_port, running

HOST = "127.0.0.1"


def adt(control_id: str, patient: str, mode: str = "") -> bytes:
    return (
        f"MSH|^~\\&|HIS|CENTRAL|HUB|CLINIC|20260301080000||ADT^A04^ADT_A01|{control_id}|P|2.5|||"
        f"{mode or '|'}|CHN|UNICODE UTF-8\rEVN|A04|20260301080000\r"
        f"PID|1||{patient}^^^HIS^PI||张^三||19900307|F\r"
        f"PV1|1|O|OPD||||||||||||||||V{patient}^^^HIS\r"
    ).encode()


def patients(hub: RunningHub) -> int:
    total: int = hub.client.get("/Patient?_summary=count").json()["total"]
    return total


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_patient_of_the_hospital_is_found_by_the_api(tmp_path: Path, workers: str) -> None:
    port = free_port()
    with running(tmp_path, "--mllp", str(port), "--workers", workers) as hub:
        assert f"mllp://{HOST}:{port}" in hub.banner
        with MLLPClient(HOST, port) as client:
            assert b"\rMSA|AA|1\r" in client.send_message(adt("1", "P1"))
            assert b"\rMSA|AA|1\r" in client.send_message(adt("1", "P1"))
        (entry,) = hub.client.get("/Patient?family=张&given=三").json()["entry"]
        patient = entry["resource"]
        assert patient["birthDate"] == "1990-03-07"
        ready = httpx.get(hub.url + "/health/ready", headers=hub.headers).json()
        assert ready["checks"]["mllp"] == "ok"
        time.sleep(2.5 if workers == "2" else 0)  # As often as workers share their numbers.
        metrics = httpx.get(hub.url + "/metrics", headers=hub.headers).text
        state = 'hub_hl7v2_messages{direction="in",site="default",state='
        for name, count in (("received", 2), ("stored", 1), ("repeat", 1)):
            assert f'{state}"{name}"}} {count}\n' in metrics
        assert re.search(r'hub_mllp_frames_total\{worker="\d+"\} 2\n', metrics)
        audited = hub.audited("", lambda one: "hl7v2" in str(one))
        assert "hl7v2:default" in str(audited)
        hub.stop()
        log = hub.log.read_text()
    assert "张" not in log
    assert "P1" not in log
    assert "traceback" not in log
    assert "message 1 ADT^A04 of default: stored in " in log


def test_stopping_answers_what_is_in_flight(tmp_path: Path) -> None:
    port = free_port()
    answers: list[bytes] = []
    with running(tmp_path, "--mllp", str(port)) as hub:

        def send(number: int) -> None:
            with MLLPClient(HOST, port) as client:
                client.socket.settimeout(20)
                for turn in range(200):
                    try:
                        answers.append(client.send_message(adt(f"{number}-{turn}", f"P{number}")))
                    except OSError:
                        return
                    if not answers[-1]:
                        answers.pop()
                        return

        senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for sender in senders:
            sender.start()
        while len(answers) < 20:
            time.sleep(0.01)
        hub.stop()
        for sender in senders:
            sender.join(20)
    assert all(b"\rMSA|AA|" in one for one in answers)
    with running(tmp_path, "--mllp", str(port)) as hub:
        metrics = httpx.get(hub.url + "/metrics", headers=hub.headers).text
        found = re.search(r'site="default",state="stored"\} (\d+)', metrics)
        assert found
        assert int(found[1]) == len(answers)
        assert 'state="waiting"' not in metrics or 'state="waiting"} 0' in metrics


def test_messages_that_were_promised_are_worked_on_after_a_crash(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "--mllp", str(port)) as hub:
        with MLLPClient(HOST, port) as client:
            for number in range(30):
                assert b"\rMSA|CA|" in client.send_message(adt(str(number), f"P{number}", "AL|NE"))
        hub.process.kill()
        hub.process.wait()
    with running(tmp_path, "--mllp", str(port)) as hub:
        deadline = time.monotonic() + 10
        while patients(hub) < 30 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert patients(hub) == 30
        with MLLPClient(HOST, port) as client:
            assert b"\rMSA|CA|" in client.send_message(adt("3", "P3", "AL|NE"))
        assert patients(hub) == 30


def refused(tmp_path: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--port", "0", "--data", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_port_that_is_taken_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Cannot listen on {HOST} port {port}" in refused(tmp_path, "--mllp", str(port))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_site_file_that_cannot_be_used_is_told_in_a_line(tmp_path: Path, workers: str) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "north.toml").write_text('sendr = ["A|B"]')
    told = refused(tmp_path, "--mllp", str(free_port()), "--workers", workers)
    assert "north.toml: sendr is no key of a site; sender?" in told
