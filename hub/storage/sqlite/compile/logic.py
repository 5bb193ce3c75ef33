"""And, or, not: which criterion lists candidates, and how the others test them.

Called by `hub.storage.sqlite.compile.order` for a search and by `chains` for inner criteria.
"""

from __future__ import annotations

from dataclasses import replace

from hub.storage.sqlite.compile.fragments import (
    EVERYTHING,
    EVERYWHERE,
    NOTHING,
    NOWHERE,
    All,
    Leaf,
    Node,
    Row,
    Some,
    Source,
    Sql,
    Without,
    either,
    every,
)
from hub.storage.sqlite.compile.planner import Planner

Types = tuple[int, ...]


def all_of(nodes: list[Node]) -> Node:
    """The nodes joined by and, simplified."""
    flat: list[Node] = []
    for node in nodes:
        if node is NOTHING:
            return NOTHING
        if isinstance(node, All):
            flat.extend(node.nodes)
        elif node is not EVERYTHING:
            flat.append(node)
    if not flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def some_of(nodes: list[Node]) -> Node:
    """The nodes joined by or, simplified."""
    flat: list[Node] = []
    for node in nodes:
        if node is EVERYTHING:
            return EVERYTHING
        if isinstance(node, Some):
            flat.extend(node.nodes)
        elif node is not NOTHING:
            flat.append(node)
    if not flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def without(node: Node) -> Node:
    """Not the node, simplified."""
    if node is NOTHING:
        return EVERYTHING
    if node is EVERYTHING:
        return NOTHING
    return node.node if isinstance(node, Without) else Without(node)


def probe(planner: Planner, node: Node, row: Row) -> Sql:
    """The condition that a row at hand meets a node."""
    match node:
        case All(nodes):
            return every([probe(planner, one, row) for one in nodes])
        case Some(nodes):
            return either([probe(planner, one, row) for one in nodes])
        case Without(inner):
            if inner is EVERYTHING:
                return NOWHERE
            found = probe(planner, inner, row)
            return Sql(f"NOT ({found.text})", found.values)
        case _:
            return EVERYWHERE if node is EVERYTHING else node.probe(row)


def can_drive(node: Node) -> bool:
    """Whether the node can list its rows."""
    match node:
        case All(nodes):
            return any(can_drive(one) for one in nodes)
        case Some(nodes):
            return all(can_drive(one) for one in nodes)
        case Without():
            return False
        case _:
            return node.sources is not None


def count(planner: Planner, node: Node, most: int) -> int:
    """Rows the node would list, as far as that is cheap to know; `most` if as many or more."""
    match node:
        case All(nodes):
            return min(count(planner, one, most) for one in nodes if can_drive(one))
        case Some(nodes):
            total = 0
            for one in nodes:
                total += count(planner, one, most - total)
                if total >= most:
                    return most
            return total
        case Leaf(sources=sources) if sources is not None:
            return planner.count(sources, most)
        case _:
            return most


def choose(planner: Planner, nodes: tuple[Node, ...]) -> Node | None:
    """The node that lists the fewest rows, None if none lists any."""
    able = [node for node in nodes if can_drive(node)]
    for most in planner.limits.counts:
        if len(able) <= 1:
            break
        counted = [(count(planner, node, most), node) for node in able]
        fewest = min(found for found, _ in counted)
        able = [node for found, node in counted if found == fewest]
        if fewest < most:
            break
    if len(able) > 1:
        able.sort(key=_is_unordered)
    return able[0] if able else None


def _is_unordered(node: Node) -> bool:
    sources = node.sources if isinstance(node, Leaf) else None
    return not sources or not all(source.is_ordered for source in sources)


def drive(planner: Planner, node: Node, types: Types) -> tuple[Source, ...] | None:
    """Sources that together list all rows that meet a node; None if it can only test rows."""
    match node:
        case All(nodes):
            chosen = choose(planner, nodes)
            sources = None if chosen is None else drive(planner, chosen, types)
            if sources is None:
                return None
            others = tuple(one for one in nodes if one is not chosen)
            return tuple(restricted(planner, source, others) for source in sources)
        case Some(nodes):
            found: list[Source] = []
            for one in nodes:
                listed = drive(planner, one, types)
                if listed is None:
                    return None
                found.extend(listed)
            return tuple(found)
        case Without():
            return None
        case _:
            return node.sources


def restricted(planner: Planner, source: Source, nodes: tuple[Node, ...]) -> Source:
    """The source's rows that also meet other nodes."""
    if not nodes:
        return source
    at = dated(planner, source)
    tested = at.checked(every([probe(planner, one, at.row) for one in nodes]))
    return replace(tested, bare=source, tests=nodes)


def dated(planner: Planner, source: Source) -> Source:
    """The source with its rows' dates at hand."""
    if source.date:
        return source
    table = planner.alias()
    tables = f"{source.tables.text} CROSS JOIN entry AS {table} ON {table}.rid = {source.rid}"
    return replace(
        source,
        tables=Sql(tables, source.tables.values),
        date=f"{table}.date",
        shape=f"{table}.shape",
        packed=f"{table}.packed",
    )
