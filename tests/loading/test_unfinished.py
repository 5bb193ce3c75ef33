"""Loads that are not finished are found, without disturbing them."""

from __future__ import annotations

from pathlib import Path

from hub.loading.checkpoint import Checkpoint
from hub.loading.unfinished import unfinished_loads


def checkpoint(data: Path) -> Checkpoint:
    file = data / "one.ndjson"
    file.touch()
    return Checkpoint(data, [file], [file])


def test_a_load_that_runs_is_told_from_one_that_was_interrupted(tmp_path: Path) -> None:
    taken = checkpoint(tmp_path)
    taken.state.created = 7
    taken.save()
    (found,) = unfinished_loads(tmp_path)
    assert found.running
    assert found.state.created == 7
    taken.close()
    (found,) = unfinished_loads(tmp_path)
    assert not found.running
    assert found.changed > 0


def test_looking_takes_no_lock(tmp_path: Path) -> None:
    checkpoint(tmp_path).close()
    unfinished_loads(tmp_path)
    checkpoint(tmp_path).close()


def test_what_is_finished_or_broken_is_not_among_them(tmp_path: Path) -> None:
    assert unfinished_loads(tmp_path) == []
    taken = checkpoint(tmp_path)
    taken.save()
    (state,) = (tmp_path / "loads").glob("*/state.json")
    state.write_text("{")
    assert unfinished_loads(tmp_path) == []
    taken.forget()
    taken.close()
    assert unfinished_loads(tmp_path) == []
