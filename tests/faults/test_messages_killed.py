"""A hub is killed again and again while hospital systems send: each message is stored once.

The real process, over sockets, by `kill -9` and sometimes a signal to stop. `TEST_KILLED_MESSAGES`
says how many messages: 2,000 by hand, 200 in the suite.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.faults.hospital_senders import (
    EACH,
    END,
    HOST,
    Hospital,
    Line,
    Sender,
    read_answer,
    story,
)
from tests.faults.test_workers import children, until
from tests.rest.running import RunningHub, free_port, running

pytestmark = pytest.mark.fault

MESSAGES = int(os.environ.get("TEST_KILLED_MESSAGES", "200"))
A_KILL_EACH = 20
FIRST, CONTROL = 10_000, 99_999
"""A patient whose messages come before any kill: what the others have to look like."""
COUNTED = {"Patient": 1, "Encounter": 1, "DiagnosticReport": 1, "Observation": 2}
LOOKED_AT = ("Patient", "Encounter", "DiagnosticReport", "Observation")


def told(folder: Path, *arguments: str) -> str:
    """What a command prints; it must end well."""
    ended = subprocess.run(
        [sys.executable, "-m", "hub", *arguments, "--data", str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def hospital(port: int, messages: int, senders: int = 5) -> Hospital:
    """Systems that send so many messages; the last one asks for CA only."""
    patients = range(FIRST, FIRST + messages // EACH)
    made = [Sender(port, patients[first::senders]) for first in range(senders)]
    made[-1].mode = "AL|NE"
    return Hospital(made)


def everything(hub: RunningHub, type: str) -> list[dict[str, Any]]:
    """All resources of a type."""
    found: list[dict[str, Any]] = []
    path = f"/{type}?_count=500"
    while path:
        page = hub.client.get(path).json()
        found += [entry["resource"] for entry in page.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links.get("next", "")
    return found


def likeness(resource: dict[str, Any], number: str) -> str:
    """A resource without what tells its patient from others."""
    text = json.dumps(resource | {"id": "", "meta": {"versionId": resource["meta"]["versionId"]}})
    return re.sub(r"/[0-9a-zA-Z-]{16,}", "/ID", text).replace(number, "N")


def total(hub: RunningHub, type: str) -> int:
    """How many resources of a type there are."""
    found: int = hub.client.get(f"/{type}?_summary=count").json()["total"]
    return found


def tell_of_control(hub: RunningHub, port: int) -> int:
    """The undisturbed patient's messages; gives the number of Provenances that they make."""
    line = Line(port)
    for control_id, raw in story(CONTROL):
        assert read_answer(line.exchange(raw)) == ("AA", control_id)
    line.close()
    return total(hub, "Provenance")


def assert_each_stored_once(hub: RunningHub, patients: int) -> None:
    """Everything is there once, at the version and with the content of the undisturbed patient."""
    for type, each in COUNTED.items():
        assert total(hub, type) == each * (patients + 1), type
    numbers = {
        f"Patient/{one['id']}": one["identifier"][0]["value"].lstrip("K")
        for one in everything(hub, "Patient")
    }
    assert len(set(numbers.values())) == patients + 1
    for type in LOOKED_AT:
        shapes: dict[str, list[str]] = {}
        for one in everything(hub, type):
            about = one.get("subject", {}).get("reference", f"Patient/{one['id']}")
            number = numbers[about]
            shapes.setdefault(number, []).append(likeness(one, number))
        control = sorted(shapes[str(CONTROL)])
        for number, found in shapes.items():
            assert sorted(found) == control, (type, number)


def assert_answered_once(came: Hospital) -> None:
    """Each message has a good answer; who was answered twice was told the same."""
    for control_id, answers in came.every_answer():
        codes = {read_answer(answer) for answer in answers}
        assert codes in ({("AA", control_id)}, {("CA", control_id)})


def counts_of(folder: Path, stored: int) -> dict[str, int]:
    """The numbers of the log, which must add up."""
    text = told(folder, "v2", "counts")
    found = {name: int(count) for name, count in re.findall(r"([a-z]+) (\d+)", text)}
    assert found["stored"] == stored
    assert found["quarantined"] == found["waiting"] == 0
    assert found["received"] == found["stored"] + found["repeat"]
    return found


def wait_for(came: Hospital, answered: int) -> None:
    """Until so many messages are answered."""
    while came.answered() < answered and not came.done:
        time.sleep(0.002)


def end(hub: RunningHub, random: Random) -> None:
    """Mostly kill -9, now and then a signal to stop."""
    if random.random() < 0.8:
        hub.process.kill()
        hub.process.wait()
    else:
        hub.stop()


def test_killed_while_a_hospital_sends(tmp_path: Path) -> None:
    random, port = Random(9), free_port()
    came, lives = hospital(port, MESSAGES), 0
    with running(tmp_path, "--mllp", str(port)) as hub:
        provenances = tell_of_control(hub, port)
    came.start()
    try:
        while not came.done:
            with running(tmp_path, "--mllp", str(port)) as hub:
                lives += 1
                # Some lives end before anything is answered, in the middle of taking up work.
                wanted = came.answered() + random.choice((0, A_KILL_EACH, 2 * A_KILL_EACH))
                wait_for(came, wanted)
                time.sleep(random.uniform(0, 0.02))
                if not came.done:
                    end(hub, random)
        with running(tmp_path, "--mllp", str(port)) as hub:
            assert_nothing_waits(hub)
            assert_each_stored_once(hub, MESSAGES // EACH)
            assert total(hub, "Provenance") == provenances * (MESSAGES // EACH + 1)
            assert "traceback" not in hub.log.read_text()
            hub.stop()
    finally:
        came.stop()
    assert_answered_once(came)
    assert came.answered() == MESSAGES
    found = counts_of(tmp_path, MESSAGES + EACH)
    told(tmp_path, "check")
    told(tmp_path, "audit", "verify")
    print(f"{MESSAGES} messages, {lives} lives, sent again {came.sent_again()}, {found}")


def assert_nothing_waits(hub: RunningHub) -> None:
    """What was promised is worked on within seconds."""

    def settled() -> bool:
        text = httpx.get(f"{hub.url}/metrics", headers=hub.headers, timeout=10).text
        return 'state="waiting"' not in text or 'state="waiting"} 0' in text

    assert until(settled)


def writer(hub: RunningHub) -> int:
    """Process id of the writer: the child that does not listen for HTTP."""
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    http = {
        f"socket:[{fields[9]}]"
        for fields in table
        if fields[3] == "0A" and int(fields[1].partition(":")[2], 16) == hub.address[1]
    }

    def serves(pid: int) -> bool:
        return any(os.readlink(one) in http for one in Path(f"/proc/{pid}/fd").iterdir())

    (found,) = [pid for pid in children(hub) if not serves(pid)]
    return found


def test_the_writer_of_several_workers_is_killed_while_a_hospital_sends(tmp_path: Path) -> None:
    random, port = Random(10), free_port()
    came = hospital(port, 100)
    with running(tmp_path, "--mllp", str(port), "--workers", "2") as hub:
        provenances = tell_of_control(hub, port)
        came.start()
        for _ in range(4):
            wait_for(came, came.answered() + 15)
            time.sleep(random.uniform(0, 0.02))
            killed = writer(hub)
            os.kill(killed, signal.SIGKILL)
        assert until(lambda: came.done, 60)
        assert until(lambda: hub.client.get("/Patient?_summary=count").status_code == 200)
        assert_nothing_waits(hub)
        assert_each_stored_once(hub, 20)
        assert total(hub, "Provenance") == provenances * 21
        assert "traceback" not in hub.log.read_text()
        hub.stop()
    assert_answered_once(came)
    assert came.answered() == 100
    counts_of(tmp_path, 105)
    told(tmp_path, "check")
    told(tmp_path, "audit", "verify")


def test_a_sender_is_killed_in_the_middle(tmp_path: Path) -> None:
    """What of a message came in half is nothing; the next life of the sender begins again."""
    random, port = Random(11), free_port()
    messages = [raw for number in range(FIRST, FIRST + 12) for _, raw in story(number)]
    file = tmp_path / "messages.hl7"
    file.write_bytes(b"".join(b"\x0b" + raw + END for raw in messages))
    program = (
        "import socket, sys, time\n"
        f"line = socket.create_connection(('{HOST}', {port}))\n"
        f"data = open({str(file)!r}, 'rb').read()\n"
        "for start in range(0, len(data), 301):\n"
        "    line.sendall(data[start:start + 301]); time.sleep(0.002)\n"
    )
    with running(tmp_path, "--mllp", str(port)) as hub:
        for _ in range(3):
            sender = subprocess.Popen([sys.executable, "-c", program])
            time.sleep(random.uniform(0.1, 0.25))
            sender.kill()
            sender.wait()
        came = hospital(port, 60)
        for one in came.senders:
            one.mode = "|"
        tell_of_control(hub, port)
        came.start()
        assert until(lambda: came.done, 60)
        assert_each_stored_once(hub, 12)
        hub.stop()
    assert_answered_once(came)
    counts_of(tmp_path, 65)
