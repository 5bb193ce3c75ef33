"""The server as a process: start, stop, several workers, refusals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.rest.running import RunningHub, running

PATIENT = {"resourceType": "Patient", "active": True}


def _serve(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    variables = {f"HUB_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--data", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | variables,
        check=False,
    )


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    ended = _serve("--auth", "off", "--host", "0.0.0.0", "--port", "0", folder=tmp_path)
    assert ended.returncode == 2
    assert "HUB_AUTH=off" in ended.stderr


def test_a_port_in_use_is_told(tmp_path: Path, hub: RunningHub) -> None:
    ended = _serve("--port", str(hub.address[1]), folder=tmp_path)
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr


def test_a_store_in_use_is_told(tmp_path: Path) -> None:
    with running(tmp_path):
        ended = _serve("--port", "0", folder=tmp_path / "data")
    assert ended.returncode != 0
    assert "in use" in ended.stderr


def test_a_stopped_hub_has_stored_what_it_answered(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        url = hub.client.post("/Patient", json=PATIENT).headers["location"]
        path = url.partition("/fhir")[2]
        hub.stop()
    with running(tmp_path) as hub:
        assert hub.client.get(path).json()["active"] is True


def test_a_stopping_hub_finishes_writes_in_flight(tmp_path: Path) -> None:
    made: list[str] = []
    failed: list[int] = []

    def write(client: httpx.Client) -> None:
        try:
            while True:
                response = client.post("/Patient", json=PATIENT)
                if response.status_code == 201:
                    made.append(response.json()["id"])
                else:
                    failed.append(response.status_code)
        except httpx.TransportError:
            return

    with running(tmp_path) as hub:
        writers = [threading.Thread(target=write, args=(hub.client,)) for _ in range(8)]
        for writer in writers:
            writer.start()
        time.sleep(0.5)
        hub.stop()
        for writer in writers:
            writer.join()
    assert len(made) > 20
    assert not failed
    with running(tmp_path) as hub:
        for id in made:
            assert hub.client.get(f"/Patient/{id}").status_code == 200


def test_a_second_start_is_ready_soon(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with running(tmp_path) as hub:
        ticks = Path(f"/proc/{hub.process.pid}/stat").read_text().rpartition(")")[2].split()
        assert httpx.get(f"{hub.url}/health/ready").status_code == 200
    spent = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    assert spent < 1.5, "processor time until ready; bench/ measures the clock's"


_IN_PROCESS = """
import asyncio, sys
from hub.app import Hub
from hub.settings import Settings

async def main():
    hub = Hub(Settings(store="memory", auth="off"))
    events = asyncio.Queue()
    done = asyncio.Queue()
    lifespan = asyncio.create_task(hub({"type": "lifespan"}, events.get, done.put))
    await events.put({"type": "lifespan.startup"})
    assert (await done.get())["type"] == "lifespan.startup.complete"

    async def get(path):
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}
        async def send(message):
            if message["type"] == "http.response.start":
                print(path, message["status"], "fastapi" in sys.modules)
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
                 "query_string": b"", "headers": [(b"host", b"localhost")], "root_path": "",
                 "http_version": "1.1", "scheme": "http", "client": None, "server": None}
        await hub(scope, receive, send)

    for path in ("/fhir/Patient", "/fhir/metadata", "/health/ready", "/metrics", "/docs"):
        await get(path)
    await events.put({"type": "lifespan.shutdown"})
    await lifespan

asyncio.run(main())
"""


def test_the_framework_is_imported_for_pages_only() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines() == [
        "/fhir/Patient 200 False",
        "/fhir/metadata 200 False",
        "/health/ready 200 False",
        "/metrics 200 False",
        "/docs 200 True",
    ]


def test_no_media_engine_and_no_resource_classes_are_loaded(tmp_path: Path) -> None:
    script = (
        "import sys, hub.worker, hub.supervisor, hub.rest.dispatcher, hub.rest.pages, "
        "hub.operations; "
        "print([m for m in ('av', 'aiortc', 'mongomotor', 'fhir.resources', 'fastapi', 'adapters', "
        "'yaml', 'hl7apy') "
        "if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


# --- several workers ------------------------------------------------------------------------


def test_workers_share_the_port_and_the_writer(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        processes: set[str] = set()
        for number in range(40):
            with hub.another_client() as client:
                made = client.post("/Patient", json=PATIENT)
                assert made.status_code == 201, made.text
                processes.add(made.headers["x-request-id"][:12])
                got = client.get(f"/Patient/{made.json()['id']}")
                assert got.status_code == 200
                if len(processes) == 2 and number > 5:
                    break
        assert len(processes) == 2
        assert httpx.get(f"{hub.url}/health/ready").status_code == 200
        hub.stop()


def test_metrics_of_workers_are_added_up(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        for _ in range(30):
            with hub.another_client() as client:
                client.get("/Patient/absent")
        time.sleep(2.5)
        text = httpx.get(f"{hub.url}/metrics").text
        assert 'hub_requests_total{interaction="read",status="404"} 30' in text
        hub.stop()


@pytest.mark.parametrize("victim", [0, 1], ids=["the writer", "a worker"])
def test_what_dies_is_started_again(tmp_path: Path, victim: int) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        before = hub.client.post("/Patient", json=PATIENT).json()["id"]
        children = _children(hub.process.pid)
        assert len(children) == 3
        os.kill(children[victim], signal.SIGKILL)
        deadline = time.monotonic() + 10
        stored = False
        while not stored and time.monotonic() < deadline:
            try:
                with hub.another_client(timeout=10) as client:
                    stored = client.post("/Patient", json=PATIENT).status_code == 201
                    assert client.get(f"/Patient/{before}").status_code == 200
            except httpx.TransportError:
                time.sleep(0.1)
        assert stored
        assert len(_children(hub.process.pid)) == 3
        hub.stop()


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as hub:
        children = _children(hub.process.pid)
        hub.process.kill()
        hub.process.wait()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if not any(Path(f"/proc/{pid}").exists() for pid in children):
                break
            time.sleep(0.1)
        assert not any(Path(f"/proc/{pid}").exists() for pid in children)
