"""What is asked of the hub, and what it should cost.

Targets and the HAPI figures (8.8 on PostgreSQL, warm, without validating, on such a machine)
are milliseconds of server CPU per request, for a transaction per resource.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from urllib.parse import quote

from bench.client import Request, request
from bench.dataset import Dataset
from hub.demo.patient import BEIJING, TODAY
from hub.model import json

Make = Callable[[], Request]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of request.

    Attributes:
        name: As in the tables.
        target: Milliseconds of server CPU each, to reach.
        hapi: The same of HAPI.
        make: From the data set, a function that makes the next request.
    """

    name: str
    target: float
    hapi: float
    make: Callable[[Dataset, Random], Make]


def _read(data: Dataset, random: Random) -> Make:
    raws = [
        request("GET", f"/fhir/{one['resourceType']}/{one['id']}")
        for one in [*data.patients, *data.observations]
    ]
    return lambda: Request(random.choice(raws))


def _create(data: Dataset, random: Random) -> Make:
    """New readings, made one second after the other from the day after the demo set on."""
    readings = [
        {name: value for name, value in one.items() if name != "id"} for one in data.observations
    ]
    start = datetime(TODAY.year, TODAY.month, TODAY.day, 8, tzinfo=BEIJING) + timedelta(days=1)
    seconds = iter(range(1 << 30))

    def make() -> Request:
        reading = random.choice(readings)
        when = start + timedelta(seconds=next(seconds))
        reading["effectiveDateTime"] = when.isoformat()
        return Request(request("POST", "/fhir/Observation", json.encode(reading)), (201,))

    return make


def _put(data: Dataset, random: Random) -> Make:
    people = [copy.deepcopy(one) for one in data.patients]
    counter = iter(range(1 << 60))

    def make() -> Request:
        person = random.choice(people)
        person["telecom"][0]["value"] = f"100{next(counter) % 10**8:08d}"
        return Request(request("PUT", f"/fhir/Patient/{person['id']}", json.encode(person)), (200,))

    return make


def _gets(paths: list[str], random: Random) -> Make:
    raws = [request("GET", path) for path in paths]
    return lambda: Request(random.choice(raws), (200,))


def _patient_code(data: Dataset, random: Random) -> Make:
    return _gets(
        [
            f"/fhir/Observation?patient={one['id']}&code=http://loinc.org%7C85354-9&_sort=-date"
            for one in data.patients
        ],
        random,
    )


def _name_birthdate(data: Dataset, random: Random) -> Make:
    return _gets(
        [
            f"/fhir/Patient?name={quote(one['name'][0]['family'] + one['name'][0]['given'][0][:1])}"
            f"&birthdate=ge{one['birthDate'][:4]}-01-01"
            for one in data.patients
        ],
        random,
    )


def _chained(data: Dataset, random: Random) -> Make:
    return _gets(
        [
            f"/fhir/Encounter?patient.name={quote(one['name'][0]['text'])}&_sort=-date"
            for one in data.patients
        ],
        random,
    )


def _revinclude(data: Dataset, random: Random) -> Make:
    path = f"/fhir/Patient?_id={data.heavy}&_revinclude=Observation:patient"
    return _gets([path], random)


def _transaction(data: Dataset, random: Random) -> Make:
    raws = [(request("POST", "/fhir", text), count) for text, count in data.transactions]

    def make() -> Request:
        raw, count = random.choice(raws)
        return Request(raw, (200,), count)

    return make


WORKLOADS = (
    Workload("read", 0.10, 2.5, _read),
    Workload("create", 0.38, 5.3, _create),
    Workload("search patient+code, newest first", 0.5, 10.5, _patient_code),
    Workload("search name prefix + birthdate", 0.5, 10.5, _name_birthdate),
    Workload("search chained Encounter?patient.name", 0.5, 10.5, _chained),
    Workload("search _id + _revinclude (130 kB)", 1.0, 23.0, _revinclude),
    Workload("update (PUT)", 0.40, 6.4, _put),
    Workload("transaction, per resource", 0.25, 3.2, _transaction),
)
