"""Counts and durations of requests, and the Prometheus text made of them.

One `Metrics` per process; with several workers each writes its numbers to a file beside the
others' every few seconds and whoever is asked adds them up. No label holds a value from a URL.
Written by `hub.rest.dispatcher`, read by `/metrics`.
Spec: Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

import os
import resource
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Row = tuple[str, int, list[int], float]


class Snapshot(msgspec.Struct):
    """One process's numbers.

    Attributes:
        worker: Its process id.
        rows: Interaction, status, requests per bucket, seconds in all.
        unexpected: Errors that were nobody's fault but ours.
        gauges: What the process measures of itself; None once it has ended.
    """

    worker: int
    rows: list[Row]
    unexpected: int = 0
    gauges: dict[str, float] = {}


class Metrics:
    """The numbers of this process.

    Attributes:
        unexpected: Errors that were nobody's fault but ours.
        in_flight: Requests being answered.
        queued: Commits that waited for the writer when somebody looked last.
        edges: Give the numbers of what else runs in this process, by name without `hub_`; names
            of counters end in `_total`.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self.unexpected = 0
        self.in_flight = 0
        self.queued = 0
        self.edges: list[Callable[[], Mapping[str, float]]] = []
        self._rows: dict[tuple[str, int], list[int]] = {}
        self._seconds: dict[tuple[str, int], float] = {}

    def observe(self, interaction: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            interaction: restful-interaction code, or the name of a page.
            status: HTTP status.
            seconds: From the headers' arrival to the answer's end.
        """
        key = (interaction, status)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = [0] * (len(BOUNDS) + 1)
            self._seconds[key] = 0.0
        row[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[key] += seconds

    def snapshot(self) -> Snapshot:
        """The numbers now."""
        return Snapshot(
            os.getpid(),
            [(*key, row, self._seconds[key]) for key, row in self._rows.items()],
            self.unexpected,
            {
                **process_gauges(),
                "requests_in_flight": self.in_flight,
                "store_queued_commits": self.queued,
                **{name: value for edge in self.edges for name, value in edge().items()},
            },
        )


def process_gauges() -> dict[str, float]:
    """Memory, processor time and open files of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "process_resident_memory_bytes": pages * _PAGE,
        "process_cpu_seconds_total": usage.ru_utime + usage.ru_stime,
        "process_open_fds": len(os.listdir("/proc/self/fd")),
    }


# --- several workers ------------------------------------------------------------------------


def publish(folder: Path, snapshot: Snapshot) -> None:
    """Write this process's numbers where the other workers find them, atomically."""
    target = folder / f"metrics-{snapshot.worker}.json"
    fresh = target.with_suffix(".tmp")
    fresh.write_bytes(msgspec.json.encode(snapshot))
    fresh.replace(target)


def others(folder: Path) -> list[Snapshot]:
    """What the other workers wrote last, ended ones included, so that no count falls."""
    found = []
    for file in sorted(folder.glob("metrics-*.json")):
        if file.name != f"metrics-{os.getpid()}.json":
            try:
                found.append(msgspec.json.decode(file.read_bytes(), type=Snapshot))
            except (OSError, msgspec.DecodeError):  # Being replaced or half-written by a crash.
                continue
    return found


# --- exposition -----------------------------------------------------------------------------


def _alive(worker: int) -> bool:
    return Path(f"/proc/{worker}").exists()


def _labels(values: Mapping[str, str | int]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in values.items())


def _requests(snapshots: Iterable[Snapshot]) -> list[str]:
    counts: dict[tuple[str, int], int] = {}
    buckets: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    for snapshot in snapshots:
        for interaction, status, row, spent in snapshot.rows:
            counts[interaction, status] = counts.get((interaction, status), 0) + sum(row)
            have = buckets.get(interaction, [0] * len(row))
            buckets[interaction] = [one + more for one, more in zip(have, row, strict=True)]
            seconds[interaction] = seconds.get(interaction, 0.0) + spent
    lines = [
        "# HELP hub_requests_total Requests answered.",
        "# TYPE hub_requests_total counter",
    ]
    for (interaction, status), count in sorted(counts.items()):
        labels = _labels({"interaction": interaction, "status": status})
        lines.append(f"hub_requests_total{{{labels}}} {count}")
    lines += [
        "# HELP hub_request_seconds Time from a request's headers to the end of its answer.",
        "# TYPE hub_request_seconds histogram",
    ]
    for interaction, row in sorted(buckets.items()):
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), row, strict=True):
            total += count
            labels = _labels({"interaction": interaction, "le": bound})
            lines.append(f"hub_request_seconds_bucket{{{labels}}} {total}")
        label = _labels({"interaction": interaction})
        lines.append(f"hub_request_seconds_sum{{{label}}} {seconds[interaction]:.6f}")
        lines.append(f"hub_request_seconds_count{{{label}}} {total}")
    return lines


def exposition(snapshots: list[Snapshot], store: Mapping[str, float]) -> bytes:
    """The text for Prometheus.

    Args:
        snapshots: Of every worker.
        store: Gauges of the store, by full name.
    """
    lines = _requests(snapshots)
    lines += [
        "# HELP hub_unexpected_errors_total Requests that ended in an error of the hub itself.",
        "# TYPE hub_unexpected_errors_total counter",
        f"hub_unexpected_errors_total {sum(one.unexpected for one in snapshots)}",
    ]
    living = [one for one in snapshots if one.worker == os.getpid() or _alive(one.worker)]
    for name in sorted({name for one in living for name in one.gauges}):
        full = name if name.startswith("process_") else f"hub_{name}"
        lines.append(f"# TYPE {full} {'counter' if full.endswith('_total') else 'gauge'}")
        lines += [
            f'{full}{{worker="{one.worker}"}} {one.gauges[name]:.10g}'
            for one in living
            if name in one.gauges
        ]
    for full, value in sorted(store.items()):
        name = full.partition("{")[0]
        kind = f"# TYPE {name} gauge"
        if kind not in lines:
            lines.append(kind)
        lines.append(f"{full} {value:.10g}")
    return ("\n".join(lines) + "\n").encode()
