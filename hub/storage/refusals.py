"""What a store answers instead: refusals of a commit, and failures of its own.

Raised through the port (`hub.storage.port`), whence everybody imports them.
"""

from __future__ import annotations

from typing import Literal


class CommitRefused(Exception):
    """A precondition does not hold; nothing was stored."""


class VersionConflict(CommitRefused):
    """The current version is not the expected one."""

    def __init__(self, index: int, type: str, id: str, current: int) -> None:
        """Name the write and the version that is current (0: none)."""
        super().__init__(f"writes[{index}] {type}: current version {current}")
        self.index, self.type, self.id, self.current = index, type, id, current


class PreconditionChanged(CommitRefused):
    """A `Matches` no longer holds, or a mark has changed; read again and retry."""

    def __init__(self, index: int, ids: tuple[str, ...]) -> None:
        """Name the precondition (-1: a mark) and what it matches now (at most two ids)."""
        super().__init__(f"preconditions[{index}]")
        self.index, self.ids = index, ids


class TargetMissing(CommitRefused):
    """An `Exists` does not hold."""

    def __init__(self, type: str, id: str, location: str = "") -> None:
        """Name the missing target."""
        super().__init__(f"{type} at {location}")
        self.type, self.id, self.location = type, id, location


class StillReferenced(CommitRefused):
    """An `Unreferenced` does not hold; `by` names one type that refers to it."""

    def __init__(self, type: str, id: str, by: str, count: int) -> None:
        """Name the resource, one referring type and how many refer to it (up to a limit)."""
        super().__init__(f"{type} referenced by {by}")
        self.type, self.id, self.by, self.count = type, id, by, count


class GenerationMoved(CommitRefused):
    """The definitions changed since the index rows were made; extract again and retry."""

    def __init__(self, current: int) -> None:
        """Give the generation that is current."""
        super().__init__(f"definitions are at generation {current}")
        self.current = current


class BlobMissing(CommitRefused):
    """A write names a blob that the tenant does not have."""

    def __init__(self, sha256: str) -> None:
        """Name the blob."""
        super().__init__(f"no blob {sha256}")
        self.sha256 = sha256


Trouble = Literal["transient", "full", "damaged"]
"""May be over soon; somebody must make room; what is stored cannot be read."""


class StoreUnavailable(Exception):
    """Disk full, I/O error, damage, or the writer is gone.

    Nothing was stored, unless `uncertain`: then whether it was stored is not known.
    """

    def __init__(
        self, reason: str, uncertain: bool = False, trouble: Trouble = "transient"
    ) -> None:
        """Say why, without patient data."""
        super().__init__(reason)
        self.reason, self.uncertain, self.trouble = reason, uncertain, trouble


class StoreLocked(StoreUnavailable):
    """Another process owns the write connection; `owner` is its process id, 0 if unknown."""

    def __init__(self, owner: int) -> None:
        """Name the process that owns it."""
        super().__init__(f"the store is in use by process {owner}" if owner else "store in use")
        self.owner = owner


class StoreNewer(StoreUnavailable):
    """The store was written by a newer release: its schema version is not known here."""

    def __init__(self, found: int, known: int) -> None:
        """Name both schema versions."""
        super().__init__(f"schema version {found}; this release knows up to {known}")
        self.found, self.known = found, known


class BodyDamaged(StoreUnavailable):
    """A stored body cannot be read; a scan goes on `after` it."""

    def __init__(self, type: str, id: str, version: int, after: int = 0) -> None:
        """Name the version and, for a scan, its position."""
        super().__init__(
            f"the stored body of {type}/{id} is damaged; `check` tells more", trouble="damaged"
        )
        self.type, self.id, self.version, self.after = type, id, version, after


class DeadlineExceeded(Exception):
    """The search would take longer than its deadline; it was stopped."""
