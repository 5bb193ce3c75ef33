"""A long read gives up its snapshot before the write-ahead log grows without end.

The log starts over only when no reader looks at an older state. Requests are stopped after
seconds; a check or a backup of a large store takes minutes and would keep everything that is
written meanwhile. Called by `verify` and `backup`, which then begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite.connect import DATABASE

LONGEST_LOG = 1024 * 1024 * 1024
"""Bytes of log at which a long read gives up."""

ATTEMPTS: Final = 3
"""How often one begins before it is given up."""

_STEPS: Final = 200_000
_ID: Final = "patience"


class LogTooLong(StoreUnavailable):
    """The log has grown too long while something was read."""

    def __init__(self) -> None:
        super().__init__("too much is written meanwhile; run it again at a quieter time")


def log_is_long(folder: Path) -> bool:
    """Whether it is time to let go of a snapshot.

    Args:
        folder: The data directory.
    """
    try:
        return (folder / f"{DATABASE}-wal").stat().st_size > LONGEST_LOG
    except FileNotFoundError:
        return False


@contextmanager
def patience(connection: apsw.Connection, folder: Path) -> Iterator[None]:
    """Stop what runs inside when the log has become too long.

    Args:
        connection: Reads inside.
        folder: The data directory.

    Raises:
        LogTooLong: It was stopped.
    """
    connection.set_progress_handler(lambda: log_is_long(folder), _STEPS, id=_ID)
    try:
        yield
    except apsw.InterruptError as error:
        if not log_is_long(folder):  # somebody else stopped it
            raise
        raise LogTooLong from error
    finally:
        connection.set_progress_handler(None, id=_ID)
