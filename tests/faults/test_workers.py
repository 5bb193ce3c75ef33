"""Several workers, as processes: each sees what another wrote, and any of them may die.

The load is transactions of a patient and a reading, told from others by their number.
`TEST_WORKER_KILLS=50` does by hand what CI does 4 times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import apsw
import httpx
import pytest

from tests.rest.running import RunningHub, running

pytestmark = pytest.mark.fault

SYSTEM = "urn:load"
WRITES = int(os.environ.get("TEST_WORKER_WRITES", "2000"))
STRICT = {"Prefer": "handling=strict"}
KILLS = int(os.environ.get("TEST_WORKER_KILLS", "4"))


def children(hub: RunningHub) -> list[int]:
    """Process ids of the writer and the workers."""
    pid = hub.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listens(pid: int) -> bool:
    """Whether a process listens for HTTP."""
    try:
        sockets = {os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # it has just ended, or closed a file
        return False
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            listening.add(f"socket:[{fields[9]}]")
    return bool(sockets & listening)


def workers(hub: RunningHub) -> list[int]:
    """Process ids of the workers that are ready."""
    return [pid for pid in children(hub) if listens(pid)]


def writer(hub: RunningHub) -> int:
    """Process id of the writer."""
    (found,) = [pid for pid in children(hub) if not listens(pid)]
    return found


def alive(pid: int) -> bool:
    """Whether a process runs, and is not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def one_client_each(hub: RunningHub, workers: int) -> Iterator[list[httpx.Client]]:
    """A connection to each worker, as request ids tell."""
    found: dict[str, httpx.Client] = {}
    spare: list[httpx.Client] = []
    try:
        for _ in range(200):
            client = hub.another_client()
            spare.append(client)
            worker = client.get("/Patient/absent").headers["x-request-id"][:12]
            found.setdefault(worker, client)
            if len(found) == workers:
                break
        assert len(found) == workers
        yield list(found.values())
    finally:
        for client in spare:
            client.close()


def check(folder: Path) -> None:
    """`fhir-hub check` finds nothing."""
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "check", "--data", str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


# --- each sees what another wrote -------------------------------------------------------------


def test_what_one_worker_wrote_the_others_read_and_find_at_once(tmp_path: Path) -> None:
    random = Random(7)
    names: dict[str, str] = {}
    fresh = (f"n{number}x" for number in count())
    with running(tmp_path, "--workers", "3") as hub, one_client_each(hub, 3) as clients:

        def finds(reader: httpx.Client, search: str) -> list[str]:
            found = reader.get(f"/Patient?{search}", headers=STRICT).json()
            return [entry["resource"]["id"] for entry in found.get("entry", ())]

        for _ in range(WRITES):
            writer, *readers = random.sample(clients, 3)
            reader = random.choice(readers)
            kind = random.choice("cccuuuud") if names else "c"
            id = random.choice(list(names)) if kind != "c" else ""
            old, name = names.get(id), next(fresh)
            body: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": name}]}
            if kind == "d":
                assert writer.delete(f"/Patient/{id}").status_code in (200, 204)
                del names[id]
                assert reader.get(f"/Patient/{id}").status_code == 410
                assert finds(reader, f"family={old}") == []
                continue
            if kind == "c":
                made = writer.post("/Patient", json=body)
                assert made.status_code == 201
                id = made.json()["id"]
            else:
                made = writer.put(f"/Patient/{id}", json=body | {"id": id})
                assert made.status_code == 200
                assert finds(reader, f"family={old}") == []
            names[id] = name
            assert reader.get(f"/Patient/{id}").json() == made.json()
            assert finds(reader, f"family={name}") == [id]
        total = clients[0].get("/Patient?_summary=count").json()["total"]
        assert total == len(names)
        hub.stop()
    check(tmp_path)


def test_a_search_parameter_of_one_worker_is_known_to_the_others_at_once(tmp_path: Path) -> None:
    parameter = {
        "resourceType": "SearchParameter",
        "url": "https://hub.example/SearchParameter/eye",
        "name": "eye",
        "status": "active",
        "description": "Colour of the eyes",
        "code": "eye",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.extension.where(url='urn:eye').value",
    }

    def patient(colour: str) -> dict[str, Any]:
        extension = [{"url": "urn:eye", "valueCode": colour}]
        return {"resourceType": "Patient", "extension": extension}

    with running(tmp_path, "--workers", "2") as hub, one_client_each(hub, 2) as (here, there):
        for _ in range(120):
            assert here.post("/Patient", json=patient("brown")).status_code == 201
        assert there.get("/Patient?eye=blue", headers=STRICT).status_code == 400
        made = here.post("/SearchParameter", json=parameter)
        assert made.status_code == 201
        assert there.get("/Patient?eye=blue", headers=STRICT).status_code in (200, 503)
        blue = there.post("/Patient", json=patient("blue")).json()["id"]
        assert until(lambda: here.get("/Patient?eye=blue", headers=STRICT).status_code == 200)
        found = here.get("/Patient?eye=blue", headers=STRICT).json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [blue]

        brown = there.get("/Patient?eye=brown&_summary=count", headers=STRICT).json()
        assert brown["total"] == 120
        path = f"/SearchParameter/{made.json()['id']}"
        assert there.delete(path).status_code in (200, 204)
        assert here.get("/Patient?eye=blue", headers=STRICT).status_code == 400
        hub.stop()
    check(tmp_path)


# --- any of them may die ----------------------------------------------------------------------


@dataclass
class Load:
    """Transactions sent by a few threads, and how they ended.

    Attributes:
        stored: Numbers acknowledged.
        refused: Numbers answered with 503.
        lost: Numbers whose connection broke.
        wrong: Any other answer.
    """

    url: httpx.URL
    headers: dict[str, str]
    stored: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    ended: bool = False
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def running(self, threads: int = 8) -> Iterator[Load]:
        """Send until the block ends."""
        senders = [threading.Thread(target=self._send) for _ in range(threads)]
        for sender in senders:
            sender.start()
        try:
            yield self
        finally:
            self.ended = True
            for sender in senders:
                sender.join()

    def _send(self) -> None:
        while not self.ended:
            with httpx.Client(timeout=60, headers=self.headers) as client:
                while not self.ended:
                    number = next(self.numbers)
                    try:
                        answer = client.post(self.url, json=transaction(number))
                    except httpx.TransportError:
                        self.lost.add(number)
                        time.sleep(0.02)
                        break
                    if answer.status_code == 200:
                        self.stored.add(number)
                    elif answer.status_code == 503 and "retry-after" in answer.headers:
                        self.refused.add(number)
                    else:
                        self.wrong.append(f"{answer.status_code} {answer.text}")

    def grew(self, by: int) -> bool:
        """Wait until so many more are acknowledged."""
        wanted = len(self.stored) + by
        return until(lambda: len(self.stored) >= wanted, 40)

    def assert_whole(self, client: httpx.Client) -> None:
        """All that was acknowledged is there once, nothing is torn, nothing is there twice."""
        assert self.wrong == []
        patients = numbers(client, "/Patient?_count=1000")
        readings = numbers(client, "/Observation?_count=1000")
        assert patients == readings, "a transaction is torn"
        assert set(patients.values()) <= {1}, "a transaction was applied twice"
        assert self.stored <= patients.keys(), "an acknowledged transaction is not there"
        assert patients.keys() <= self.stored | self.lost | self.refused


def transaction(number: int) -> dict[str, Any]:
    """The transaction with this number; its reading refers to its patient."""
    identifier = [{"system": SYSTEM, "value": str(number)}]
    link = "urn:uuid:00000000-0000-4000-8000-000000000001"
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "identifier": identifier},
        {
            "resourceType": "Observation",
            "identifier": identifier,
            "status": "final",
            "code": {"text": "x" * (number % 700)} if number % 700 else {"text": "x"},
            "subject": {"reference": link},
        },
    ]
    entries: list[dict[str, Any]] = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for one in resources
    ]
    entries[0]["fullUrl"] = link
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def numbers(client: httpx.Client, url: str) -> Counter[int]:
    """How often each number is there."""
    found: Counter[int] = Counter()
    while url:
        page = client.get(url).json()
        for entry in page.get("entry", ()):
            found[int(entry["resource"]["identifier"][0]["value"])] += 1
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "")
    return found


def test_a_worker_killed_under_load_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        load = Load(hub.client.base_url, hub.headers)
        with load.running():
            for number in range(KILLS):
                assert load.grew(60)
                os.kill(workers(hub)[number % 2], signal.SIGKILL)
                assert load.grew(60)
                assert until(lambda: len(workers(hub)) == 2)
        assert until(lambda: httpx.get(f"{hub.url}/health/ready").status_code == 200)
        assert len(load.lost) <= KILLS * 8
        load.assert_whole(hub.client)
        assert all("ended with code -9" in one["message"] for one in said(hub))
        hub.stop()
    check(tmp_path)


def said(hub: RunningHub) -> list[dict[str, Any]]:
    """The supervisor's lines of the log."""
    return [line for line in hub.lines() if line["logger"] == "hub.supervisor"]


def test_commits_under_way_wait_for_a_writer_that_was_killed(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        load = Load(hub.client.base_url, hub.headers)
        with load.running():
            for _ in range(KILLS):
                assert load.grew(60)
                os.kill(writer(hub), signal.SIGKILL)
                assert load.grew(60)
        assert not load.lost
        load.assert_whole(hub.client)
        assert len(said(hub)) == KILLS
        hub.stop()
    check(tmp_path)


def test_without_a_writer_a_write_is_refused_in_time(tmp_path: Path) -> None:
    """A writer that is there but does not answer: reads go on, a write says try again."""
    with running(tmp_path, "--workers", "2", hang_limit="0") as hub:
        id = hub.client.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
        stopped = writer(hub)
        os.kill(stopped, signal.SIGSTOP)
        try:
            ready = httpx.get(f"{hub.url}/health/ready", timeout=10)
            assert ready.status_code == 503
            assert ready.json()["checks"]["writer"] == "no answer in time"
            assert hub.client.get(f"/Patient/{id}").status_code == 200
            with hub.another_client(timeout=60) as client:
                answer = client.post("/Patient", json={"resourceType": "Patient"})
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
            assert "is not known" in answer.json()["issue"][0]["details"]["text"]
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert until(lambda: httpx.get(f"{hub.url}/health/ready").status_code == 200)
        hub.stop()


@pytest.mark.parametrize("kind", ["a worker", "the writer"])
def test_what_hangs_is_started_again(tmp_path: Path, kind: str) -> None:
    with running(tmp_path, "--workers", "2", hang_limit="3") as hub:
        load = Load(hub.client.base_url, hub.headers)
        with load.running():
            assert load.grew(60)
            victim = writer(hub) if kind == "the writer" else workers(hub)[0]
            os.kill(victim, signal.SIGSTOP)
            assert until(lambda: not alive(victim))
            assert load.grew(60)
        load.assert_whole(hub.client)
        assert "has not moved" in said(hub)[0]["message"]
        hub.stop()
    check(tmp_path)


def test_a_writer_that_cannot_start_any_more_ends_the_hub(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        database = apsw.Connection(str(tmp_path / "data" / "hub.sqlite3"))
        database.pragma("user_version", 1_000_000)
        database.close()
        os.kill(writer(hub), signal.SIGKILL)
        assert hub.process.wait(20) == 2
    assert "before it was ready" in hub.log.read_text()


def test_without_their_supervisor_all_end_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        load = Load(hub.client.base_url, hub.headers)
        with load.running():
            assert load.grew(60)
            orphans = children(hub)
            hub.process.kill()
            hub.process.wait()
            assert until(lambda: not any(alive(pid) for pid in orphans), 10)
    assert not load.refused
    with running(tmp_path) as hub:
        load.assert_whole(hub.client)
        hub.stop()
    check(tmp_path)


def test_a_signal_to_all_processes_at_once_loses_no_write(tmp_path: Path) -> None:
    """As Ctrl-C in a terminal and systemd do it: the writer stays until the workers are gone."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / stop.name
        folder.mkdir()
        with running(folder, "--workers", "2") as hub:
            load = Load(hub.client.base_url, hub.headers)
            with load.running():
                assert load.grew(60)
                for pid in [*children(hub), hub.process.pid]:
                    os.kill(pid, stop)
                assert hub.process.wait(20) == 0
        assert not load.refused
        with running(folder) as hub:
            load.assert_whole(hub.client)
            hub.stop()


@pytest.mark.parametrize("number", ["0", "-1", "1000", "many"])
def test_an_impossible_number_of_workers_is_told(tmp_path: Path, number: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--data", str(tmp_path), f"--workers={number}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "workers" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr


def test_metrics_hold_every_process_and_the_commits_that_wait(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        pids = children(hub)

        def shown() -> bool:
            text = httpx.get(f"{hub.url}/metrics").text
            return all(
                f'hub_store_queued_commits{{worker="{pid}"}} 0' in text
                and f'process_resident_memory_bytes{{worker="{pid}"}}' in text
                for pid in pids
            )

        assert len(pids) == 3
        assert until(shown)
        hub.stop()
