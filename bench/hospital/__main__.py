"""Messages of a hospital through a real hub: `python -m bench.hospital`.

A hub with authentication on and SQLite FULL; senders connect by MLLP and wait for each answer,
which comes after the commit. Prints messages per second, CPU of the hub per message, and
latencies, with many senders and of one when the hub is idle.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.hospital.messages import admissions, results
from bench.hospital.senders import Sent, send
from bench.hub_process import Hub, free_port, running
from bench.report import processor

WARM_UP = 200
IDLE_MESSAGES = 150
IDLE_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of message: its name, what makes those of a sender, messages/s to reach."""

    name: str
    make: Callable[[int], Iterator[bytes]]
    target: float


WORKLOADS = (
    Workload("ADT", admissions, 300),
    Workload("ORU, 20 OBX", results, 100),
)
IDLE_TARGET = 15.0
"""Milliseconds in which a sender that waits has its answer."""


def _measure(
    hub: Hub, port: int, workload: Workload, senders: int, runs: int, seconds: float
) -> str:
    wards = [workload.make(number) for number in range(senders)]
    send(port, wards, count=WARM_UP)
    rates, cpu, last = [], [], Sent()
    for _ in range(runs):
        before = hub.cpu_seconds()
        last = send(port, wards, seconds=seconds)
        cpu.append((hub.cpu_seconds() - before) * 1000 / len(last.latencies))
        rates.append(last.rate)
    rate = statistics.median(rates)
    mark = "" if rate >= workload.target else " (missed)"
    idle = send(port, [workload.make(senders)], count=IDLE_MESSAGES, pause=IDLE_PAUSE)
    late = "" if idle.percentile(0.99) <= IDLE_TARGET else " (missed)"
    return (
        f"| {workload.name} | {rate:,.0f}{mark} | {min(rates):,.0f}-{max(rates):,.0f} "
        f"| {workload.target:,.0f} | {statistics.median(cpu):.2f} | {last.percentile(0.5):.0f} "
        f"| {last.percentile(0.99):.0f} | {idle.percentile(0.5):.1f} "
        f"| {idle.percentile(0.99):.1f}{late} |"
    )


def main(
    senders: Annotated[int, typer.Option(min=1, help="Connections.")] = 16,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each workload.")] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds of each run.")] = 5.0,
    only: Annotated[str, typer.Option(help="Only workloads whose name holds this.")] = "",
    port: Annotated[int, typer.Option(help="MLLP port; 0: a free one.")] = 0,
) -> None:
    """Start a hub, be the hospital, print a table."""
    port = port or free_port()
    print(f"{processor()}; {senders} senders; {runs} x {seconds:g} s\n")
    print("| messages | /s | spread | target | CPU ms | p50 ms | p99 ms | idle p50 | idle p99 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with running(folder / "data", folder / "hub.log", options=("--mllp", str(port))) as hub:
            for workload in WORKLOADS:
                if only in workload.name:
                    print(_measure(hub, port, workload, senders, runs, seconds), flush=True)
            print(f"\nRSS {hub.rss_bytes() / 1e6:.0f} MB")


app = typer.Typer(pretty_exceptions_enable=False)
app.command()(main)
if __name__ == "__main__":
    app()
