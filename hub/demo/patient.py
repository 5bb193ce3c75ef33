"""One invented resident: person, relative, problems, visits, readings, medicines, contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from random import Random

from hub.demo import chronic
from hub.demo.centre import Centre, Doctor, Resource, concept, identity, reference
from hub.demo.contract import contract, referral
from hub.demo.identity import RESIDENT_ID_SYSTEM, phone, resident_id
from hub.demo.names import SURNAMES, names
from hub.demo.proxy import proxy_consent

TODAY = date(2026, 6, 30)
BEIJING = timezone(timedelta(hours=8))
CHINA = "中国"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

PROBLEMS = {
    "hypertension": (
        ("I10", "Essential (primary) hypertension"),
        ("38341003", "Hypertensive disorder, systemic arterial"),
        "高血压",
    ),
    "diabetes": (
        ("E11.9", "Type 2 diabetes mellitus without complications"),
        ("44054006", "Diabetes mellitus type 2"),
        "2型糖尿病",
    ),
}
MEDICINES = {
    "hypertension": ("C08CA01", "amlodipine", "苯磺酸氨氯地平片 5mg", "每日一次，每次一片"),
    "diabetes": ("A10BA02", "metformin", "盐酸二甲双胍片 0.5g", "每日两次，每次一片，餐中服用"),
}
STREETS = ("梧桐路", "湖滨路", "南山街", "东门大街", "桂花巷", "望江路", "青年路", "文昌街")


def _person(seed: int, number: int, random: Random, doctor: Doctor) -> Resource:
    gender = random.choice(("male", "female"))
    age = min(97, max(0, round(random.triangular(0, 95, 62))))
    born = TODAY - timedelta(days=age * 365 + random.randrange(365))
    serial = resident_id(
        doctor.site.division, born, number % 500, "male" if gender == "male" else "female"
    )
    street = random.choice(STREETS)
    line = f"{street}{random.randrange(1, 300)}号{random.randrange(1, 20)}栋"
    person: Resource = {
        "resourceType": "Patient",
        "id": identity(seed, "patient", number),
        "identifier": [
            {
                "use": "official",
                "type": concept(IDENTIFIER_TYPE, "NI", "National unique individual identifier"),
                "system": RESIDENT_ID_SYSTEM,
                "value": serial,
            },
            {
                "use": "usual",
                "type": concept(IDENTIFIER_TYPE, "MR", "Medical record number"),
                "system": "https://demo.fhir-hub.example/mrn",
                "value": f"{number:08d}",
            },
        ],
        "active": True,
        "name": names(random, gender),
        "telecom": [{"system": "phone", "value": phone(random), "use": "mobile"}],
        "gender": gender,
        "birthDate": born.isoformat(),
        "address": [
            {
                "use": "home",
                "text": f"梧桐市{line}",
                "line": [line],
                "city": "梧桐市",
                "postalCode": f"000{random.randrange(1000):03d}",
                "country": CHINA,
            }
        ],
        "generalPractitioner": [reference(doctor.practitioner, doctor.name)],
        "managingOrganization": reference(doctor.site.organization),
    }
    if age >= 80 and random.random() < 0.12:
        gone = TODAY - timedelta(days=random.randrange(1, 400))
        person["deceasedDateTime"] = gone.isoformat()
    return person


def _relative(seed: int, number: int, random: Random, patient: Resource) -> Resource:
    gender = random.choice(("male", "female"))
    family = patient["name"][0]["family"]
    surname = next(entry for entry in SURNAMES if entry.startswith(family))
    return {
        "resourceType": "RelatedPerson",
        "id": identity(seed, "relative", number),
        "active": True,
        "patient": reference(patient, patient["name"][0]["text"]),
        "relationship": [concept(ROLE_CODE, "CHILD", "child", "子女")],
        "name": names(random, gender, surname)[:1],
        "telecom": [{"system": "phone", "value": phone(random), "use": "mobile"}],
        "gender": gender,
    }


def _problem(
    seed: int, number: int, kind: str, patient: Resource, doctor: Doctor, onset: date
) -> Resource:
    icd, snomed, text = PROBLEMS[kind]
    return {
        "resourceType": "Condition",
        "id": identity(seed, "condition", number, kind),
        "clinicalStatus": concept(CLINICAL, "active", "Active"),
        "verificationStatus": concept(VERIFICATION, "confirmed", "Confirmed"),
        "category": [
            concept(
                "http://terminology.hl7.org/CodeSystem/condition-category",
                "problem-list-item",
                "Problem List Item",
            )
        ],
        "code": {
            "coding": [
                {"system": ICD10, "code": icd[0], "display": icd[1]},
                {"system": SNOMED, "code": snomed[0], "display": snomed[1]},
            ],
            "text": text,
        },
        "subject": reference(patient, patient["name"][0]["text"]),
        "onsetDateTime": onset.isoformat(),
        "recordedDate": onset.isoformat(),
        "recorder": reference(doctor.practitioner, doctor.name),
    }


def _medicine(seed: int, number: int, kind: str, problem: Resource, doctor: Doctor) -> Resource:
    atc, english, text, dosage = MEDICINES[kind]
    return {
        "resourceType": "MedicationRequest",
        "id": identity(seed, "medicine", number, kind),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept("http://www.whocc.no/atc", atc, english, text),
        "subject": problem["subject"],
        "authoredOn": problem["recordedDate"],
        "requester": reference(doctor.practitioner, doctor.name),
        "reasonReference": [reference(problem)],
        "dosageInstruction": [{"text": dosage}],
    }


def _visit(
    seed: int, number: int, index: int, start: datetime, patient: Resource, doctor: Doctor
) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": identity(seed, "encounter", number, index),
        "status": "finished",
        "class": {"system": ACT_CODE, "code": "AMB", "display": "ambulatory"},
        "type": [concept(SNOMED, "185349003", "Encounter for check up", "随访")],
        "subject": reference(patient, patient["name"][0]["text"]),
        "participant": [{"individual": reference(doctor.practitioner, doctor.name)}],
        "period": {
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=20)).isoformat(),
        },
        "location": [{"location": reference(doctor.site.location)}],
        "serviceProvider": reference(doctor.site.organization),
    }


def _readings(
    seed: int,
    number: int,
    index: int,
    random: Random,
    visit: Resource,
    when: datetime,
    measured: list[tuple[chronic.Reading | None, tuple[float, ...]]],
) -> Iterator[Resource]:
    shared = {
        "subject": visit["subject"],
        "encounter": reference(visit),
        "performer": [visit["participant"][0]["individual"]],
    }
    for reading, values in measured:
        stamp = (when + timedelta(minutes=random.randrange(2, 18))).isoformat()
        key = identity(seed, "observation", number, index, reading.code if reading else "bp")
        if reading is None:
            yield chronic.blood_pressure(key, values[0], values[1], stamp, shared)
        else:
            yield chronic.observation(key, reading, values[0], stamp, shared)


def make_patient(seed: int, number: int, centre: Centre) -> Iterator[Resource]:
    """All resources of one resident, targets before those that refer to them.

    Args:
        seed: The data set's seed.
        number: 0, 1, 2 ...; the same number gives the same resident in every size of set.
        centre: What `make_centre` gave for the seed.
    """
    random = Random(f"{seed}:patient:{number}")
    family_doctors = [one for one in centre.doctors if one.kind == "doctor"]
    doctor = random.choice(family_doctors)
    patient = _person(seed, number, random, doctor)
    yield patient
    alive = "deceasedDateTime" not in patient
    age = TODAY.year - int(patient["birthDate"][:4])
    if age >= 70:
        relative = _relative(seed, number, random, patient)
        yield relative
        if alive:
            yield proxy_consent(seed, number, patient, relative, TODAY)
    kinds = frozenset(
        kind
        for kind, share in (("hypertension", 0.55), ("diabetes", 0.22))
        if age >= 35 and random.random() < share * min(1.0, age / 65)
    )
    onset = TODAY - timedelta(days=random.randrange(500, 3000))
    problems = []
    for kind in sorted(kinds):
        problem = _problem(seed, number, kind, patient, doctor, onset)
        problems.append(problem)
        yield problem
        if alive:
            yield _medicine(seed, number, kind, problem, doctor)
    levels = chronic.level(random, kinds, patient["gender"], age)
    visits = random.randrange(4, 9) if kinds else random.randrange(1, 3)
    last = None
    for index in range(visits):
        day = TODAY - timedelta(days=(visits - index) * 90 - random.randrange(30))
        if not alive and day.isoformat() > patient["deceasedDateTime"]:
            break
        if day.isoformat() <= patient["birthDate"]:
            continue
        start = datetime(
            day.year,
            day.month,
            day.day,
            random.randrange(8, 17),
            random.choice((0, 10, 20, 30, 40, 50)),
            tzinfo=BEIJING,
        )
        last = _visit(seed, number, index, start, patient, doctor)
        yield last
        progress = index / max(1, visits - 1)
        measured = chronic.readings(random, levels, "diabetes" in kinds, progress)
        if index == 0:
            measured.append((chronic.HEIGHT, (levels.height,)))
        yield from _readings(seed, number, index, random, last, start, measured)
    if alive and random.random() < (0.7 if kinds else 0.25):
        start_day = TODAY - timedelta(days=random.randrange(10, 350))
        start_day = max(start_day, date.fromisoformat(patient["birthDate"]) + timedelta(days=7))
        yield from contract(seed, number, patient, doctor, start_day, problems)
    if alive and problems and last is not None and random.random() < 0.15:
        yield referral(seed, number, patient, last, centre, doctor, problems[-1])
