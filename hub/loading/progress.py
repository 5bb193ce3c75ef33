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


@contextmanager
def byte_progress(title: str, files: Sequence[Path]) -> Iterator[Callable[[Path, int], None]]:
    """A bar over the bytes of several files.

    Args:
        title: What is being done.
        files: The files.

    Yields:
        A function to call with a file and the bytes of it that are done.
    """
    sizes = {path: path.stat().st_size for path in files}
    done = dict.fromkeys(files, 0)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=sum(sizes.values()))

        def advance(path: Path, position: int) -> None:
            position = min(position, sizes[path])
            bar.advance(task, position - done[path])
            done[path] = position

        yield advance


@contextmanager
def count_progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar over a number of things.

    Args:
        title: What is being done.
        total: How many there are; None if that is not known.

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
