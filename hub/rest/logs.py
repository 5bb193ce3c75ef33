"""Structured logs: JSON lines on standard error, without a patient's data.

Access lines name the route's template, never a path's values; a traceback names exception types,
files and lines, never an exception's text, which may quote a resource. Lines are written by a
thread of their own, so that a slow terminal never holds up a request; when it falls far behind,
lines are dropped and counted. Started by `hub.serve`; written by `hub.rest.dispatcher` and by
`logging` everywhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, Full, Queue
from types import TracebackType

import msgspec

MOST_WAITING = 1000
_FLUSH_AFTER = 0.1


class LineWriter:
    """A thread that writes pieces of log to a file descriptor."""

    def __init__(self, descriptor: int = 2) -> None:
        """Start the thread.

        Args:
            descriptor: Where to write; standard error.
        """
        self._descriptor = descriptor
        self._queue: Queue[bytes | None] = Queue(MOST_WAITING)
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, piece: bytes) -> None:
        """Hand over whole lines; never waits."""
        try:
            self._queue.put_nowait(piece)
        except Full:
            self.dropped += piece.count(b"\n")

    def close(self) -> None:
        """Write what is waiting and end the thread; gives up after two seconds."""
        try:
            self._queue.put(None, timeout=1)
        except Full:
            return
        self._thread.join(1)

    def _run(self) -> None:
        while True:
            pieces = [self._queue.get()]
            try:
                while len(pieces) < MOST_WAITING:
                    pieces.append(self._queue.get_nowait())
            except Empty:
                pass
            ended = None in pieces
            data = b"".join(piece for piece in pieces if piece is not None)
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:  # Nobody reads our log any more; the hub goes on.
                pass
            if ended:
                return


def timestamp(seconds: float) -> str:
    """An instant in UTC with milliseconds."""
    whole = int(seconds)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{stamp}.{int((seconds - whole) * 1000):03d}Z"


class AccessLog:
    """One line per request, gathered and handed over in batches."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Nothing is gathered yet.

        Args:
            write: Takes whole lines.
        """
        self._write = write
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""
        self._process = os.getpid()

    def add(
        self,
        request_id: str,
        method: str,
        template: str,
        interaction: str,
        type: str,
        status: int,
        microseconds: int,
        size: int,
    ) -> None:
        """Log one request; every argument is safe to show.

        Args:
            request_id: Correlation id.
            method: HTTP method.
            template: Route template.
            interaction: restful-interaction code.
            type: A resource type, "" if none.
            status: HTTP status.
            microseconds: It took.
            size: Bytes of the answer's body.
        """
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = timestamp(self._second)[:-4]
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)
        self._lines.append(
            f'{{"time":"{self._stamp}{int(now % 1 * 1000):03d}Z","level":"info","logger":'
            f'"hub.access","process":{self._process},"request":"{request_id}","method":"{method}",'
            f'"route":"{template}","interaction":"{interaction}","type":"{type}",'
            f'"status":{status},"microseconds":{microseconds},"bytes":{size}}}\n'
        )

    def flush(self) -> None:
        """Hand over what was gathered."""
        if self._lines:
            self._write("".join(self._lines).encode("utf-8", "replace"))
            self._lines.clear()


def frames(error: BaseException) -> list[str]:
    """Where an exception came from: types and places, no texts."""
    found: list[str] = []
    waiting: list[BaseException] = [error]
    while waiting and len(found) < 100:
        cause = waiting.pop()
        found.append(type(cause).__name__)
        step: TracebackType | None = cause.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            found.append(f"{code.co_filename}:{step.tb_lineno} {code.co_name}")
            step = step.tb_next
        if (behind := cause.__cause__ or cause.__context__) is not None:
            waiting.append(behind)
        if isinstance(cause, BaseExceptionGroup):  # of a batch, whose entries run side by side
            waiting.extend(reversed(cause.exceptions))
    return found


class LineHandler(logging.Handler):
    """Turns `logging` records into the same JSON lines."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Take records of every level.

        Args:
            write: Takes whole lines.
        """
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; `extra={"request": ...}` names its request."""
        line: dict[str, object] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if request := getattr(record, "request", None):
            line["request"] = request
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = frames(record.exc_info[1])
        self._write(msgspec.json.encode(line) + b"\n")


def start(level: str) -> LineWriter:
    """Send `logging` to JSON lines on standard error.

    Args:
        level: `debug`, `info`, `warning` or `error`.
    """
    writer = LineWriter()
    root = logging.getLogger()
    root.handlers[:] = [LineHandler(writer.write)]
    root.setLevel(level.upper())
    # Its line per start adds nothing to ours; one per malformed request would let anybody flood us.
    logging.getLogger("uvicorn.error").setLevel("ERROR")
    return writer
