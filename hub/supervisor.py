"""Several workers on one port and one writer: forks them, starts again what dies, stops all.

The writer process owns the write connection; workers are readers that send it their commits.
The supervisor itself imports what they all need before it forks, so that they share its memory,
and opens nothing. Called by `hub.serve`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import uvloop

from hub.app import background_jobs, open_door
from hub.rest import logs
from hub.settings import Settings
from hub.storage.port import StoreUnavailable
from hub.worker import STARTUP_FAILED, Place, announce, run, tell_ready, tune_collector

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_FAST_DEATH = 2.0
_MOST_FAST_DEATHS = 5
_KILL_AFTER = 5.0


@dataclass(slots=True)
class Child:
    """A forked process: what it runs, since when, and how often it died young.

    `told` is where it writes a byte once it is ready, -1 when nobody waits for that.
    """

    name: str
    main: Callable[[int], int]
    pid: int = 0
    told: int = -1
    started: float = 0.0
    fast_deaths: int = 0


class Supervisor:
    """Parent of the writer and the workers."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is started yet.

        Args:
            settings: With the real port; `workers` above 1.
        """
        self._settings = settings
        self._folder = settings.data / "run"
        self._alive, self._held = os.pipe()
        self._writer = Child("writer", self._run_writer)
        self._workers = [
            Child(f"worker {number}", self._run_worker) for number in range(settings.workers)
        ]

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; gives the exit code."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        _preload()
        tune_collector()
        # Blocked, and taken one by one below: nothing is interrupted, nothing is lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return self._watch()
        finally:
            self._stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _watch(self) -> int:
        if not self._start([self._writer]) or not self._start(self._workers):
            return STARTUP_FAILED
        announce(self._settings)
        while True:
            received = signal.sigwait(_SIGNALS)
            if received != signal.SIGCHLD:
                return 0
            if not self._revive():
                return 1

    def _start(self, children: list[Child]) -> bool:
        """Fork children and wait until each is ready; False when one ends instead."""
        pipes = []
        for child in children:
            ready, child.told = os.pipe()
            self._fork(child)
            os.close(child.told)
            child.told = -1
            pipes.append(ready)
        answers = [os.read(ready, 1) for ready in pipes]
        for ready in pipes:
            os.close(ready)
        return all(answers)

    # --- children ---------------------------------------------------------------------------

    def _run_writer(self, told: int) -> int:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_write(self._settings, self._alive, told))

    def _run_worker(self, told: int) -> int:
        return run(self._settings, Place("reader", False, self._folder, self._alive, told))

    def _fork(self, child: Child) -> None:
        child.started = time.monotonic()
        child.pid = os.fork()
        if child.pid:
            return
        code = 1
        try:
            os.close(self._held)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = child.main(child.told)
        # The child must not run on in the parent's code, whatever happened.
        except BaseException:
            logging.getLogger("hub.serve").exception("%s ended", child.name)
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _revive(self) -> bool:
        """Start again what died; False when it dies as soon as it is started."""
        children = {child.pid: child for child in (self._writer, *self._workers)}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            child = children.get(pid)
            if child is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            young = time.monotonic() - child.started < _FAST_DEATH
            child.fast_deaths = child.fast_deaths + 1 if young else 0
            sys.stderr.write(f"{child.name} ended with code {code}; starting it again\n")
            if child.fast_deaths >= _MOST_FAST_DEATHS:
                return False
            self._fork(child)

    def _stop(self) -> None:
        """Workers first, since their last commits need the writer."""
        self._end(self._workers)
        self._end([self._writer])

    def _end(self, children: list[Child]) -> None:
        waiting = [child for child in children if child.pid]
        for child in waiting:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + self._settings.shutdown_grace + _KILL_AFTER
        while waiting:
            waiting = [child for child in waiting if not _ended(child.pid)]
            if waiting and time.monotonic() > deadline:
                for child in waiting:
                    with suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGKILL)
            if waiting:
                signal.sigtimedwait((signal.SIGCHLD,), 0.1)


def _ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _preload() -> None:
    """Import what every worker needs, before the fork."""
    import hub.interactions
    import hub.operations
    import hub.rest.dispatcher
    import hub.rest.pages  # noqa: F401 - shared with the children


async def _write(settings: Settings, supervisor: int, told: int) -> int:
    """The writer process: owns the store, takes commits, until a signal or the parent's end."""
    log = logs.start(settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    loop.add_reader(supervisor, stop.set)
    try:
        async with open_door(settings, "owner") as door, background_jobs(door, settings):
            tell_ready(told)
            await stop.wait()
    except StoreUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return STARTUP_FAILED
    finally:
        log.close()
    return 0
