"""A hub under measurement: starts it, waits until it is ready, reads /proc of its processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub.

    Attributes:
        pid: Its first process.
        port: TCP port on 127.0.0.1.
        ready_seconds: From exec until /health/ready said yes.
        data: Folder of the store.
        rss_start: Resident memory once it was ready.
        token: Of an administrator; "" while authentication is off.
    """

    pid: int
    port: int
    ready_seconds: float
    data: Path
    rss_start: int = 0
    token: str = ""

    def tree(self) -> list[int]:
        """Process ids of the hub and all its descendants."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue.extend(children.get(pid, ()))
        return found

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree, by the scheduler's nanosecond clock."""
        total = 0.0
        for pid in self.tree():
            for task in Path(f"/proc/{pid}/task").iterdir():
                try:
                    total += int((task / "schedstat").read_text().split()[0]) / 1e9
                except OSError:
                    continue
        return total

    def rss_bytes(self) -> int:
        """Resident memory of the whole tree."""
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in self.tree()
        )

    def disk_bytes(self) -> int:
        """Bytes of everything in the data folder."""
        return sum(file.stat().st_blocks * 512 for file in self.data.rglob("*") if file.is_file())


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    data: Path, log: Path, *, workers: int = 1, auth: bool = True, options: Sequence[str] = ()
) -> Iterator[Hub]:
    """Run `fhir-hub serve` on a data folder until the block ends.

    Args:
        data: Folder of the store.
        log: Takes what the hub writes to standard error.
        workers: Processes that answer requests.
        auth: With authentication, and reads in the audit; without both.
        options: More options of `serve`.

    Raises:
        RuntimeError: It was not ready within a minute.
    """
    port = free_port()
    command = [sys.executable, "-m", "hub", "serve", "--port", str(port), "--data", str(data)]
    mode = {"HUB_AUTH": "on"} if auth else {"HUB_AUTH": "off", "HUB_AUDIT_READS": "off"}
    started = time.perf_counter()
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [*command, "--workers", str(workers), *options],
            stdout=stream,
            stderr=stream,
            env=os.environ | {"HUB_ACCESS_LOG": "true"} | mode,
        )
        try:
            _wait_ready(process, port)
            ready = time.perf_counter() - started
            hub = Hub(process.pid, port, ready, data)
            yield replace(hub, rss_start=hub.rss_bytes(), token=_token(data) if auth else "")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _token(data: Path) -> str:
    """A token of the administrator `bench`, made beside the running hub if need be."""
    hub = [sys.executable, "-m", "hub"]
    add = [*hub, "account", "add", "bench", "--role", "admin", "--data", str(data)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(add, input=b"benchmark of the hub\n", check=False, **quiet)  # or it is there
    token = [*hub, "token", "bench", "--data", str(data)]
    return subprocess.run(token, check=True, capture_output=True, text=True).stdout.strip()


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the hub ended with code {process.returncode}; see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as got:
                json.load(got)
                return
        except (OSError, ValueError):
            time.sleep(0.01)
    raise RuntimeError("the hub was not ready within a minute")
