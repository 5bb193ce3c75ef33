"""Readings of hypertension and diabetes care: blood pressure, glucose, HbA1c, weight, pulse.

Values follow a person's own level with drift towards the treatment goal and daily noise, so
that charts and searches look like care and not like dice.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from hub.demo.centre import Resource, concept

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured thing: LOINC code, words, unit, digits, and the upper limit of normal."""

    code: str
    display: str
    text: str
    unit: str
    ucum: str
    places: int
    high: Decimal | None
    category: str = "vital-signs"


SYSTOLIC = Reading("8480-6", "Systolic blood pressure", "收缩压", "mmHg", "mm[Hg]", 0, Decimal(139))
DIASTOLIC = Reading(
    "8462-4", "Diastolic blood pressure", "舒张压", "mmHg", "mm[Hg]", 0, Decimal(89)
)
PULSE = Reading("8867-4", "Heart rate", "心率", "次/分", "/min", 0, Decimal(100))
WEIGHT = Reading("29463-7", "Body weight", "体重", "kg", "kg", 1, None)
HEIGHT = Reading("8302-2", "Body height", "身高", "cm", "cm", 0, None)
GLUCOSE = Reading(
    "14771-0",
    "Fasting glucose [Moles/volume] in Serum or Plasma",
    "空腹血糖",
    "mmol/L",
    "mmol/L",
    1,
    Decimal("7.0"),
    "laboratory",
)
HBA1C = Reading(
    "4548-4",
    "Hemoglobin A1c/Hemoglobin.total in Blood",
    "糖化血红蛋白",
    "%",
    "%",
    1,
    Decimal("7.0"),
    "laboratory",
)
PANEL = ("85354-9", "Blood pressure panel with all children optional", "血压")


def quantity(reading: Reading, value: float) -> Resource:
    """A Quantity with the digits that the device shows."""
    return {
        "value": Decimal(f"{value:.{reading.places}f}") if reading.places else round(value),
        "unit": reading.unit,
        "system": UCUM,
        "code": reading.ucum,
    }


def interpretation(reading: Reading, value: float) -> list[Resource]:
    """High or normal, for readings that have a limit."""
    assert reading.high is not None
    code, display = ("H", "High") if value > reading.high else ("N", "Normal")
    return [concept(INTERPRETATION, code, display)]


def observation(id: str, reading: Reading, value: float, when: str, shared: Resource) -> Resource:
    """A single-value Observation.

    Args:
        id: Logical id.
        reading: What was measured.
        value: In the reading's unit.
        when: effectiveDateTime with offset.
        shared: subject, encounter and performer.
    """
    made: Resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": reading.category}]}],
        "code": concept(LOINC, reading.code, reading.display, reading.text),
        **shared,
        "effectiveDateTime": when,
        "valueQuantity": quantity(reading, value),
    }
    if reading.high is not None:
        made["interpretation"] = interpretation(reading, value)
    return made


def blood_pressure(
    id: str, systolic: float, diastolic: float, when: str, shared: Resource
) -> Resource:
    """A blood pressure Observation with two components, as the R4 vital signs profile has it."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "code": concept(LOINC, *PANEL),
        **shared,
        "effectiveDateTime": when,
        "interpretation": interpretation(SYSTOLIC, systolic),
        "component": [
            {
                "code": concept(LOINC, reading.code, reading.display, reading.text),
                "valueQuantity": quantity(reading, value),
            }
            for reading, value in ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
        ],
    }


@dataclass(frozen=True, slots=True)
class Level:
    """A person's own levels at the first visit."""

    systolic: float
    diastolic: float
    glucose: float
    weight: float
    height: float
    pulse: float


ADULT = 18
CHILD_HEIGHT = (
    62,
    76,
    88,
    96,
    103,
    110,
    116,
    122,
    128,
    133,
    139,
    145,
    151,
    157,
    161,
    164,
    166,
    167,
)
"""Centimetres by years of age."""


def level(random: Random, conditions: frozenset[str], gender: str, age: int) -> Level:
    """Draw a person's levels.

    Args:
        random: Source of choice.
        conditions: `hypertension`, `diabetes`.
        gender: `male` or `female`.
        age: Years.
    """
    if age < ADULT:
        return _child(random, age)
    tense, sweet = "hypertension" in conditions, "diabetes" in conditions
    height = random.gauss(169 if gender == "male" else 158, 6)
    bmi = min(38.0, max(17.5, random.gauss(26 if tense or sweet else 23, 3)))
    return Level(
        systolic=min(195.0, random.gauss(154, 11) if tense else random.gauss(121, 9)),
        diastolic=min(115.0, random.gauss(94, 7) if tense else random.gauss(76, 6)),
        glucose=min(18.0, max(4.0, random.gauss(9.2, 1.8) if sweet else random.gauss(5.2, 0.4))),
        weight=bmi * (height / 100) ** 2,
        height=height,
        pulse=random.gauss(74, 8),
    )


def _child(random: Random, age: int) -> Level:
    height = random.gauss(CHILD_HEIGHT[max(0, age)], 3)
    bmi = max(13.0, random.gauss(16 + 0.25 * age, 1))
    return Level(
        systolic=random.gauss(88 + 1.6 * age, 5),
        diastolic=random.gauss(54 + 0.9 * age, 4),
        glucose=max(3.9, random.gauss(4.9, 0.3)),
        weight=bmi * (height / 100) ** 2,
        height=height,
        pulse=random.gauss(122 - 2.8 * age, 6),
    )


def readings(
    random: Random, person: Level, sweet: bool, progress: float
) -> list[tuple[Reading | None, tuple[float, ...]]]:
    """What is measured at one visit; None stands for blood pressure.

    Args:
        random: Source of choice.
        person: Levels at the first visit.
        sweet: Whether glucose and HbA1c are followed.
        progress: 0 at the first visit, 1 at the last: treatment shows.
    """
    ease = 1 - 0.14 * progress
    systolic = person.systolic if person.systolic < 135 else person.systolic * ease
    diastolic = person.diastolic if person.diastolic < 86 else person.diastolic * ease
    pressure = (systolic + random.gauss(0, 5), diastolic + random.gauss(0, 3))
    measured: list[tuple[Reading | None, tuple[float, ...]]] = [
        (None, (pressure[0], min(pressure[1], pressure[0] - 18))),
        (PULSE, (person.pulse + random.gauss(0, 4),)),
        (WEIGHT, (person.weight * (1 - 0.03 * progress) + random.gauss(0, 0.4),)),
    ]
    if sweet:
        glucose = max(4.1, person.glucose * (1 - 0.2 * progress) + random.gauss(0, 0.5))
        measured.append((GLUCOSE, (glucose,)))
        measured.append((HBA1C, (min(14.0, 2.6 + glucose * 0.62 + random.gauss(0, 0.15)),)))
    return measured
