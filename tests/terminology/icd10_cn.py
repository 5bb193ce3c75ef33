"""Invented tables in the shape of ICD-10's Chinese national clinical edition.

Categories (A00), subcategories (A00.0), six-place codes (A00.000), extended codes (A00.000x001),
dagger codes (A17.000+) with their asterisk code in a column of its own. The words are made of
parts, so that text filters find some and not others. No content of any published edition.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from itertools import islice

HEADER = ("主要编码", "附加编码", "疾病名称", "英文名称", "是否有效")
_PLACES = [
    "胃",
    "肠",
    "肝",
    "胆囊",
    "胰",
    "肺",
    "支气管",
    "心",
    "肾",
    "膀胱",
    "脑",
    "脊髓",
    "皮肤",
    "关节",
    "股骨",
    "胫骨",
    "眼",
    "耳",
    "鼻",
    "咽",
    "喉",
    "甲状腺",
    "乳腺",
    "子宫",
]
_LATIN = [
    "gastric",
    "intestinal",
    "hepatic",
    "biliary",
    "pancreatic",
    "pulmonary",
    "bronchial",
    "cardiac",
    "renal",
    "vesical",
    "cerebral",
    "spinal",
    "cutaneous",
    "articular",
    "femoral",
    "tibial",
    "ocular",
    "aural",
    "nasal",
    "pharyngeal",
    "laryngeal",
    "thyroid",
    "mammary",
    "uterine",
]
_KINDS = [
    "炎",
    "溃疡",
    "出血",
    "结核",
    "恶性肿瘤",
    "良性肿瘤",
    "梗阻",
    "穿孔",
    "囊肿",
    "结石",
    "脓肿",
    "狭窄",
    "扩张",
    "缺血",
    "坏死",
    "水肿",
]
_LATIN_KINDS = [
    "inflammation",
    "ulcer",
    "haemorrhage",
    "tuberculosis",
    "malignancy",
    "neoplasm",
    "obstruction",
    "perforation",
    "cyst",
    "calculus",
    "abscess",
    "stenosis",
    "dilatation",
    "ischaemia",
    "necrosis",
    "oedema",
]
_STATES = [
    "急性",
    "慢性",
    "亚急性",
    "复发性",
    "先天性",
    "获得性",
    "外伤性",
    "药物性",
    "感染性",
    "未特指的",
]
_LATIN_STATES = [
    "acute",
    "chronic",
    "subacute",
    "recurrent",
    "congenital",
    "acquired",
    "traumatic",
    "drug-induced",
    "infectious",
    "unspecified",
]

Row = tuple[str, str, str, str, str]


def rows(count: int = 35_000, seed: int = 10) -> Iterator[Row]:
    """So many rows below the header.

    Args:
        count: Rows.
        seed: Other seeds give other words and gaps.
    """
    return islice(_all(random.Random(seed)), count)


def table(count: int = 35_000, encoding: str = "utf-8-sig", seed: int = 10) -> bytes:
    """The file."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    writer.writerows(rows(count, seed))
    return stream.getvalue().encode(encoding)


def _all(chance: random.Random) -> Iterator[Row]:
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for number in range(100):
            category = f"{letter}{number:02}"
            place, kind = chance.randrange(len(_PLACES)), chance.randrange(len(_KINDS))
            yield (category, "", *_words(place, kind), "1")
            for digit in range(chance.randint(3, 9)):
                yield from _subcategory(chance, f"{category}.{digit}", place, kind)


def _subcategory(chance: random.Random, code: str, place: int, kind: int) -> Iterator[Row]:
    state = chance.randrange(len(_STATES))
    yield (code, "", *_words(place, kind, state), "1")
    dagger = chance.random() < 0.02
    main = f"{code}00+" if dagger else f"{code}00"
    asterisk = f"G{chance.randrange(100):02}.{chance.randrange(10)}*" if dagger else ""
    yield (main, asterisk, *_words(place, kind, state, "，其他"), "1")
    for extension in range(1, chance.randint(1, 12)):
        other = chance.randrange(len(_STATES))
        name, english = _words(place, kind, state, f"伴{_STATES[other]}改变{extension}")
        in_use = "0" if chance.random() < 0.03 else "1"
        yield (f"{code}00x{extension:03}", "", name, english, in_use)


def _words(place: int, kind: int, state: int | None = None, end: str = "") -> tuple[str, str]:
    chinese = f"{_PLACES[place]}{_KINDS[kind]}{end}"
    english = f"{_LATIN[place]} {_LATIN_KINDS[kind]}"
    if state is None:
        return chinese, english.capitalize()
    return _STATES[state] + chinese, f"{_LATIN_STATES[state]} {english}".capitalize()
