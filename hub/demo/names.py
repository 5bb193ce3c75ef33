"""Chinese personal names with their pinyin: surnames as often as they are, common given names."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Any

_TABLE = tomllib.loads(files("hub.demo").joinpath("names.toml").read_text("utf-8"))
_COUNTED: list[list[str]] = [entry.split(":") for entry in _TABLE["surnames"].split()]
SURNAMES: list[str] = [surname for surname, _ in _COUNTED]
_UP_TO: list[int] = list(accumulate(int(count) for _, count in _COUNTED))
MALE: list[str] = _TABLE["male"].split()
FEMALE: list[str] = _TABLE["female"].split()

PINYIN_EXTENSION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def _split(entry: str) -> tuple[str, str]:
    """Part the Han characters of a table entry from their pinyin."""
    cut = next(index for index, letter in enumerate(entry) if letter < "\u0300")
    return entry[:cut], entry[cut:]


def names(random: Random, gender: str, surname: str | None = None) -> list[dict[str, Any]]:
    """HumanNames of one invented person: in Han characters, and in pinyin.

    Args:
        random: Source of choice.
        gender: `male` or `female`.
        surname: An entry of `SURNAMES` for relatives who share one.
    """
    family, family_pinyin = _split(surname or random.choices(SURNAMES, cum_weights=_UP_TO)[0])
    table = MALE if gender == "male" else FEMALE
    given = [_split(random.choice(table)) for _ in range(random.choice((1, 2, 2, 2)))]
    han = "".join(part[0] for part in given)
    pinyin = "".join(part[1] for part in given).capitalize()
    return [
        {"use": "official", "text": family + han, "family": family, "given": [han]},
        {
            "extension": [{"url": PINYIN_EXTENSION, "valueCode": "SYL"}],
            "use": "usual",
            "text": f"{family_pinyin} {pinyin}",
            "family": family_pinyin,
            "given": [pinyin],
        },
    ]
