"""Rows by a key: what tokens, uris, references and composites have in common.

Their tables hold group, key, principal date and row id, so that the rows of one key come in
order of date, and a row at hand is tested by looking up its own place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.storage.sqlite.compile.fragments import (
    EVERYWHERE,
    NOTHING,
    Leaf,
    Row,
    Source,
    Sql,
    both,
    one_of,
    one_of_known,
)
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.functions import Predicate


def anywhere(table: str) -> Sql:
    """No condition on the table's other columns."""
    return EVERYWHERE


@dataclass(frozen=True, slots=True)
class Keys:
    """What is looked up in one of the keyed tables.

    Attributes:
        table: Its name.
        column: The key's column.
        groups: Groups that hold the parameter.
        ids: Keys wanted.
        ranges: Closed ranges of keys wanted.
        condition: Makes the condition on the table's other columns.
        is_unique: A row of the key is there once.
    """

    table: str
    column: str
    groups: tuple[int, ...]
    ids: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...] = ()
    condition: Callable[[str], Sql] = anywhere
    is_unique: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing can be found."""
        return not self.groups or not (self.ids or self.ranges)

    def are_few(self, planner: Planner) -> bool:
        """Whether each key of each group can be looked up by itself."""
        return not self.ranges and len(self.groups) * len(self.ids) <= planner.limits.merged

    def at(self, planner: Planner, alias: str, groups: tuple[int, ...]) -> Sql:
        """The tenant's rows of groups."""
        tenant = Sql(f"{alias}.tenant = ?", (planner.tenant,))
        return both(tenant, Sql(one_of_known(f"{alias}.grp", groups)))

    def exists(self, planner: Planner, row: Row) -> Sql:
        """The condition that a row at hand has one of the keys."""
        alias = planner.alias()
        where = both(
            self.at(planner, alias, self.groups),
            one_of(f"{alias}.{self.column}", self.ids),
            Sql(f"{alias}.date = {row.date} AND {alias}.rid = {row.rid}"),
            self.condition(alias),
        )
        return Sql(
            f"+EXISTS (SELECT 1 FROM {self.table} AS {alias} WHERE {where.text})", where.values
        )

    def sources(self, planner: Planner) -> list[Source]:
        """Lists the rows."""
        if self.are_few(planner):
            return [
                self._source(planner, (group,), (id,), True)
                for group in self.groups
                for id in self.ids
            ]
        found = [self._range(planner, ends) for ends in self.ranges]
        if self.ids:
            found.append(self._source(planner, self.groups, self.ids, False))
        return found

    def _range(self, planner: Planner, ends: tuple[int, int]) -> Source:
        alias = planner.alias()
        key = f"{alias}.{self.column}"
        between = Sql(f"{key} BETWEEN ? AND ?", ends)
        return self._from(alias, both(self.at(planner, alias, self.groups), between), False)

    def _source(
        self, planner: Planner, groups: tuple[int, ...], ids: tuple[int, ...], is_single: bool
    ) -> Source:
        alias = planner.alias()
        wanted = one_of(f"{alias}.{self.column}", ids)
        return self._from(alias, both(self.at(planner, alias, groups), wanted), is_single)

    def _from(self, alias: str, where: Sql, is_single: bool) -> Source:
        return Source(
            Sql(f"{self.table} AS {alias}"),
            where,
            f"{alias}.rid",
            f"{alias}.date",
            check=self.condition(alias),
            is_ordered=is_single,
            is_unique=is_single and self.is_unique,
        )


def keyed_leaf(
    planner: Planner,
    label: str,
    keys: Keys,
    predicate: Predicate,
    verify: Predicate | None = None,
) -> Leaf:
    """A leaf for rows that have one of the keys.

    Args:
        planner: The compilation.
        label: For people.
        keys: What is looked up.
        predicate: The same on a packed entry, `verify` included.
        verify: What the keyed table cannot tell, on a packed entry.
    """
    if keys.is_empty:
        return NOTHING
    is_by_key = verify is None and keys.are_few(planner)

    def probe(row: Row) -> Sql:
        return keys.exists(planner, row) if is_by_key else planner.test(predicate, row)

    sources = keys.sources(planner)
    if verify is not None:
        sources = [source.checked(planner.test(verify, source.row)) for source in sources]
    return Leaf(label, probe, tuple(sources))
