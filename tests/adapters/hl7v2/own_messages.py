"""The corpus of own messages: read, sent as bytes through charset and parser, converted, shown.

A case is two files in `tests/cases/hl7v2/messages`: `NAME.hl7` is the message, in UTF-8 and with
a segment a line so that people can read it; `NAME.json` says in which charset its bytes are, whose
site's rules hold, and what is expected. `python -m tests.adapters.hl7v2.own_messages NAME` shows
what comes out now; with `--accept` that becomes the expectation, after somebody has read it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from adapters.hl7v2 import charset, message
from adapters.hl7v2.converted import Converted
from adapters.hl7v2.sites import Sites, load_sites
from adapters.hl7v2.to_fhir import convert
from hub.model import json as lossless

CASES = Path(__file__).parents[2] / "cases" / "hl7v2"
RECEIVED = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)

CONCEPT_MAPS = {
    ("http://beiyuan.example/fhir/ConceptMap/lab", "urn:id:BEIYUAN:99MING", "GLU"): [
        {
            "system": "http://loinc.org",
            "code": "14749-6",
            "display": "Glucose [Moles/volume] in Serum or Plasma",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Case:
    """A case.

    Attributes:
        name: `oru/correction`.
        charset: Python's name of what the bytes are in.
        site: Name of the site that must be found for it.
        expected: As `told` gives it.
    """

    name: str
    charset: str
    site: str
    expected: dict[str, Any]

    @property
    def raw(self) -> bytes:
        """The bytes, as they are sent."""
        lines = (CASES / "messages" / f"{self.name}.hl7").read_text("utf-8").splitlines()
        return "\r".join(lines).encode(self.charset) + b"\r"


def names() -> list[str]:
    """All cases."""
    folder = CASES / "messages"
    found = sorted(folder.glob("*/*.hl7"))
    return [path.relative_to(folder).with_suffix("").as_posix() for path in found]


def case(name: str) -> Case:
    """A case by its name."""
    told = json.loads((CASES / "messages" / f"{name}.json").read_text("utf-8"))
    return Case(name, told["charset"], told["site"], told.get("expected", {}))


@lru_cache(maxsize=1)
def sites() -> Sites:
    """The sites of the corpus."""
    return load_sites(CASES / "sites", zone="Asia/Shanghai")


def translate(canonical: str, system: str, code: str) -> list[dict[str, Any]] | None:
    """The terminology of the corpus."""
    return CONCEPT_MAPS.get((canonical, system, code))


def concept_maps() -> Iterator[dict[str, Any]]:
    """The same as resources."""
    for (canonical, system, code), targets in CONCEPT_MAPS.items():
        for target in targets:
            named = {key: value for key, value in target.items() if key != "system"}
            element = {"code": code, "target": [{**named, "equivalence": "equivalent"}]}
            group = {"source": system, "target": target["system"], "element": [element]}
            yield {
                "resourceType": "ConceptMap",
                "url": canonical,
                "status": "active",
                "group": [group],
            }


def converted(raw: bytes) -> tuple[str, Converted]:
    """Name of the site that bytes belong to, and what they say."""
    header = message.parse(raw.decode("latin-1"))
    site = sites().of(header.sender)
    assert site is not None
    decoded = charset.decode(raw, setting=site.charset, zone=site.zone)
    parsed = message.parse(decoded.text, decoded.codec)
    return site.name, convert(parsed, site, RECEIVED, translate=translate)


def told(result: Converted) -> dict[str, Any]:
    """What a message says, as it stands in the case: references by the names in the message."""
    urls = {mapped.full_url: f"#{mapped.key}" for mapped in result.resources}
    out: dict[str, Any] = {"event": datetime.fromtimestamp(result.event / 1000, UTC).isoformat()}
    out["resources"] = {
        mapped.key: {
            "how": mapped.how,
            "found by": [" ".join(pair) for pair in mapped.identities],
            **({"deleted": sorted(mapped.deleted)} if mapped.deleted else {}),
            **({"initial": sorted(mapped.initial)} if mapped.initial else {}),
            # Decimals as texts: their digits count.
            "resource": _named(json.loads(lossless.encode(mapped.resource), parse_float=str), urls),
        }
        for mapped in result.resources
    }
    if result.joined:
        out["joined"] = [[urls[one.surviving], urls[one.replaced]] for one in result.joined]
    if result.answers:
        out["answers"] = list(result.answers)
    out["remarks"] = [
        " ".join([one.place, one.id, *(f"{name}={value}" for name, value in one.arguments)])
        for one in result.remarks
    ]
    return out


def _named(value: Any, urls: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(inner, urls) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, urls) for inner in value]
    return urls.get(value, value) if isinstance(value, str) else value


def _show(wanted: list[str], accept: bool) -> Iterator[str]:
    for name in names():
        if wanted and name not in wanted and name.split("/")[0] not in wanted:
            continue
        found = told(converted(case(name).raw)[1])
        path = CASES / "messages" / f"{name}.json"
        yield f"{name}\n{json.dumps(found, ensure_ascii=False, indent=1)}"
        if accept:
            content = json.loads(path.read_text("utf-8"))
            content["expected"] = found
            text = json.dumps(content, ensure_ascii=False, indent=2)
            path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    arguments = [one for one in sys.argv[1:] if one != "--accept"]
    for text in _show(arguments, "--accept" in sys.argv):
        sys.stdout.write(text + "\n")
