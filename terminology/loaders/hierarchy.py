"""The hierarchy of a table of codes: by a column that names the parent, or by the codes.

Used by the CSV loader. A cycle is a problem of the file, with its row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from terminology.loaders.problems import Problems, shown

ROOTS = frozenset(("0", "-1", "-", "/", "root", "ROOT", "无", "NULL", "null"))
"""What stands in a column of parents when there is none."""

_ICD = re.compile(r"[A-Z]\d\d(?:[.\dA-Zx+*†-]|$)|\d\d\.\d")
_MARKS = "+*†!"


class Named(NamedTuple):
    """What a column says of the parents.

    Attributes:
        codes: All codes.
        parents: For each code what stands in the column; several with `;` or `|`.
        rows: Row of each code.
        column: Name of the column.
    """

    codes: Sequence[str]
    parents: Sequence[str]
    rows: Sequence[int]
    column: str


def by_column(
    named: Named, index: Mapping[str, int], left_out: Collection[str], problems: Problems
) -> dict[int, list[int]]:
    """Parents as a column names them.

    Args:
        named: The column.
        index: Code to ordinal.
        left_out: Codes of rows that have problems already.
        problems: Takes unknown parents and cycles.

    Returns:
        Ordinal to the ordinals of its parents.
    """
    found: dict[int, list[int]] = {}
    rows, column = named.rows, named.column
    for ordinal, cell in enumerate(named.parents):
        if not cell:
            continue
        codes = [cell] if cell in index else [one for one in re.split(r"\s*[;；|]\s*", cell) if one]
        for code in codes:
            above = index.get(code)
            if above == ordinal:
                problems.add(rows[ordinal], column, "terminology-parent-self")
            elif above is not None:
                found.setdefault(ordinal, []).append(above)
            elif code not in ROOTS and code not in left_out:
                problems.add(rows[ordinal], column, "terminology-parent-unknown", code=shown(code))
    for cycle in _cycles(found):
        path = " > ".join(shown(named.codes[ordinal]) for ordinal in (*cycle[:6], cycle[0]))
        problems.add(rows[cycle[0]], column, "terminology-parent-cycle", path=path)
    return found


def by_prefix(codes: Sequence[str], index: Mapping[str, int]) -> dict[int, list[int]]:
    """The longest other code that a code begins with is its parent.

    A dot at the end of the beginning does not count, nor a dagger or asterisk at that of a code:
    A00 > A00.0 > A00.000 > A00.000x001.

    Args:
        codes: All codes.
        index: Code to ordinal.
    """
    plain = {code.rstrip(_MARKS): ordinal for code, ordinal in index.items() if code[-1] in _MARKS}
    found: dict[int, list[int]] = {}
    for ordinal, code in enumerate(codes):
        stem = code.rstrip(_MARKS)
        for end in range(len(stem) - 1, 0, -1):
            start = stem[:end].rstrip(".")
            above = index.get(start)
            if above is None:
                above = plain.get(start)
            if above is not None and above != ordinal:
                found[ordinal] = [above]
                break
    return found


def looks_like_prefixes(codes: Sequence[str]) -> bool:
    """Whether nearly all codes have the shape of ICD-10 or ICD-9-CM-3."""
    step = max(1, len(codes) // 1000)
    sample = codes[::step]
    return bool(sample) and sum(1 for code in sample if _ICD.match(code)) > 0.9 * len(sample)


def _cycles(parents: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """Cycles, each once: a walk up from every ordinal that does not walk where one walked."""
    done: set[int] = set()
    cycles: list[list[int]] = []
    for start in parents:
        if start in done:
            continue
        path: list[int] = [start]
        place = {start: 0}
        waiting = [iter(parents.get(start, ()))]
        while waiting:
            above = next(waiting[-1], None)
            if above is None:
                waiting.pop()
                finished = path.pop()
                del place[finished]
                done.add(finished)
            elif above in place:
                cycles.append(path[place[above] :])
            elif above not in done:
                place[above] = len(path)
                path.append(above)
                waiting.append(iter(parents.get(above, ())))
    return cycles
