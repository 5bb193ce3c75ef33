"""A table of codes (CSV, TSV) into the columns of a code system; every bad row is told.

The first row with more than one cell is the header. Rows are counted as a spreadsheet counts
them. Called by `fhir-hub terminology load csv` through `terminology.loaders.storing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from terminology.core.shapes import Columns, Designation, Property
from terminology.loaders.columns import Roles, is_turned, read_columns
from terminology.loaders.encoding import decoded
from terminology.loaders.hierarchy import Named, by_column, by_prefix, looks_like_prefixes
from terminology.loaders.problems import FileRefused, Problems, refused, shown
from terminology.loaders.rows import Rows

Hierarchy = Literal["auto", "none", "prefix"]

LONGEST_CODE = 256
LONGEST_TEXT = 8_000
STEP = 1000
"""Rows between two calls of `progress`."""

SYNONYM = {"system": "http://snomed.info/sct", "code": "900000000000013009", "display": "Synonym"}

_YES = frozenset(["1", "y", "yes", "true", "t", "是"])
_NO = frozenset(["0", "n", "no", "false", "f", "否"])
_ON = frozenset(["active", "有效", "启用", "正常", "在用", "使用", "已启用", "生效"])
_OFF = frozenset(
    (
        "inactive",
        "retired",
        "无效",
        "停用",
        "作废",
        "废止",
        "禁用",
        "已停用",
        "失效",
        "未启用",
        "删除",
    )
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE_IN_CODE = re.compile(r"\s\s|[^\S ]")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+\Z")
_CELL_ERROR = re.compile(r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)\Z")
_SEPARATOR = re.compile(r"\s*[;；|]\s*")
_HAN = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Options:
    """How a table is to be read.

    Attributes:
        columns: From `parse_choice`; what it does not say is guessed.
        encoding: "" to find out.
        delimiter: "" to find out.
        hierarchy: `prefix`: the longest other code that a code begins with is its parent;
            `auto`: a column for the parent, else by prefix when the codes look like ICD's.
        language: Of the displays; "" to guess between zh and en.
        keep_going: Leave bad rows out instead of refusing the file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    hierarchy: Hierarchy = "auto"
    language: str = ""
    keep_going: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a file held.

    Attributes:
        columns: The concepts.
        properties: Codes of the properties and the names of their columns.
        language: Of the displays.
        encoding: What it was read in.
        delimiter: What it was separated by.
        hierarchy: `parent`, `levels`, `prefix` or `none`.
        roles: What its columns were taken for.
        problems: Rows that were left out, with `keep_going`.
    """

    columns: Columns
    properties: Mapping[str, str]
    language: str
    encoding: str
    delimiter: str
    hierarchy: str
    roles: Roles
    problems: Problems


def _no_progress(done: int) -> None:
    """Tell nobody."""


def read_table(
    data: bytes, options: Options, progress: Callable[[int], None] = _no_progress
) -> Table:
    """Read a whole table.

    Args:
        data: The file.
        options: How.
        progress: Is told how many more rows are done.

    Raises:
        FileRefused: Something is wrong with it, and bad rows were not to be left out.
    """
    text, encoding = decoded(data, options.encoding)
    rows = Rows(text, options.delimiter)
    header = rows.header()
    roles = read_columns(header, options.columns)
    problems = Problems()
    reading = _Reading(roles, problems)
    done = 0
    for number, cells in rows.rest(problems):
        reading.take(number, cells)
        if number - done >= STEP:
            progress(number - done)
            done = number
    progress(rows.count - done)
    hierarchy = _link(reading, options.hierarchy, problems)
    if problems.count and not options.keep_going:
        raise FileRefused(problems)
    if problems.count:
        _drop(reading)
    if not reading.columns.codes:
        raise FileRefused(problems) if problems.count else refused("terminology-no-rows")
    properties = {code: roles.header[position] for code, position in roles.properties.items()}
    language = options.language or _language(reading.columns.displays)
    return Table(
        reading.columns,
        properties,
        language,
        encoding,
        rows.delimiter,
        hierarchy,
        roles,
        problems,
    )


# --- cells ----------------------------------------------------------------------------------


class _Reading:
    """Takes rows in.

    Attributes:
        columns: The concepts so far.
        rows: Row of each concept.
        parents: Code of the parent of each concept, "" for none.
        index: Code to ordinal.
        left_out: Codes of rows with a problem.
        above: Codes that so far only stand above others in their rows.
    """

    def __init__(self, roles: Roles, problems: Problems) -> None:
        self.roles, self.problems = roles, problems
        self.columns = Columns()
        self.rows: list[int] = []
        self.parents: list[str] = []
        self.index: dict[str, int] = {}
        self.left_out: set[str] = set()
        self.above: set[str] = set()
        self._width = len(roles.header)
        self._turned = roles.status is not None and is_turned(roles.header[roles.status])
        self._languages = tuple(roles.languages.items())
        self._properties = tuple(roles.properties.items())

    def take(self, number: int, given: Sequence[str]) -> None:
        """One row."""
        width = self._width
        cells = [cell.strip() for cell in given]
        if len(cells) > width:
            if any(cells[width:]):
                self.problems.add(
                    number, "", "terminology-too-many-cells", found=len(cells), wanted=width
                )
                return
            del cells[width:]
        elif len(cells) < width:
            cells.extend("" for _ in range(width - len(cells)))
        if not any(cells):
            return
        before = self.problems.count
        for position, cell in enumerate(cells):
            # Few cells are worth a closer look; a table may have a million of them.
            if cell and (cell[0] in "=#" or len(cell) > LONGEST_CODE or not cell.isprintable()):
                self._check(number, position, cell)
        code = self._code(number, cells)
        display = self._display(number, cells)
        inactive = self._is_inactive(number, cells)
        for at, _ in self.roles.levels:
            if _SPACE_IN_CODE.search(cells[at]):
                level, column = shown(cells[at]), self.roles.header[at]
                self.problems.add(number, column, "terminology-code-space", code=level)
        if self.problems.count == before:
            self._add(number, cells, code, display, inactive)
        else:
            self.left_out.add(code)

    def _check(self, number: int, position: int, cell: str) -> None:
        """Refuse what no cell may hold."""
        column = self.roles.header[position]
        if cell[0] == "=":
            self.problems.add(number, column, "terminology-formula", cell=shown(cell))
        elif _CELL_ERROR.match(cell):
            self.problems.add(number, column, "terminology-cell-error", cell=shown(cell))
        elif len(cell) > LONGEST_TEXT:
            self.problems.add(number, column, "terminology-cell-long", limit=LONGEST_TEXT)
        elif (found := _CONTROL.search(cell)) is not None:
            name = f"U+{ord(found[0]):04X}"
            self.problems.add(number, column, "terminology-control", name=name)

    def _code(self, number: int, cells: Sequence[str]) -> str:
        code, column = cells[self.roles.code], self.roles.header[self.roles.code]
        if not code:
            self.problems.add(number, column, "terminology-no-code")
        elif len(code) > LONGEST_CODE:
            self.problems.add(number, column, "terminology-cell-long", limit=LONGEST_CODE)
        elif _SPACE_IN_CODE.search(code):
            self.problems.add(number, column, "terminology-code-space", code=shown(code))
        elif _SCIENTIFIC.match(code):
            self.problems.add(number, column, "terminology-code-number", code=shown(code))
        elif code in self.index and code not in self.above:
            first = self.rows[self.index[code]]
            self.problems.add(
                number, column, "terminology-code-twice", code=shown(code), first=first
            )
        return code

    def _display(self, number: int, cells: Sequence[str]) -> str:
        position = self.roles.display
        if position is None:
            return ""
        if not cells[position]:
            self.problems.add(number, self.roles.header[position], "terminology-no-display")
        return cells[position]

    def _is_inactive(self, number: int, cells: Sequence[str]) -> bool:
        position = self.roles.status
        if position is None or not cells[position]:
            return False
        value = cells[position].casefold()
        if value in _YES or value in _NO:
            # In a column `停用` (out of use), yes means no.
            return (value in _YES) == self._turned
        if value not in _ON and value not in _OFF:
            column = self.roles.header[position]
            self.problems.add(number, column, "terminology-status", cell=shown(cells[position]))
        return value in _OFF

    def _add(
        self, number: int, cells: Sequence[str], code: str, display: str, inactive: bool
    ) -> None:
        columns, roles = self.columns, self.roles
        parent = self._levels(number, cells, code) if roles.levels else ""
        if roles.parent is not None:
            parent = cells[roles.parent]
        ordinal = self._concept(number, code, display, parent)
        self.above.discard(code)
        if roles.definition is not None and cells[roles.definition]:
            columns.definitions[ordinal] = cells[roles.definition]
        designations = [
            Designation(cells[position], tag)
            for tag, position in self._languages
            if cells[position]
        ]
        if roles.synonym is not None and cells[roles.synonym]:
            designations += [
                Designation(word, "", SYNONYM)
                for word in _SEPARATOR.split(cells[roles.synonym])
                if word
            ]
        if designations:
            columns.designations[ordinal] = designations
        properties = [
            Property(name, "string", cells[position])
            for name, position in self._properties
            if cells[position]
        ]
        if inactive:
            properties.append(Property("inactive", "boolean", True))
        if properties:
            columns.properties[ordinal] = properties

    def _levels(self, number: int, cells: Sequence[str], code: str) -> str:
        """Take in what stands above a code in its row; gives the code of its parent."""
        parent = ""
        for at, name in self.roles.levels:
            level = cells[at]
            if not level or level == code:
                continue
            if level not in self.index:
                display = cells[name] if name is not None else ""
                self._concept(number, level, display, parent)
                self.above.add(level)
            parent = level
        return parent

    def _concept(self, number: int, code: str, display: str, parent: str) -> int:
        """Append a concept, or complete one that stood above others; gives its ordinal."""
        ordinal = self.index.get(code)
        if ordinal is None:
            ordinal = self.index[code] = len(self.columns.codes)
            self.columns.codes.append(code)
            self.columns.displays.append(display)
            self.rows.append(number)
            self.parents.append(parent)
        else:
            self.columns.displays[ordinal] = display or self.columns.displays[ordinal]
            self.rows[ordinal] = number
        return ordinal


def _link(reading: _Reading, hierarchy: Hierarchy, problems: Problems) -> str:
    """Put the concepts in their hierarchy; tells by what."""
    columns, roles = reading.columns, reading.roles
    if hierarchy == "none":
        return "none"
    if (roles.parent is not None or roles.levels) and hierarchy == "auto":
        place = roles.levels[0][0] if roles.parent is None else roles.parent
        name = roles.header[place]
        named = Named(columns.codes, reading.parents, reading.rows, name)
        columns.parents = by_column(named, reading.index, reading.left_out, problems)
        return "levels" if roles.parent is None else "parent"
    if hierarchy == "prefix" or looks_like_prefixes(columns.codes):
        columns.parents = by_prefix(columns.codes, reading.index)
        return "prefix" if columns.parents else "none"
    return "none"


def _drop(reading: _Reading) -> None:
    """Leave the concepts out whose parent is wrong; what stands under them becomes a root."""
    bad = {ordinal for ordinal, row in enumerate(reading.rows) if row in reading.problems.rows}
    if not bad:
        return
    old = reading.columns
    kept = [ordinal for ordinal in range(len(old.codes)) if ordinal not in bad]
    place = {ordinal: new for new, ordinal in enumerate(kept)}
    reading.columns = Columns(
        [old.codes[ordinal] for ordinal in kept],
        [old.displays[ordinal] for ordinal in kept],
        {place[ordinal]: one for ordinal, one in old.definitions.items() if ordinal in place},
        {place[ordinal]: one for ordinal, one in old.designations.items() if ordinal in place},
        {place[ordinal]: one for ordinal, one in old.properties.items() if ordinal in place},
        {
            place[ordinal]: above
            for ordinal, parents in old.parents.items()
            if ordinal in place and (above := [place[one] for one in parents if one in place])
        },
    )


def _language(displays: Sequence[str]) -> str:
    """Chinese when most of the first displays hold Han, else English."""
    first = displays[:200]
    return "zh" if 2 * sum(1 for one in first if _HAN.search(one)) > len(first) else "en"
