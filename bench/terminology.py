"""What terminology costs: `python -m bench.terminology [--write docs/performance/terminology.md]`.

A store in a folder, code systems loaded by the command itself, questions through the operations
in this process (no HTTP). The code systems are invented, in the shape of ICD-10's Chinese edition
(tests/terminology/icd10_cn.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.app import open_door
from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import Operation, OperationRequest
from hub.operations import OPERATIONS
from hub.settings import Settings
from tests.terminology import icd10_cn

URL = "http://example.org/fhir/CodeSystem/icd-10-cn"
SIZES = (35_000, 100_000)
SAMPLE = 5_000
CONDITIONS = 5_000
FILTERS = (
    "胃", "炎", "胃炎", "慢性胃炎", "急性 出血", "结核", "伴急性改变", "A00", "x001", "gastric",
    "chronic ulcer", "haemorrhage", "acute renal", "没有这个词", "zzz", "B12.3", "恶性肿瘤 股骨",
    "e", "1",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        median: Milliseconds.
        p99: Milliseconds.
        rate: Per second; 0: not said.
        target: What was wanted, "" for nothing.
        met: Whether it is.
    """

    name: str
    median: float
    p99: float
    rate: float
    target: str = ""
    met: bool = True


def _rss() -> float:
    """Resident MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _load(folder: Path, size: int) -> tuple[float, float, float]:
    """Load a table by the command: seconds, peak MiB of the command, MiB of the file."""
    table = folder / f"{size}.csv"
    table.write_bytes(icd10_cn.table(size))
    command = [
        *(sys.executable, "-m", "hub", "terminology", "load", "csv", str(table)),
        *("--url", URL, "--version", str(size), "--data", str(folder / "data")),
    ]
    before = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return seconds, peak, table.stat().st_size / 2**20


Call = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]


def _caller(door: Interactions) -> Call:
    """Calls an operation as the REST edge does."""
    context = Context()

    async def call(name: str, type: str, given: dict[str, Any]) -> dict[str, Any]:
        operation: Operation = OPERATIONS[name]
        parameters = tuple((key, str(value)) for key, value in given.items())
        answer = await operation.perform(
            door, context, OperationRequest(type, "", "GET", parameters)
        )
        assert isinstance(answer.body, dict)
        return answer.body

    return call


async def _timed(
    name: str, asks: Sequence[Callable[[], Awaitable[Any]]], target: str = "", most: float = 0
) -> Row:
    """Time questions one after the other; `most` is the p99 wanted in milliseconds."""
    for ask in asks[:50]:
        await ask()
    took = []
    start = time.perf_counter()
    for ask in asks:
        before = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - before) * 1000)
    rate = len(asks) / (time.perf_counter() - start)
    took.sort()
    p99 = took[min(int(len(took) * 0.99), len(took) - 1)]
    return Row(name, took[len(took) // 2], p99, rate, target, not most or p99 < most)


async def _questions(call: Call, size: int) -> list[Row]:
    chance = random.Random(5)
    rows = list(icd10_cn.rows(size))
    chosen = [chance.choice(rows) for _ in range(SAMPLE)]
    version, whole = str(size), f"{URL}?fhir_vs"

    def ask(name: str, type: str, **given: Any) -> Callable[[], Awaitable[Any]]:
        plain = {key.replace("_", "-"): value for key, value in given.items()}
        return lambda: call(name, type, plain)

    validate = [
        ask("validate-code", "CodeSystem", url=URL, version=version, code=row[0], display=row[2])
        for row in chosen
    ]
    in_set = [
        ask("validate-code", "ValueSet", url=whole, system=URL, systemVersion=version, code=row[0])
        for row in chosen
    ]
    look = [ask("lookup", "CodeSystem", system=URL, version=version, code=row[0]) for row in chosen]
    subsumes = [
        ask("subsumes", "CodeSystem", system=URL, version=version, codeA=row[0][:3], codeB=row[0])
        for row in chosen
    ]
    expand = [
        ask("expand", "ValueSet", url=whole, filter=chance.choice(FILTERS), count=20)
        for _ in range(600)
    ]
    pages = [
        ask("expand", "ValueSet", url=whole, offset=chance.randrange(size), count=20)
        for _ in range(300)
    ]
    made = [
        await _timed("CodeSystem/$validate-code with display", validate, ">= 5,000/s"),
        await _timed("ValueSet/$validate-code, all of the system", in_set),
        await _timed("$lookup", look, ">= 5,000/s"),
        await _timed("$subsumes", subsumes, "p99 < 1 ms", 1),
        await _timed("$expand, text filter, 20 of the hits", expand, "p99 < 30 ms", 30),
        await _timed("$expand, a page of 20 anywhere", pages, "p99 < 30 ms", 30),
    ]
    return [
        Row(row.name, row.median, row.p99, row.rate, row.target, row.rate >= 5_000)
        if row.target.endswith("/s")
        else row
        for row in made
    ]


async def _searches(door: Interactions) -> list[Row]:
    """Conditions with codes of the system, searched by what the codes mean."""
    chance = random.Random(6)
    context = Context()
    codes = [row[0] for row in icd10_cn.rows(SIZES[-1])]
    entries = []
    for number in range(CONDITIONS):
        coding = {"system": URL, "code": chance.choice(codes)}
        entries.append(
            {
                "resource": {
                    "resourceType": "Condition",
                    "subject": {"display": "somebody"},
                    "code": {"coding": [coding]},
                },
                "request": {"method": "PUT", "url": f"Condition/c{number}"},
            }
        )
        entries[-1]["resource"]["id"] = f"c{number}"
    for start in range(0, CONDITIONS, 500):
        bundle = {"resourceType": "Bundle", "type": "transaction"}
        await door.bundle(context, bundle | {"entry": entries[start : start + 500]})

    def ask(name: str, value: str) -> Callable[[], Awaitable[Any]]:
        return lambda: door.search(context, "Condition", [(name, value), ("_count", "20")])

    categories = [code for code in codes if len(code) == 3]
    below = [ask("code:below", f"{URL}|{chance.choice(categories)}") for _ in range(300)]
    letter = [ask("code:in", f"{URL}?fhir_vs=isa/{chance.choice(categories)}") for _ in range(100)]
    whole = [ask("code:in", f"{URL}?fhir_vs") for _ in range(10)]
    return [
        await _timed(f"search code:below a category, {CONDITIONS:,} Conditions", below),
        await _timed("search code:in the codes below a category", letter),
        await _timed(f"search code:in all {SIZES[-1]:,} codes", whole),
    ]


async def _first(call: Call, version: int) -> float:
    """Seconds of the first question, which unpacks the concepts."""
    before = time.perf_counter()
    given = {"system": URL, "version": str(version), "code": "A00"}
    await call("lookup", "CodeSystem", given)
    return time.perf_counter() - before


async def _measure(folder: Path) -> list[str]:
    lines = []
    for size in SIZES:
        seconds, peak, megabytes = _load(folder, size)
        lines.append(
            f"- {size:,} rows ({megabytes:.1f} MiB) are loaded in {seconds:.1f} s by a command that"
            f" takes {peak:.0f} MiB at most"
        )
    async with open_door(Settings(data=folder / "data")) as door:
        call = _caller(door)
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        start = _rss()
        first = await _first(call, SIZES[-1])
        both = " and ".join(f"{size:,}" for size in SIZES)
        lines.append(f"- the first question unpacks both versions, {both} concepts: {first:.2f} s")
        held = _rss()
        rows = await _questions(call, SIZES[-1])
        rows += await _searches(door)
        lines.append(
            f"- RSS before the first question {start:.0f} MiB, with both code systems unpacked "
            f"{held:.0f} MiB, after all questions {_rss():.0f} MiB"
        )
    table = [
        "| question | median ms | p99 ms | /s | target |",
        "| --- | ---: | ---: | ---: | --- |",
        *(
            f"| {row.name} | {row.median:.3f} | {row.p99:.3f} | {row.rate:,.0f} | "
            f"{row.target}{'' if row.met else ' (missed)'} |"
            for row in rows
        ),
    ]
    return [*table, "", *lines]


def main(
    write: Annotated[Path | None, typer.Option(help="Page to write the figures to.")] = None,
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-terminology-") as folder:
        lines = asyncio.run(_measure(Path(folder)))
    text = "\n".join(lines)
    print(text)
    if write is not None:
        head = (__doc__ or "").strip().split("\n", 1)[1].strip()
        write.write_text(
            f"# Terminology\n\nMade by `python -m bench.terminology`, on the machine of the "
            f"[other figures](README.md).\n\n{head}\n\n"
            f"On {SIZES[-1]:,} codes, Chinese names and English designations:\n\n{text}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    typer.run(main)
