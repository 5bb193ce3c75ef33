"""Several workers on one port and one writer: forks them, starts again what dies, stops all.

The writer process owns the write connection; workers are readers that send it their commits.
The supervisor itself imports what they all need before it forks, so that they share its memory,
and opens nothing. Each child counts up a number in shared memory as long as its event loop
runs; one whose number stands still for `hang_limit` is killed. Called by `hub.serve`.

Two pipes that nobody writes to tell who is still there: the workers read the end of `alive` when
the supervisor is gone, the writer reads the end of `working` when the workers are gone too. So
the writer takes the workers' last commits, however the hub is stopped: by a signal to the
supervisor, to all (Ctrl-C, systemd), or by the supervisor's death.
"""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import shutil
import signal
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

from hub.app import announcer_of, open_door
from hub.background import background_jobs, hospital_messages, publish, running
from hub.errors import words_of
from hub.rest import logs
from hub.rest.metrics import Metrics
from hub.settings import Settings, SettingsError
from hub.storage.port import StoreUnavailable
from hub.worker import (
    NOBODY,
    STARTUP_FAILED,
    Place,
    announce,
    run,
    tell_ready,
    tune_collector,
)

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_MOST_STILLBORN = 5
_KILL_AFTER = 5.0
_LOOK_EVERY = 1.0
_COUNT = struct.Struct("Q")


class Pulse:
    """A number in memory that a child shares with its parent and counts up."""

    def __init__(self) -> None:
        """Zero; make it before the fork."""
        self._memory = mmap.mmap(-1, _COUNT.size)
        self._seen = 0
        self._missed = 0

    def beat(self) -> None:
        """Show that the child lives."""
        (count,) = _COUNT.unpack_from(self._memory)
        _COUNT.pack_into(self._memory, 0, count + 1)

    def begun(self) -> bool:
        """Whether the child has lived at all."""
        return bool(_COUNT.unpack_from(self._memory)[0])

    def missed(self) -> int:
        """How often in a row it was looked at and had not moved; 0 before its first beat.

        Looks are counted, not seconds: on a machine that was asleep everybody stood still.
        """
        (count,) = _COUNT.unpack_from(self._memory)
        self._missed = self._missed + 1 if count == self._seen and count else 0
        self._seen = count
        return self._missed

    def reset(self) -> None:
        """For a new child."""
        _COUNT.pack_into(self._memory, 0, 0)
        self._seen = self._missed = 0


@dataclass(slots=True)
class Child:
    """A forked process: what it runs, and how often in a row it died before it was ready.

    `told` is where it writes a byte once it is ready, -1 when nobody waits for that.
    """

    name: str
    main: Callable[[Child], int]
    pulse: Pulse
    pid: int = 0
    told: int = -1
    stillborn: int = 0


class Supervisor:
    """Parent of the writer and the workers."""

    def __init__(self, settings: Settings, people: str = "") -> None:
        """Nothing is started yet.

        Args:
            settings: With the real port; `workers` above 1.
            people: The demo's, a line each, to print.
        """
        self._settings, self._people = settings, people
        self._folder = settings.data / "run"
        self._has_accounts = True
        self._alive, self._held = os.pipe()
        self._working, self._work = os.pipe()
        self._writer = Child("writer", self._run_writer, Pulse())
        self._workers = [
            Child(f"worker {number}", self._run_worker, Pulse())
            for number in range(settings.workers)
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
        announce(self._settings, self._has_accounts, self._people)
        look = time.monotonic() + _LOOK_EVERY
        while True:
            received = signal.sigtimedwait(_SIGNALS, max(0.0, look - time.monotonic()))
            if received is None:
                self._end_hung()
                look = time.monotonic() + _LOOK_EVERY
            elif received.si_signo != signal.SIGCHLD:
                return 0
            elif not self._revive():
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
        self._has_accounts = NOBODY not in answers
        return all(answers)

    # --- children ---------------------------------------------------------------------------

    def _run_writer(self, child: Child) -> int:
        os.close(self._work)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(
                _write(self._settings, self._folder, self._alive, self._working, child)
            )

    def _run_worker(self, child: Child) -> int:
        place = Place("reader", False, self._folder, self._alive, child.told, child.pulse.beat)
        return run(self._settings, place)

    def _fork(self, child: Child) -> None:
        child.pulse.reset()
        child.pid = os.fork()
        if child.pid:
            return
        code = 1
        try:
            os.close(self._held)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = child.main(child)
        # The child must not run on in the parent's code, whatever happened.
        except BaseException:
            logging.getLogger("hub.serve").exception("%s ended", child.name)
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _revive(self) -> bool:
        """Start again what died; False when it dies again and again before it is ready."""
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
            child.stillborn = 0 if child.pulse.begun() else child.stillborn + 1
            if child.stillborn >= _MOST_STILLBORN:
                _say("error", f"{child.name} ended with code {code}, again before it was ready")
                return False
            _say("warning", f"{child.name} ended with code {code}; starting it again")
            self._fork(child)

    def _end_hung(self) -> None:
        """Kill what shows no sign of life; it is started again like any that died."""
        limit = self._settings.hang_limit
        for child in (self._writer, *self._workers):
            missed = child.pulse.missed()
            if limit and missed * _LOOK_EVERY >= limit:
                _say("error", f"{child.name} has not moved for {missed} s and is killed")
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)

    def _stop(self) -> None:
        """Workers first, since their last commits need the writer."""
        self._end(self._workers)
        os.close(self._work)
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
    import hub.access.front_desk
    import hub.access.scopes
    import hub.interactions
    import hub.operations
    import hub.rest.dispatcher
    import hub.rest.pages  # noqa: F401 - shared with the children


def _write_line(line: bytes) -> None:
    with suppress(OSError):  # Nobody reads our log any more; the hub goes on.
        os.write(2, line)


def _say(level: str, message: str) -> None:
    """A line of the log; the supervisor has no thread for it, or it could not fork."""
    record = logging.makeLogRecord(
        {"name": "hub.supervisor", "levelname": level, "msg": message, "process": os.getpid()}
    )
    logs.LineHandler(_write_line).emit(record)


async def _write(
    settings: Settings, folder: Path, supervisor: int, working: int, child: Child
) -> int:
    """The writer process: owns the store and takes commits until the workers are gone.

    Asked to stop, or without a supervisor, it waits for them as long as they may take to end.
    """
    log, metrics = logs.start(settings.log_level), Metrics()
    stop, alone = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    _when_ended(supervisor, stop)
    _when_ended(working, alone)
    try:
        async with (
            open_door(settings, "owner", announcer_of(settings)) as door,
            background_jobs(door, settings),
            hospital_messages(door, settings, metrics),
            running(publish(metrics, folder, door.store)),
            running(_beat(child.pulse)),
        ):
            tune_collector()
            tell_ready(child.told)
            ends = [asyncio.create_task(event.wait()) for event in (stop, alone)]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            with suppress(TimeoutError):
                await asyncio.wait_for(alone.wait(), settings.shutdown_grace)
    except (SettingsError, StoreUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return STARTUP_FAILED
    except OSError as error:
        sys.stderr.write(f"{words_of(error)}\n")
        return STARTUP_FAILED
    finally:
        log.close()
    return 0


def _when_ended(pipe: int, event: asyncio.Event) -> None:
    """Set an event when nobody holds the other end of a pipe any more."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(pipe)
        event.set()

    loop.add_reader(pipe, ended)


async def _beat(pulse: Pulse) -> None:
    while True:
        pulse.beat()
        await asyncio.sleep(_LOOK_EVERY / 2)
