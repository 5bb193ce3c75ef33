"""Progress bars of long work on the command line, by bytes of files and by counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

_STEP = 64 * 1024
"""Bytes after which a bar moves: moving it costs more than reading a line."""


class FileProgress:
    """A bar over the bytes of several files."""

    def __init__(self, bar: Progress, title: str, files: Sequence[Path]) -> None:
        """Add the bar.

        Args:
            bar: Where it is shown.
            title: What is being done.
            files: The files.
        """
        self._bar, self._title = bar, title
        self._sizes = {path: path.stat().st_size for path in files}
        self._done = dict.fromkeys(files, 0)
        self._task = bar.add_task(title, total=sum(self._sizes.values()))

    def read(self, path: Path, size: int) -> None:
        """So many bytes of a file are done."""
        size = min(size, self._sizes[path])
        more = size - self._done[path]
        if more >= _STEP or (more > 0 and size == self._sizes[path]):
            self._bar.advance(self._task, more)
            self._done[path] = size

    def waiting(self, count: int) -> None:
        """Say how many are tried again."""
        self._bar.update(self._task, description=f"{self._title} ({count} waited for others)")


@contextmanager
def file_progress(title: str, files: Sequence[Path]) -> Iterator[FileProgress]:
    """A bar over the bytes of several files, until the block ends.

    Args:
        title: What is being done.
        files: The files.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield FileProgress(bar, title, files)


@contextmanager
def count_progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar over a number of things.

    Args:
        title: What is being done.
        total: How many there are.

    Yields:
        A function to call with how many more are done.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)

        yield advance
