"""Chromium's DevTools protocol over the pipe that `--remote-debugging-pipe` opens.

Two file descriptors, no port and no websocket: what the browser is told goes in on 3, what it
says comes out on 4, each message JSON and a NUL. Whoever closes the pipe ends the browser.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--password-store=basic",
    "--use-mock-keychain",
)

Event = dict[str, Any]


class DevToolsError(Exception):
    """The browser refused a command, or said nothing in time."""


class Pipe:
    """A browser process and the conversation with it."""

    def __init__(self, profile: Path, log: Path) -> None:
        """Start a browser.

        Args:
            profile: Folder for its profile.
            log: File for its standard error.
        """
        told, tell = os.pipe()
        hear, said = os.pipe()
        # The shell gives the pipe's ends their numbers: Popen can only keep what they have.
        flags = [*_FLAGS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        line = f'exec chromium "$@" 3<&{told} 4>&{said}'
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                ["bash", "-c", line, "chromium", *flags, "about:blank"],
                pass_fds=(told, said),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        os.close(told)
        os.close(said)
        self._tell, self._hear, self._log = tell, hear, log
        self._waiting = b""
        self._next = 0
        self._listeners: dict[str, Callable[[Event], None]] = {}
        self._answers: dict[int, Event] = {}

    def listen(self, session: str, listener: Callable[[Event], None]) -> None:
        """Hand a session's events to a listener, while anything is waited for."""
        self._listeners[session] = listener

    def ask(
        self, method: str, *, session: str = "", seconds: float = 30, **parameters: object
    ) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Raises:
            DevToolsError: It was refused, or not answered in time.
        """
        self._next += 1
        number = self._next
        message: Event = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._tell, data) :]
        deadline = time.monotonic() + seconds
        while number not in self._answers:
            if not self.hear(deadline - time.monotonic()):
                raise DevToolsError(f"{method}: no answer in {seconds} s")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise DevToolsError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def hear(self, seconds: float) -> bool:
        """Take what the browser says within some seconds; False when it says nothing.

        Raises:
            DevToolsError: It has ended.
        """
        ready, _, _ = select.select([self._hear], [], [], max(seconds, 0))
        if not ready:
            return False
        data = os.read(self._hear, 1 << 20)
        if not data:
            tail = self._log.read_text(errors="replace")[-2000:]
            raise DevToolsError(f"Chromium has ended: {tail}")
        *messages, self._waiting = (self._waiting + data).split(b"\0")
        for text in messages:
            message: Event = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            elif listener := self._listeners.get(message.get("sessionId", "")):
                listener(message)
        return True

    def close(self) -> None:
        """End the browser."""
        os.close(self._tell)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._hear)
