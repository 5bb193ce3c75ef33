"""Run the benchmark: `python -m bench --sizes 10000,1000000 --write docs/performance`."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from bench import dataset, report
from bench.client import Request, drive, request
from bench.hub_process import Hub, running
from bench.workloads import WORKLOADS, Workload

CONNECTIONS = 16
WARM_UP = 300
COMPARED = ("read", "create")


def _measure(
    hub: Hub, workload: Workload, data: dataset.Dataset, runs: int, seconds: float
) -> report.Figures:
    make = workload.make(data, Random(3))
    heavy = workload.name.startswith("transaction")
    warm_up = 16 if heavy else WARM_UP
    drive(hub.port, make, connections=CONNECTIONS, requests=warm_up, token=hub.token)
    cpu, throughput, latencies, received, count = [], [], [], 0, 0
    for _ in range(runs):
        before = hub.cpu_seconds()
        connections = 4 if heavy else CONNECTIONS
        run = drive(hub.port, make, connections=connections, seconds=seconds, token=hub.token)
        cpu.append((hub.cpu_seconds() - before) * 1000 / run.weight)
        throughput.append(run.weight / run.seconds)
        latencies += run.latencies
        received += run.received
        count += len(run.latencies)
    latencies.sort()
    return report.Figures(
        workload.name,
        workload.target,
        workload.hapi,
        cpu,
        throughput,
        statistics.median(latencies),
        latencies[int(len(latencies) * 0.99)],
        received / count,
    )


def _same(once: Request) -> Request:
    return once


def _prepare(hub: Hub, size: int, load_seconds: float) -> dataset.Dataset:
    heavy, bundle = dataset.heavy_bundle()
    first = [file.read_bytes() for file in dataset.synthea()[0]]
    for body in [bundle, *first]:
        once = Request(request("POST", "/fhir", body), (200,))
        drive(hub.port, partial(_same, once), connections=1, requests=1, token=hub.token)
    patients, observations = dataset.sample(size)
    return dataset.Dataset(
        size, load_seconds, patients, observations, heavy, dataset.transactions()
    )


def _size(folder: Path, size: int, runs: int, seconds: float, only: str) -> report.SizeReport:
    data, log = folder / "data", folder / "hub.log"
    noted = folder / "load_seconds"
    if noted.exists():
        print(f"{size:,} resources: there already", flush=True)
    else:
        print(f"{size:,} resources: loading", flush=True)
        noted.write_text(f"{dataset.load(data, size):.1f}")
    load_seconds = float(noted.read_text())
    with running(data, log):
        pass  # the first start of a store may build caches; the second one is measured
    with running(data, log) as hub:
        rss_start, disk = hub.rss_start, hub.disk_bytes()
        loaded = _prepare(hub, size, load_seconds)
        figures = []
        for workload in WORKLOADS:
            if only and only not in workload.name:
                continue
            figures.append(_measure(hub, workload, loaded, runs, seconds))
            one = figures[-1]
            print(f"  {one.name}: {one.median:.3f} ms CPU ({one.spread})", flush=True)
        rss_end, ready = hub.rss_bytes(), hub.ready_seconds
    doors = [] if only else _front_door(data, log, loaded, runs, seconds)
    return report.SizeReport(
        size, load_seconds, ready, rss_start, rss_end, disk / size, figures, doors
    )


def _front_door(
    data: Path, log: Path, loaded: dataset.Dataset, runs: int, seconds: float
) -> list[report.Compared]:
    """What authentication and the audit of reads cost: with and without, again and again."""
    found: dict[tuple[str, bool], list[float]] = {}
    for _ in range(runs):
        for auth in (False, True):
            with running(data, log, auth=auth) as hub:
                for workload in WORKLOADS:
                    if workload.name in COMPARED:
                        figures = _measure(hub, workload, loaded, 1, seconds)
                        found.setdefault((workload.name, auth), []).append(figures.median)
    compared = [report.Compared(name, found[name, False], found[name, True]) for name in COMPARED]
    for one in compared:
        print(f"  front door, {one.name}: {one.more * 1000:+.1f} us CPU", flush=True)
    return compared


def main(
    sizes: Annotated[str, typer.Option(help="Numbers of resources, comma-separated.")] = "10000",
    runs: Annotated[int, typer.Option(min=1, help="Runs of each workload.")] = 5,
    seconds: Annotated[float, typer.Option(help="Seconds of each run.")] = 3.0,
    write: Annotated[Path | None, typer.Option(help="Folder for the page and raw.json.")] = None,
    only: Annotated[str, typer.Option(help="Only workloads whose name holds this.")] = "",
    keep: Annotated[
        Path | None, typer.Option(help="Work in this folder, keep it, and use what it holds.")
    ] = None,
) -> None:
    """Start the hub, load data, drive it, and report cost per request."""
    reports = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in map(int, sizes.split(",")):
            folder = (keep or Path(temporary)) / str(size)
            folder.mkdir(parents=True, exist_ok=True)
            reports.append(_size(folder, size, runs, seconds, only))
    print()
    for one in reports:
        print(f"{report.table(one)}\n{report.facts(one)}\n")
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        (write / "README.md").write_text(report.page(reports, "make bench", runs, seconds))
        (write / "raw.json").write_bytes(report.raw(reports))


app = typer.Typer(pretty_exceptions_enable=False)
app.command()(main)
if __name__ == "__main__":
    app()
