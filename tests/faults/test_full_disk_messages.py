"""The disk is full while messages come: nobody is told AA for what is not stored.

On a small file system of its own, where the machine lets the test make one.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.hospital_senders import EACH, Line, read_answer, story
from tests.faults.test_messages_killed import assert_nothing_waits, counts_of, told, total
from tests.rest.running import free_port, running

pytestmark = pytest.mark.fault


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of its own at a folder."""
    mount = shutil.which("mount")
    ended = subprocess.run(
        [mount or "false", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        pytest.skip("this machine does not let a test mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Leave no room."""
    with file.open("wb", buffering=0) as out:
        for size in (1 << 20, 4096, 1):
            try:
                while out.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def test_a_full_disk_stores_nothing_and_says_so(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    data.mkdir()
    with small_disk(data, "48m"):
        with running(tmp_path, "--mllp", str(port), auth="off", disk_reserve="1MB") as hub:
            line = Line(port, 3)
            for control_id, raw in story(20_000):
                assert read_answer(line.exchange(raw)) == ("AA", control_id)
            filler = data / "filler"
            fill(filler)
            refused: list[tuple[str, bytes]] = []
            for number in range(20_001, 20_021):  # What the log has room for is still taken.
                for control_id, raw in story(number):
                    answer = line.exchange(raw)
                    if not answer or read_answer(answer)[0] != "AA":
                        assert not answer or read_answer(answer)[0] == "AE"
                        refused.append((control_id, raw))
                        break
                if len(refused) == 3:
                    break
            assert len(refused) == 3
            stored = total(hub, "Patient")
            assert hub.client.get("/Patient?_count=1").status_code == 200
            filler.unlink()
            line.close()
            line = Line(port, 30)
            for control_id, raw in refused:
                assert read_answer(line.exchange(raw)) == ("AA", control_id)
            line.close()
            assert_nothing_waits(hub)
            assert total(hub, "Patient") >= stored
            text = hub.client.get(f"{hub.url}/metrics").text
            hub.stop()
        assert "traceback" not in (tmp_path / "hub.log").read_text()
        assert 'state="quarantined"} 0' in text or 'state="quarantined"' not in text
        found = counts_of(tmp_path, total_stored(text))
        assert found["stored"] > EACH
        told(tmp_path, "check")
        told(tmp_path, "audit", "verify")


def total_stored(metrics: str) -> int:
    """How many messages are stored."""
    (found,) = [
        line.rsplit(" ", 1)[1]
        for line in metrics.splitlines()
        if line.startswith("hub_hl7v2_messages{") and 'state="stored"' in line
    ]
    return int(found)
