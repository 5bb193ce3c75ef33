"""What the columns of a table of codes mean, by their names in Chinese and English.

What is not recognised becomes a property. `--columns code=编码,en=英文名` overrides any guess.
Used by the CSV loader.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from terminology.loaders.problems import refused, shown

ROLES = ("code", "display", "parent", "status", "definition", "synonym")
IGNORED = "-"
"""A role for `--columns`: the column is left out (`-=备注`)."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "code": (
        "code",
        "编码",
        "代码",
        "主要编码",
        "主编码",
        "疾病编码",
        "疾病代码",
        "诊断编码",
        "诊断代码",
        "手术编码",
        "手术操作编码",
        "主要编码(icd)",
        "国临版编码",
        "国家临床版编码",
        "医保版编码",
        "医保编码",
        "项目编码",
        "项目代码",
        "药品编码",
        "检验编码",
        "条目编码",
        "值",
        "concept code",
        "conceptcode",
        "concept id",
        "conceptid",
        "code value",
        "id",
        "icd code",
        "icd10",
        "icd-10",
        "icd10编码",
        "icd-10编码",
        "icd编码",
        "loinc_num",
        "编号",
    ),
    "display": (
        "display",
        "名称",
        "中文名称",
        "中文名",
        "疾病名称",
        "诊断名称",
        "手术名称",
        "手术操作名称",
        "项目名称",
        "药品名称",
        "检验名称",
        "条目名称",
        "值含义",
        "含义",
        "国临版名称",
        "国家临床版名称",
        "医保版名称",
        "name",
        "term",
        "label",
        "title",
        "preferred term",
        "description",
        "long description",
        "short description",
        "display name",
        "显示名称",
    ),
    "parent": (
        "parent",
        "parent code",
        "parentcode",
        "parent id",
        "parentid",
        "上级编码",
        "上级代码",
        "父编码",
        "父代码",
        "父级编码",
        "父级代码",
        "父节点",
        "上级",
        "父级",
        "broader",
        "is a",
        "subclass of",
        "subclassof",
    ),
    "status": (
        "status",
        "状态",
        "有效",
        "是否有效",
        "有效标志",
        "有效标识",
        "启用",
        "是否启用",
        "启用标志",
        "active",
        "inactive",
        "停用",
        "是否停用",
        "停用标志",
        "作废",
        "使用状态",
    ),
    "definition": ("definition", "定义", "说明", "解释", "备注说明"),
    "synonym": ("synonym", "synonyms", "alias", "aliases", "别名", "同义词", "俗称", "曾用名"),
}
_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "en": ("en", "english", "英文", "英文名", "英文名称", "english name", "name_en", "display_en",
           "display.en", "name en"),
    "zh": ("zh", "chinese", "中文", "chinese name", "name_zh", "display_zh", "zh-cn"),
}  # fmt: skip
_LEVELS = (
    (("章代码范围", "章代码"), ("章的名称", "章名称")),
    (("节代码范围", "节代码"), ("节名称", "节的名称")),
    (("类目代码", "类目编码"), ("类目名称",)),
    (("亚目代码", "亚目编码"), ("亚目名称",)),
    (("细目代码", "细目编码"), ("细目名称",)),
)
"""What stands above a code in the same row, as in ICD-10's Chinese insurance edition."""

_TAG = re.compile(r"[a-z]{2}(?:-[A-Za-z0-9]{2,8})*\Z")
"""A role that is a language: two letters, or a tag that begins with them."""

_PROPERTY = re.compile(r"[^\s|,=]{1,64}\Z")
_BY_NAME = {name: role for role, names in _NAMES.items() for name in names}
_LANGUAGE_BY_NAME = {name: tag for tag, names in _LANGUAGES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a table's columns, by position.

    Attributes:
        header: Names as they stand in the file.
        code: Position of the codes.
        display: Position of the displays, None without.
        parent: Position of the parents' codes, None without.
        status: Position of the status, None without.
        definition: Position of the definitions, None without.
        synonym: Position of synonyms, None without.
        languages: Designations: language tag to position.
        properties: Property code to position.
        levels: Positions of code and name (None without) of what stands above, outermost first.
    """

    header: tuple[str, ...]
    code: int
    display: int | None
    parent: int | None
    status: int | None
    definition: int | None
    synonym: int | None
    languages: Mapping[str, int]
    properties: Mapping[str, int]
    levels: tuple[tuple[int, int | None], ...] = ()


def parse_choice(text: str) -> dict[str, str]:
    """What `--columns` says: role, language or property code to the name of a column.

    Args:
        text: `code=编码,display=名称,en=英文名`.

    Raises:
        FileRefused: A part of it has no `=`, or names a role twice.
    """
    found: dict[str, str] = {}
    for part in re.split(r"[,，]", text):
        role, equals, column = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not equals or not role or not column or (role in found and role != IGNORED):
            raise refused("terminology-columns-syntax", part=shown(part))
        if role == IGNORED:
            role = f"{IGNORED}{len(found)}"
        found[role] = column
    return found


def read_columns(header: Sequence[str], choice: Mapping[str, str]) -> Roles:
    """The meaning of a header.

    Args:
        header: The cells of the first row.
        choice: From `parse_choice`.

    Raises:
        FileRefused: No column holds codes, a chosen column is not there, or names repeat.
    """
    names = tuple(cell.strip() for cell in header)
    plain = [_plain(name) for name in names]
    taken: dict[str, int] = {}
    left: set[int] = set()
    for role, column in choice.items():
        position = _position(column, names, plain)
        if role.startswith(IGNORED):
            left.add(position)
        elif position in taken.values():
            raise refused("terminology-columns-twice", column=shown(column))
        else:
            taken[role] = position
    # A name that is spelled out wins over one further left that means the same.
    for role, known in _NAMES.items():
        for name in known:
            if role not in taken and name in plain:
                position = plain.index(name)
                if position not in taken.values() and position not in left:
                    taken[role] = position
    if "code" not in taken:
        raise refused("terminology-no-code-column", 1, header=shown(", ".join(names)))
    for position, name in enumerate(plain):
        tag = _LANGUAGE_BY_NAME.get(name)
        if tag and tag not in taken and position not in taken.values() and position not in left:
            taken[tag] = position
    levels = _levels(plain, {*taken.values(), *left})
    left |= {place for pair in levels for place in pair if place is not None}
    return replace(_roles(names, taken, left), levels=levels)


def _levels(plain: Sequence[str], used: set[int]) -> tuple[tuple[int, int | None], ...]:
    """The columns of what stands above a code in its row."""

    def place(known: Sequence[str]) -> int | None:
        return next(
            (
                plain.index(name)
                for name in known
                if name in plain and plain.index(name) not in used
            ),
            None,
        )

    found = ((place(codes), place(names)) for codes, names in _LEVELS)
    return tuple((code, name) for code, name in found if code is not None)


def _roles(names: tuple[str, ...], taken: dict[str, int], left: set[int]) -> Roles:
    """Sort what is taken into roles, languages and properties; the rest are properties."""
    languages = {
        role: position for role, position in taken.items() if role not in ROLES and _TAG.match(role)
    }
    properties = {
        role: position
        for role, position in taken.items()
        if role not in ROLES and role not in languages
    }
    if "display" not in taken and languages:
        # A table with languages only: the first of them is what is shown.
        taken["display"] = languages.pop(next(iter(languages)))
    for position, name in enumerate(names):
        if position in taken.values() or position in left or not name:
            continue
        code = re.sub(r"[\s|,=]+", "-", name)[:64]
        if code in properties:
            raise refused("terminology-columns-repeat", 1, column=shown(name))
        properties[code] = position
    for code in properties:
        if not _PROPERTY.match(code):
            raise refused("terminology-columns-syntax", part=shown(code))
    return Roles(
        names,
        code=taken["code"],
        display=taken.get("display"),
        parent=taken.get("parent"),
        status=taken.get("status"),
        definition=taken.get("definition"),
        synonym=taken.get("synonym"),
        languages=languages,
        properties=properties,
    )


def _position(column: str, names: Sequence[str], plain: Sequence[str]) -> int:
    if column in names:
        return names.index(column)
    if _plain(column) in plain:
        return plain.index(_plain(column))
    if column.isascii() and column.isdigit() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise refused(
        "terminology-column-missing", 1, column=shown(column), header=shown(", ".join(names))
    )


def _plain(name: str) -> str:
    """A name as it is compared: case, width and space at its ends do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("*", "").split())


def is_turned(name: str) -> bool:
    """Whether a status column says what is off (`停用`, `inactive`), not what is on."""
    return _plain(name) in ("inactive", "停用", "是否停用", "停用标志", "作废")
