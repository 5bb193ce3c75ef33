"""Makes a compression dictionary out of synthetic resources.

`python -m hub.storage.sqlite.train NUMBER FILES...` reads Bundles (.json) and lines of
resources (.ndjson), and writes `dictionaries/NUMBER.dict` beside this file; with `--after OLDER`
it is the older one, followed by the resources as they are. Never give it real patients' data: a
dictionary holds pieces of what it was trained on. Dictionary 1 was made of
`hub.demo.generate(60, 1)`, 24 Synthea patients and their hospitals; 2 is 1, followed by four
resources of each type that the messages of tests/cases/hl7v2 make (they take half as much with
it, others 2 % more). A dictionary that has been released is never made again: rows name it. Then
set `codec.CURRENT`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import zstandard

from hub.model import json
from hub.model.body import split

SIZE = 112 * 1024
PER_TYPE = 1000
LONGEST = 20_000
"""Longer tails would crowd out the others."""


def tails(path: Path) -> Iterator[tuple[str, bytes]]:
    """Type and tail of each resource in a file."""
    if path.suffix == ".ndjson":
        resources: list[dict[str, Any]] = [
            json.load(line) for line in path.read_bytes().splitlines()
        ]
    else:
        resources = [entry["resource"] for entry in json.load(path.read_bytes())["entry"]]
    for resource in resources:
        yield resource["resourceType"], split(resource)


def train(paths: list[Path]) -> bytes:
    """A dictionary, the same for the same files in the same order."""
    by_type: dict[str, list[bytes]] = defaultdict(list)
    for path in paths:
        for type, tail in tails(path):
            if len(tail) <= LONGEST:
                by_type[type].append(tail)
    random = Random(1)
    samples: list[bytes | bytearray | memoryview] = []
    for _, found in sorted(by_type.items()):
        random.shuffle(found)
        samples += found[:PER_TYPE]
    return zstandard.train_dictionary(SIZE, samples).as_bytes()


def extend(older: bytes, paths: list[Path]) -> bytes:
    """A dictionary that knows some resources beside what an older one knows.

    What stands last is found first, and the tables of an older one stay good.

    Args:
        older: The older dictionary.
        paths: As `train` takes them.
    """
    return older + b"".join(tail for path in paths for _, tail in tails(path))


def main(arguments: list[str]) -> None:
    """Write the dictionary; see the module."""
    number, *files = arguments
    folder = Path(__file__).parent / "dictionaries"
    folder.mkdir(exist_ok=True)
    if files[:1] == ["--after"]:
        older = (folder / f"{int(files[1])}.dict").read_bytes()
        made = extend(older, [Path(file) for file in files[2:]])
    else:
        made = train([Path(file) for file in files])
    (folder / f"{int(number)}.dict").write_bytes(made)


if __name__ == "__main__":
    main(sys.argv[1:])
