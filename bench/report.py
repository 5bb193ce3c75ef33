"""Figures of a benchmark run as text and as a page of docs/performance."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Figures:
    """One workload at one size: a value per run."""

    name: str
    target: float
    hapi: float
    cpu: list[float]
    throughput: list[float]
    p50: float
    p99: float
    answer_bytes: float

    @property
    def median(self) -> float:
        """Median CPU milliseconds."""
        return statistics.median(self.cpu)

    @property
    def spread(self) -> str:
        """Least and most CPU milliseconds over the runs."""
        return f"{min(self.cpu):.3f}-{max(self.cpu):.3f}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A workload without and with authentication and the audit of reads, CPU ms of each run."""

    name: str
    without: list[float]
    with_both: list[float]

    @property
    def more(self) -> float:
        """CPU milliseconds that both cost, by the medians."""
        return statistics.median(self.with_both) - statistics.median(self.without)


@dataclass(frozen=True, slots=True)
class SizeReport:
    """Everything measured at one size."""

    resources: int
    load_seconds: float
    ready_seconds: float
    rss_start: int
    rss_end: int
    disk_per_resource: float
    figures: list[Figures]
    doors: list[Compared]


def processor() -> str:
    """The machine's processor and cores."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} x {names[0] if names else platform.machine()}"


def table(report: SizeReport) -> str:
    """A Markdown table of one size."""
    rows = [
        "| workload | CPU ms | spread | target | HAPI | /s | p50 ms | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in report.figures:
        mark = "" if one.median <= one.target else " (missed)"
        rows.append(
            f"| {one.name} | {one.median:.3f}{mark} | {one.spread} | {one.target:.2f} "
            f"| {one.hapi:.1f} | {statistics.median(one.throughput):,.0f} "
            f"| {one.p50 * 1000:.1f} | {one.p99 * 1000:.1f} |"
        )
    return "\n".join(rows)


def facts(report: SizeReport) -> str:
    """What else was measured at one size, as a list."""
    speed = report.resources / report.load_seconds
    return "\n".join(
        (
            f"- loaded in {report.load_seconds:.1f} s ({speed:,.0f} resources/s)",
            f"- ready after {report.ready_seconds:.2f} s (target 1.5)",
            f"- RSS after start {report.rss_start / 1e6:.0f} MB (target 220), "
            f"after the run {report.rss_end / 1e6:.0f} MB",
            f"- on disk {report.disk_per_resource:,.0f} bytes per resource (target 1,200), "
            "indexes, history, audit and WAL included",
        )
    )


def front_door(report: SizeReport) -> str:
    """A Markdown table of what authentication and audit cost."""
    rows = [
        "| workload | without, CPU ms | with | more, us | target |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for one in report.doors:
        without, both = statistics.median(one.without), statistics.median(one.with_both)
        target = "15 us" if one.name == "read" else f"{without * 100:.0f} us (10 %)"
        rows.append(
            f"| {one.name} | {without:.3f} | {both:.3f} | {one.more * 1000:.1f} | {target} |"
        )
    return "\n".join(rows)


def page(reports: list[SizeReport], command: str, runs: int, seconds: float) -> str:
    """The performance page."""
    parts = [
        "# Performance",
        "",
        "Made by the benchmark itself; repeat it with:",
        "",
        f"    {command}",
        "",
        f"Machine: {processor()}, Linux {platform.release()}, Python {platform.python_version()}. "
        f"Date: {datetime.now(UTC):%Y-%m-%d}.",
        "Server CPU is that of the hub's whole process tree, from /proc; client and server share "
        "the machine.",
        "Authentication, validation and audit on, synchronous=FULL; 16 connections; "
        f"{runs} runs of {seconds:g} s, the median and the spread over the runs.",
        "Created Observations are new readings: their dates follow the demo set's.",
        "HAPI: 8.8 on PostgreSQL, warm, without validating, on such a machine.",
        "How steady the figures are, and what limits them: [notes](notes.md).",
        "",
    ]
    for report in reports:
        parts += [f"## {report.resources:,} resources", "", table(report), "", facts(report), ""]
        if report.doors:
            parts += [
                "What authentication and the audit of reads cost:",
                "",
                front_door(report),
                "",
            ]
    if len(reports) > 1:
        parts += ["## Does the cost stay flat?", "", flatness(reports[0], reports[-1]), ""]
    return "\n".join(parts)


def flatness(small: SizeReport, large: SizeReport) -> str:
    """The ratio of the cost at the largest to that at the smallest size."""
    rows = [
        f"| workload | CPU at {large.resources:,} / at {small.resources:,} (target <= 1.5) |",
        "| --- | ---: |",
    ]
    rows += [
        f"| {one.name} | {two.median / one.median:.2f} |"
        for one, two in zip(small.figures, large.figures, strict=True)
    ]
    return "\n".join(rows)


def raw(reports: list[SizeReport]) -> bytes:
    """All values as JSON."""
    return msgspec.json.format(msgspec.json.encode(reports), indent=1)
