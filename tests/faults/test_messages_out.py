"""kill -9 while messages go out: each arrives at least once, under one control id; none is lost.

`TEST_OUT_KILLS=40` does by hand what CI does 4 times. Messages: 50 in each life of the hub.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from tests.adapters.hl7v2.out.hl7_server import Came, serving
from tests.rest.running import RunningHub, running

pytestmark = pytest.mark.fault

KILLS = int(os.environ.get("TEST_OUT_KILLS", "4"))
EACH = 50


def _site(folder: Path, port: int) -> None:
    sites = folder / "data" / "sites"
    sites.mkdir(parents=True)
    (sites / "his.toml").write_text(
        f'[destination]\nhost = "127.0.0.1"\nport = {port}\nevents = ["ADT"]\n'
    )


def _put(hub: RunningHub, first: int) -> None:
    for number in range(first, first + EACH):
        patient = {
            "resourceType": "Patient",
            "id": f"p{number}",
            "identifier": [{"system": "urn:x", "value": f"P{number}"}],
        }
        assert hub.client.put(f"/Patient/p{number}", json=patient).status_code == 201


def _wait(came: Came, count: int) -> None:
    deadline = time.monotonic() + 60
    while len({one for one, _, _ in came.messages}) < count:
        assert time.monotonic() < deadline, f"{len(came.messages)} messages came"
        time.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_stored_is_told_whenever_the_hub_is_killed(tmp_path: Path, workers: str) -> None:
    random, kills = Random(5), KILLS if workers == "1" else 1
    with serving(0.003) as came:
        _site(tmp_path, came.port)
        for life in range(kills):
            with running(tmp_path, "--workers", workers, auth="off") as hub:
                _put(hub, life * EACH)
                time.sleep(random.random() * 0.4)
                hub.process.kill()
                hub.process.wait()
        with running(tmp_path, "--workers", workers, auth="off"):
            _wait(came, kills * EACH)
            time.sleep(0.5)
    ids, texts = defaultdict(set), defaultdict(set)
    for control_id, patient, text in came.messages:
        ids[patient].add(control_id)
        texts[control_id].add(text)
    assert set(ids) == {f"P{number}" for number in range(kills * EACH)}
    assert {len(one) for one in ids.values()} == {1}
    assert {len(one) for one in texts.values()} == {1}
    # Nothing overtakes: first arrivals are in the order of the changes.
    firsts = list(dict.fromkeys(patient for _, patient, _ in came.messages))
    assert firsts == [f"P{number}" for number in range(kills * EACH)]
    print(f"{kills} kills, {len(came.messages)} messages for {kills * EACH} changes")
