"""Resident identity numbers (GB 11643) and phone numbers that belong to nobody.

The division digits start with `00`, which GB/T 2260 has never assigned, and the phone numbers
with `100`, which no mobile network uses.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Literal

RESIDENT_ID_SYSTEM = "urn:oid:2.16.156.10011.1.3"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"


def check_digit(first17: str) -> str:
    """The 18th character by ISO 7064 MOD 11-2.

    Args:
        first17: Seventeen digits.
    """
    total = sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True))
    return CHECK_DIGITS[total % 11]


def resident_id(division: str, birth: date, serial: int, gender: Literal["male", "female"]) -> str:
    """An 18-character resident identity number.

    Args:
        division: Six digits that start with `00`.
        birth: Date of birth.
        serial: 0..499; male gets the odd, female the even sequence number.
        gender: Administrative gender.
    """
    sequence = serial * 2 + (gender == "male")
    first17 = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return first17 + check_digit(first17)


def phone(random: Random) -> str:
    """An eleven-digit number in a range that no network uses."""
    return f"100{random.randrange(10**8):08d}"
