"""Clients that ask for much and take nothing: they are left, and memory stays bounded."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from tests.rest.running import RunningHub, running

pytestmark = pytest.mark.fault

MIB = 1024 * 1024


def resident(hub: RunningHub) -> int:
    status = Path(f"/proc/{hub.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) * 1024


def put_large(hub: RunningHub) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{"x" * (8 * MIB)}</div>'
    large = {
        "resourceType": "Basic",
        "id": "large",
        "code": {"text": "x"},
        "text": {"status": "generated", "div": div},
    }
    assert hub.client.put("/Basic/large", json=large).status_code == 201


def slow_reader(hub: RunningHub) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(hub.address)
    host = f"{hub.address[0]}:{hub.address[1]}"
    start = f"GET /fhir/Basic/large HTTP/1.1\r\nhost: {host}\r\n"
    made.sendall(f"{start}{hub.header_lines}\r\n".encode())
    return made


def is_left(client: socket.socket) -> bool:
    try:
        while client.recv(MIB):
            pass
    except ConnectionResetError:
        return True
    return True


def test_who_takes_nothing_is_left(tmp_path: Path) -> None:
    with running(tmp_path, store="memory", body_timeout="1") as hub:
        put_large(hub)
        clients = [slow_reader(hub) for _ in range(3)]
        time.sleep(4)
        for client in clients:
            client.settimeout(5)
            assert is_left(client)
            client.close()
        assert hub.client.get("/Basic/large").status_code == 200


def test_answers_that_nobody_takes_do_not_fill_memory(tmp_path: Path) -> None:
    with running(
        tmp_path, store="memory", body_limit="16MB", body_budget="32MB", body_timeout="60"
    ) as hub:
        put_large(hub)
        before = resident(hub)
        clients = []
        for _ in range(4):
            clients += [slow_reader(hub) for _ in range(10)]
            time.sleep(1.5)
        assert resident(hub) - before < 200 * MIB, "40 answers of 8 MB would be 320"
        assert hub.client.get("/Basic/large").status_code == 200
        for client in clients:
            client.close()
