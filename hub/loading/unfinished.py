"""Loads that are not finished: running, or interrupted. Read by the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from hub.loading.checkpoint import FOLDER, STATE, State

_LOCKS = Path("/proc/locks")


class Unfinished(NamedTuple):
    """A load, whether a process has it, and when it last noted how far it is (ms)."""

    state: State
    running: bool
    changed: int


def unfinished_loads(data: Path) -> list[Unfinished]:
    """Those of a data folder, the one that moved last first.

    Nothing is locked for it: a load that starts at that moment would take it for another.

    Args:
        data: Data folder of the store.
    """
    return sorted(_found(data / FOLDER), key=lambda one: -one.changed)


def _found(folder: Path) -> Iterator[Unfinished]:
    locked = _locked_inodes()
    for file in folder.glob(f"*/{STATE}"):
        # It may be finished, and gone, between two looks.
        with suppress(OSError, msgspec.DecodeError):
            state = msgspec.json.decode(file.read_bytes(), type=State)
            changed = file.stat().st_mtime_ns // 1_000_000
            yield Unfinished(state, file.parent.stat().st_ino in locked, changed)


def _locked_inodes() -> set[int]:
    """Inodes that some process has locked with flock (proc(5), /proc/locks)."""
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return set()
    found = [line.split() for line in lines]
    return {
        int(words[5].rpartition(":")[2])
        for words in found
        if len(words) == 8 and words[1] == "FLOCK"
    }
