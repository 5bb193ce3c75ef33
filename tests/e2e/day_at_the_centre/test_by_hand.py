"""docs/day-at-the-centre.md: each of its commands is typed as it stands, and says what it says.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.browser.app.using import app_or_skip
from tests.docs.pages import DOCS, ROOT, matches

pytestmark = [pytest.mark.system("curl"), pytest.mark.system("npm"), pytest.mark.slow]

_FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FOREVER = ("fhir-hub serve", "tests.browser.app")
_MARK = "=== end of block ==="


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def steps(folder: Path, port: int, app_port: int) -> list[tuple[str, str]]:
    """(commands, expected) of each block; what belongs to this machine is put in."""
    text = (DOCS / "day-at-the-centre.md").read_text(encoding="utf-8")
    for written, here in (
        ("127.0.0.1:8080", f"127.0.0.1:{port}"),
        ("localhost:3000", f"localhost:{app_port}"),
        ("tests.browser.app growth-chart", f"tests.browser.app growth-chart {app_port}"),
        ("/tmp/day", str(folder / "day")),
        (".venv/bin/", f"{Path(sys.executable).parent}/"),
    ):
        assert written in text
        text = text.replace(written, here)
    found: list[tuple[str, str]] = []
    for kind, block in _FENCE.findall(text):
        if kind == "sh":
            found.append((block, ""))
        else:
            found[-1] = found[-1][0], block
    return found


@contextmanager
def terminal(command: str, log: Path, port: int) -> Iterator[None]:
    """A command in a terminal of its own, once it listens; Ctrl-C at the end."""
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=ROOT,
            env=os.environ | {"HUB_PORT": str(port)},
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


def test_every_command_of_the_page_does_what_the_page_says(tmp_path: Path):
    with app_or_skip():
        pass  # its library is there
    port, app_port = free_port(), free_port()
    (serve, _), *rest = steps(tmp_path, port, app_port)
    (app, _) = next(step for step in rest if _FOREVER[1] in step[0])
    typed = [step for step in rest if step[0] != app]
    assert not any(word in commands for commands, _ in typed for word in _FOREVER)
    script = f"\necho '{_MARK}'\n".join(commands for commands, _ in typed)
    with (
        terminal(serve.strip(), tmp_path / "hub.log", port),
        terminal(app.strip(), tmp_path / "app.log", app_port),
    ):
        done = subprocess.run(
            [shutil.which("bash") or "bash", "-c", script],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
    printed = done.stdout.split(_MARK)
    assert len(printed) == len(typed), done.stdout
    for (commands, expected), output in zip(typed, printed, strict=True):
        if expected:
            assert matches(expected, output), f"{commands}\n{output}"
