"""Copies of a store: made while it runs, verified, and put back.

A backup is a folder with the database, the blobs, the site files (messages that wait go on by
their rules) and `backup.json`; it is complete when it has its final name. While one is made, no
blob's file is removed (`blob.files_held`). Called by `store` and by the `restore` command.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec

from hub.storage.port import StoreUnavailable
from hub.storage.sqlite import blob, migrations, verify
from hub.storage.sqlite.connect import (
    DATABASE,
    IO_ERRORS,
    PARTIAL,
    OwnerLock,
    open_reader,
    unavailable,
)
from hub.storage.sqlite.patience import ATTEMPTS, LogTooLong, log_is_long
from hub.storage.sqlite.record import reader_of

MANIFEST = "backup.json"
SITES = "sites"
"""Where the site files are, unless `HUB_SITES` names another folder."""
STEP_PAGES = 1024
LOOK_AFTER = 10_000
"""Steps of SQLite's machine after which verifying looks whether it is to stop."""

Stopped = Callable[[], bool]


def _never() -> bool:
    return False


class Manifest(msgspec.Struct):
    """What a backup says of itself.

    Attributes:
        schema: Schema version.
        sequence: Sequence of the newest commit in it.
        blobs: Number of blobs.
    """

    schema: int
    sequence: int
    blobs: int


def backup(folder: Path, target: Path, stopped: Stopped = _never) -> None:
    """Copy a store and verify the copy; blocks.

    Args:
        folder: The data directory.
        target: A folder that does not exist yet.
        stopped: Asked again and again; true ends the work and leaves nothing.

    Raises:
        FileExistsError: It exists.
        InterruptError: It was stopped.
        StoreUnavailable: I/O failed, or the copy is not whole.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    partial = target.with_name(target.name + ".partial")
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True, mode=0o700)
        with blob.files_held(folder):
            for attempt in range(ATTEMPTS):
                if _copy_database(folder, partial, stopped, last=attempt == ATTEMPTS - 1):
                    break
            count = _copy_blobs(folder, partial)
        _copy_sites(folder, partial)
        sequence = _verify(partial, stopped=stopped)
        manifest = Manifest(migrations.version(), sequence, count)
        (partial / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        _sync_tree(partial)
        partial.rename(target)
        _sync(target.parent)
    except apsw.InterruptError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except (*IO_ERRORS, OSError, StoreUnavailable) as error:
        shutil.rmtree(partial, ignore_errors=True)  # it may be what fills the disk
        if isinstance(error, StoreUnavailable):
            raise
        raise unavailable(error) from error


def restore(source: Path, folder: Path) -> None:
    """Put a backup in place as a new store, verified; one of an older release is brought up.

    Args:
        source: What `backup` made.
        folder: The data directory; it must not hold a store.

    Raises:
        FileNotFoundError: The source is no backup.
        FileExistsError: The data directory holds a store.
        StoreLocked: A process uses the data directory.
        StoreNewer: A newer release made the backup.
        StoreUnavailable: The backup is damaged, or I/O failed.
        OSError: I/O failed; it names the file.
    """
    if not (source / MANIFEST).is_file():
        raise FileNotFoundError(f"{source} is no backup")
    if (folder / DATABASE).exists():
        raise FileExistsError(f"{folder} holds a store already; name a new folder with --data")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = OwnerLock(folder)
    partial, blobs = folder / PARTIAL, folder / blob.FOLDER
    had_blobs, had_sites = blobs.exists(), (folder / SITES).exists()
    try:
        partial.touch(mode=0o600)  # first: a folder that has it is no store yet
        if (source / blob.FOLDER).is_dir():
            shutil.copytree(source / blob.FOLDER, blobs, dirs_exist_ok=True)
        if not had_sites:  # Those that are there already are meant.
            _copy_sites(source, folder)
        shutil.copyfile(source / DATABASE, partial)
        _bring_up(partial)
        _sync_tree(folder)
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
        sequence = _verify(folder, partial.name)
        if sequence != manifest.sequence:
            raise StoreUnavailable("the backup is not the one its manifest describes")
        partial.rename(folder / DATABASE)
        _sync(folder)
    except (*IO_ERRORS, OSError, StoreUnavailable, msgspec.DecodeError) as error:
        partial.unlink(missing_ok=True)
        if not had_blobs:
            shutil.rmtree(blobs, ignore_errors=True)
        if not had_sites:
            shutil.rmtree(folder / SITES, ignore_errors=True)
        if isinstance(error, (OSError, StoreUnavailable)):
            raise
        raise unavailable(error) from error
    finally:
        lock.release()


def _bring_up(copy: Path) -> None:
    """Give the copy of an older release's store the schema by which it is verified.

    Raises:
        StoreNewer: A newer release made it.
        StoreUnavailable: It is empty.
    """
    connection = apsw.Connection(str(copy))
    try:
        connection.pragma("journal_mode", "memory")  # half a step is copied again, not mended
        if migrations.found_version(connection) == 0:
            raise StoreUnavailable("the copy is empty")
        migrations.upgrade(connection)
    finally:
        connection.close()


def _copy_database(folder: Path, target: Path, stopped: Stopped, last: bool) -> bool:
    """Copy the database; False when the log became too long and it has to begin anew.

    Raises:
        LogTooLong: The same, the last time.
    """
    (target / DATABASE).unlink(missing_ok=True)
    source = open_reader(folder)
    copy = apsw.Connection(str(target / DATABASE))
    try:
        # one snapshot for all steps: without it, each commit would start the copy again
        source.execute("BEGIN")
        source.execute("SELECT sequence FROM state").fetchall()
        with copy.backup("main", source, "main") as steps:
            while not steps.done:
                if stopped():
                    raise apsw.InterruptError("the backup was stopped")
                steps.step(STEP_PAGES)
                if not steps.done and log_is_long(folder):
                    if last:
                        raise LogTooLong
                    return False
        copy.pragma("journal_mode", "delete")
        return True
    finally:
        copy.close()
        source.close()


def _copy_blobs(folder: Path, target: Path) -> int:
    copy = _open_copy(target / DATABASE)
    try:
        rows: Any = copy.execute("SELECT DISTINCT sha256 FROM blob").fetchall()
    finally:
        copy.close()
    for (sha256,) in rows:
        file = blob.path_of(target, sha256.hex())
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(blob.path_of(folder, sha256.hex()), file)
        except FileNotFoundError as error:
            raise StoreUnavailable(
                f"the file of blob {sha256.hex()} is missing", trouble="damaged"
            ) from error
    return len(rows)


def _copy_sites(folder: Path, target: Path) -> None:
    files = [one for one in (folder / SITES).glob("*.toml") if one.is_file()]
    if files:
        (target / SITES).mkdir(mode=0o700, exist_ok=True)
    for file in files:
        shutil.copyfile(file, target / SITES / file.name)


def _verify(folder: Path, name: str = DATABASE, stopped: Stopped = _never) -> int:
    """Check a copy and give its sequence.

    Raises:
        InterruptError: It was stopped.
        StoreUnavailable: It is not whole.
    """
    connection = _open_copy(folder / name)
    connection.set_progress_handler(stopped, LOOK_AFTER)
    try:
        if migrations.found_version(connection) == 0:
            raise StoreUnavailable("the copy is empty")
        migrations.require_current(connection)
        for finding in verify.verify_all(reader_of(connection), folder):
            raise StoreUnavailable(f"the copy is not whole: {finding.where}: {finding.what}")
        sequence: Any = connection.execute("SELECT sequence FROM state").get
    finally:
        connection.close()
    return int(sequence)


def _open_copy(file: Path) -> apsw.Connection:
    return apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent) / name)
        _sync(Path(parent))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
