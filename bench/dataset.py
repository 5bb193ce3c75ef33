"""The data under the benchmark: the demo set grown to a size, and one patient with many readings.

Everything is made from seeds, so that a run can be repeated; Synthea bundles are used for the
transaction workload where HUB_SHARED names them.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hub.demo.centre import make_centre
from hub.demo.patient import make_patient
from hub.model import json

SEED = 1
RESOURCES_PER_PATIENT = 21
HEAVY_READINGS = 100
SAMPLE = 400


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the workloads draw from.

    Attributes:
        resources: Number of resources that were loaded.
        load_seconds: Wall time of the loading.
        patients: A sample of stored Patients.
        observations: A sample of stored Observations.
        heavy: Id of the patient with many readings.
        transactions: Bundles to post, each with its number of entries.
    """

    resources: int
    load_seconds: float
    patients: list[dict[str, Any]]
    observations: list[dict[str, Any]]
    heavy: str
    transactions: list[tuple[bytes, int]]


def load(data: Path, size: int) -> float:
    """Fill a data folder with about `size` demo resources; gives the seconds it took."""
    patients = max(1, round(size / RESOURCES_PER_PATIENT))
    command = [sys.executable, "-m", "hub", "demo", "--patients", str(patients)]
    started = time.perf_counter()
    subprocess.run([*command, "--seed", str(SEED), "--data", str(data)], check=True)
    return time.perf_counter() - started


def sample(size: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Patients and Observations spread over the whole set."""
    centre = make_centre(SEED)
    count = max(1, round(size / RESOURCES_PER_PATIENT))
    random = Random(7)
    patients, observations = [], []
    for number in random.sample(range(count), min(SAMPLE, count)):
        for resource in make_patient(SEED, number, centre):
            if resource["resourceType"] == "Patient":
                patients.append(resource)
            elif resource["resourceType"] == "Observation":
                observations.append(resource)
    return patients, observations


def heavy_bundle() -> tuple[str, bytes]:
    """A patient with `HEAVY_READINGS` readings as one transaction, and the patient's id."""
    patients, observations = sample(RESOURCES_PER_PATIENT)
    patient = copy.deepcopy(patients[0]) | {"id": "bench-heavy"}
    patient.pop("generalPractitioner", None)
    patient.pop("managingOrganization", None)
    entries = [_put(patient)]
    for number in range(HEAVY_READINGS):
        reading = copy.deepcopy(observations[number % len(observations)])
        reading |= {"id": f"bench-heavy-{number}"}
        reading["subject"] = {"reference": "Patient/bench-heavy"}
        for name in ("encounter", "performer"):
            reading.pop(name, None)
        reading["note"] = [{"text": "随访记录：患者按时服药，血压平稳，饮食清淡。" * 6}]
        entries.append(_put(reading))
    return "bench-heavy", _bundle(entries)


def _put(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def _bundle(entries: list[dict[str, Any]]) -> bytes:
    return json.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def synthea() -> tuple[list[Path], list[Path]]:
    """(bundles that load first, patient bundles) of HUB_SHARED; empty lists where it is not."""
    shared = os.environ.get("HUB_SHARED")
    folder = Path(shared) / "data" / "synthea" if shared else None
    if folder is None or not folder.is_dir():
        return [], []
    files = sorted(folder.glob("*.json"))
    first = [file for file in files if "Information" in file.name]
    return first, [file for file in files if file not in first]


def transactions() -> list[tuple[bytes, int]]:
    """Synthea's patient bundles, or demo patients as POST transactions where there are none."""
    _, patients = synthea()
    if patients:
        texts = [file.read_bytes() for file in patients]
        return [(text, len(json.decode(text)["entry"])) for text in texts]
    centre = make_centre(SEED)
    made = []
    for number in range(10_000_000, 10_000_024):
        entries = []
        for resource in list(make_patient(SEED, number, centre)):
            full_url = f"urn:uuid:{resource.pop('id')}"
            request = {"method": "POST", "url": resource["resourceType"]}
            entries.append({"fullUrl": full_url, "resource": resource, "request": request})
        text = _relink(_bundle(entries), entries)
        made.append((text, len(entries)))
    return made


def _relink(text: bytes, entries: list[dict[str, Any]]) -> bytes:
    """References between the entries by their urn:uuid instead of Type/id."""
    for entry in entries:
        full_url = entry["fullUrl"]
        target = f"{entry['resource']['resourceType']}/{full_url.removeprefix('urn:uuid:')}"
        text = text.replace(target.encode(), full_url.encode())
    return text
