"""Names in GB18030 and GBK come through exactly: every character, also those whose bytes look
like delimiters, and those of four bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from random import Random

import pytest

from adapters.hl7v2 import charset, message
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert

MESSAGES = 5000
DELIMITERS = "|^~\\&"


def readable(codec: str) -> list[str]:
    """All letters, marks, numbers, signs of a charset that are not plain ASCII."""
    found = []
    for point in range(0x80, 0x323B0):
        character = chr(point)
        if unicodedata.category(character)[0] not in "LMNSP":
            continue
        try:
            if character.encode(codec).decode(codec) == character:
                found.append(character)
        except UnicodeError:
            continue
    return found


@lru_cache(maxsize=4)
def letters(codec: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """All of them; Han; with a trail byte that is a delimiter; of four bytes."""
    every = readable(codec)
    han = [one for one in every if "\u4e00" <= one <= "\u9fff"]
    trails = [one for one in every if chr(one.encode(codec)[-1]) in DELIMITERS]
    long = [one for one in every if len(one.encode(codec)) == 4]
    return every, han, trails, long


def maker(codec: str, seed: int) -> Callable[[], str]:
    """Makes texts of a charset."""
    rnd = Random(seed)
    pools = [pool for pool in letters(codec) if pool]
    ascii_signs = [*DELIMITERS, "A", "z", "7", "'", "-", "."]

    def text() -> str:
        pool = rnd.choice(pools)
        signs = [rnd.choice(pool) for _ in range(rnd.randint(1, 6))]
        if rnd.random() < 0.2:
            signs.insert(rnd.randrange(len(signs) + 1), rnd.choice(ascii_signs))
        return "".join(signs)

    return text


def admission(number: int, declared: str, texts: tuple[str, ...]) -> str:
    """An admission with a family name, a given name, a street and a contact's name."""
    family, given, street, contact = (message.escape(text) for text in texts)
    return "\r".join(
        (
            f"MSH|^~\\&|GEN|LAB|HUB|CENTRE|20260701080000||ADT^A01|G{number}|P|2.5||||||{declared}",
            "EVN|A01|20260701080000",
            f"PID|1||G{number}^^^GEN^MR||{family}^{given}||19800101|F|||{street}^^市",
            f"NK1|1|{contact}|SPO",
            f"PV1|1|I|||||||||||||||||V{number}^^^GEN^VN",
        )
    )


@pytest.mark.parametrize("codec", ["gb18030", "gbk"])
def test_the_letters_are_those_of_the_whole_charset(codec: str) -> None:
    every, han, trails, long = letters(codec)
    assert len(han) > 20_900
    assert {chr(one.encode(codec)[-1]) for one in trails} == set("|^~\\")
    if codec == "gb18030":
        assert len(every) > 130_000
        assert len(long) > 90_000


@pytest.mark.parametrize(
    ("codec", "declared", "setting"),
    [("gb18030", "GB 18030-2000", "detect"), ("gbk", "", "GBK")],
)
def test_thousands_of_names_come_through_exactly(codec: str, declared: str, setting: str) -> None:
    text = maker(codec, 20260701)
    site = Site(name="gen", charset=setting)
    for number in range(MESSAGES // 2):
        texts = (text(), text(), text(), text())
        raw = admission(number, declared, texts).encode(codec)
        decoded = charset.decode(raw, setting=setting, zone=site.zone)
        found = convert(message.parse(decoded.text, decoded.codec), site, 0)
        patient = next(one.resource for one in found.resources if one.type == "Patient")
        name, contact = patient["name"][0], patient["contact"][0]["name"]
        street = patient["address"][0]["line"][0]
        assert (name["family"], name["given"][0], street, contact["family"]) == texts
