"""The ledger over a plain dictionary: the reference. Used by `hub.storage.memory.store`."""

from __future__ import annotations

from hub.storage.ledger import ABSENT, ANY, Record, check_names


class MemoryLedger:
    """See `hub.storage.ledger.Ledger` for what each method promises."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, str], dict[str, Record]] = {}
        self._revision = ABSENT

    async def get(self, tenant: int, kind: str, key: str, now: int) -> Record | None:
        """The record."""
        found = self._records.get((tenant, kind), {}).get(key)
        return found if found is not None and found.alive(now) else None

    async def put(
        self,
        tenant: int,
        kind: str,
        key: str,
        value: bytes,
        *,
        now: int,
        expected: int = ANY,
        expires: int = 0,
    ) -> Record | None:
        """Store a record."""
        check_names(kind, key)
        found = await self.get(tenant, kind, key, now)
        revision = found.revision if found else ABSENT
        if expected not in (ANY, revision):
            return None
        self._revision += 1
        made = Record(key, value, self._revision, expires)
        self._records.setdefault((tenant, kind), {})[key] = made
        return made

    async def take(
        self, tenant: int, kind: str, key: str, *, now: int, expected: int = ANY
    ) -> Record | None:
        """Remove a record and give it."""
        found = await self.get(tenant, kind, key, now)
        if found is None or expected not in (ANY, found.revision):
            return None
        del self._records[tenant, kind][key]
        return found

    async def records(
        self, tenant: int, kind: str, now: int, after: str = "", count: int = 1000
    ) -> list[Record]:
        """Records of a kind in order of their keys."""
        of_kind = self._records.get((tenant, kind), {})
        alive = [one for key, one in of_kind.items() if key > after and one.alive(now)]
        return sorted(alive, key=lambda record: record.key)[:count]

    async def remove_expired(self, tenant: int, now: int) -> int:
        """Remove what has expired."""
        return self._remove(now, [key for key in self._records if key[0] == tenant])

    def sweep(self, now: int) -> None:
        """Remove what has expired, of every tenant."""
        self._remove(now, list(self._records))

    def _remove(self, now: int, kinds: list[tuple[int, str]]) -> int:
        removed = 0
        for kind in kinds:
            of_kind = self._records[kind]
            for key in [key for key, one in of_kind.items() if not one.alive(now)]:
                del of_kind[key]
                removed += 1
        return removed
