"""Counts and their Prometheus text, of one worker and of several."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hub.rest import metrics
from hub.rest.metrics import Metrics, Snapshot

_LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+\-]+')


def _text(*snapshots: Snapshot, **store: float) -> str:
    return metrics.exposition(list(snapshots), store).decode()


def test_requests_are_counted_by_interaction_and_status() -> None:
    own = Metrics()
    own.observe("read", 200, 0.0002)
    own.observe("read", 200, 0.003)
    own.observe("read", 404, 20.0)
    text = _text(own.snapshot())
    assert 'hub_requests_total{interaction="read",status="200"} 2' in text
    assert 'hub_requests_total{interaction="read",status="404"} 1' in text
    assert 'hub_request_seconds_bucket{interaction="read",le="0.0005"} 1' in text
    assert 'hub_request_seconds_bucket{interaction="read",le="10.0"} 2' in text
    assert 'hub_request_seconds_bucket{interaction="read",le="+Inf"} 3' in text
    assert 'hub_request_seconds_count{interaction="read"} 3' in text
    assert 'hub_request_seconds_sum{interaction="read"} 20.003200' in text


def test_every_line_is_prometheus_text() -> None:
    own = Metrics()
    own.observe("create", 201, 0.1)
    for line in _text(own.snapshot(), hub_store_bytes=12.0).splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line), line


def test_each_family_is_declared_once() -> None:
    own = Metrics()
    own.observe("read", 200, 0.1)
    store = {f'hub_store_resources{{type="{type}"}}': 1.0 for type in ("Patient", "Task")}
    declared = [
        line
        for line in metrics.exposition([own.snapshot()], store).decode().splitlines()
        if line.startswith("# TYPE")
    ]
    assert len(declared) == len(set(declared))
    assert "# TYPE hub_store_resources gauge" in declared


def test_the_process_measures_itself() -> None:
    gauges = metrics.process_gauges()
    assert gauges["process_resident_memory_bytes"] > 10_000_000
    assert gauges["process_open_fds"] > 2


def test_workers_are_added_up_and_ended_ones_stay_counted(tmp_path: Path) -> None:
    ended = Snapshot(2**22 + 1, [("read", 200, [1] * 15, 0.5)], 1, {"requests_in_flight": 1})
    metrics.publish(tmp_path, ended)
    own = Metrics()
    own.observe("read", 200, 0.0)
    metrics.publish(tmp_path, own.snapshot())
    others = metrics.others(tmp_path)
    assert [one.worker for one in others] == [ended.worker]
    text = _text(own.snapshot(), *others)
    assert 'hub_requests_total{interaction="read",status="200"} 16' in text
    assert "hub_unexpected_errors_total 1" in text
    assert f'hub_requests_in_flight{{worker="{os.getpid()}"}} 0' in text
    assert f'worker="{ended.worker}"' not in text


def test_a_half_written_file_of_another_worker_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics-1.json").write_text("{")
    assert metrics.others(tmp_path) == []
