"""The pages to try by hand: each command is typed as it stands, and says what it says.

Blocks `sh` are commands, in one shell; those that run until Ctrl-C get a terminal of their own.
A block `text` is what the commands before it print, `...` standing for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.browser.app.using import app_or_skip
from tests.docs.pages import DOCS, ROOT, matches

pytestmark = [pytest.mark.system("curl"), pytest.mark.slow]

_FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SERVE, _APP = "fhir-hub serve --demo", "tests.browser.app"
_MARK = "=== end of block ==="


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def steps(page: str, folder: Path, here: Mapping[str, str]) -> list[tuple[str, str]]:
    """(commands, expected) of each block; what belongs to this machine is put in."""
    text = (DOCS / page).read_text(encoding="utf-8")
    places = {"/tmp/day": str(folder / "day"), ".venv/bin/": f"{Path(sys.executable).parent}/"}
    for written, put in (here | places).items():
        assert written in text
        text = text.replace(written, put)
    found: list[tuple[str, str]] = []
    for kind, block in _FENCE.findall(text):
        if kind == "sh":
            found.append((block, ""))
        else:
            found[-1] = found[-1][0], block
    return found


@contextmanager
def terminal(command: str, log: Path, port: int, **variables: str) -> Iterator[None]:
    """A command in a terminal of its own, once it listens; Ctrl-C at the end."""
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=ROOT,
            env=os.environ | {"HUB_PORT": str(port)} | variables,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                httpx.get(f"http://localhost:{port}/", timeout=2)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def type_in(typed: list[tuple[str, str]], **variables: str) -> None:
    """Type commands, and compare what they print."""
    assert not any(word in commands for commands, _ in typed for word in (_SERVE, _APP))
    script = f"\necho '{_MARK}'\n".join(commands for commands, _ in typed)
    shell = subprocess.Popen(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=240)
    finally:
        with suppress(ProcessLookupError):  # What it has started ends with it.
            os.killpg(shell.pid, signal.SIGKILL)
            pytest.fail("a command of the page left a process behind")
    printed = said.split(_MARK)
    assert len(printed) == len(typed), said
    for (commands, expected), output in zip(typed, printed, strict=True):
        if expected:
            assert matches(expected, output), f"{commands}\n{output}"


@pytest.mark.system("npm")
def test_every_command_of_a_day_at_the_centre_does_what_the_page_says(tmp_path: Path) -> None:
    with app_or_skip():
        pass  # its library is there
    port, app_port, mllp = free_port(), free_port(), str(free_port())
    here = {
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "localhost:3000": f"localhost:{app_port}",
        "tests.browser.app growth-chart": f"tests.browser.app growth-chart {app_port}",
    }
    (serve, _), *rest = steps("day-at-the-centre.md", tmp_path, here)
    (app, _) = next(step for step in rest if _APP in step[0])
    with (
        terminal(serve.strip(), tmp_path / "hub.log", port, HUB_MLLP=mllp),
        terminal(app.strip(), tmp_path / "app.log", app_port),
    ):
        type_in([step for step in rest if step[0] != app])


def test_every_command_of_connect_a_hospital_does_what_the_page_says(tmp_path: Path) -> None:
    port, mllp = free_port(), str(free_port())
    second = {"8081": str(free_port()), "2576": str(free_port())}
    here = {"127.0.0.1:8080": f"127.0.0.1:{port}", **second}
    (serve, _), *rest = steps("hl7v2/connect-a-hospital.md", tmp_path, here)
    with terminal(serve.strip(), tmp_path / "hub.log", port, HUB_MLLP=mllp):
        type_in(rest, HUB_MLLP=mllp)
