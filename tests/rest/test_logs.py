"""Log lines are JSON and hold no data of a request or an error."""

from __future__ import annotations

import json
import logging
import os

import pytest

from hub.rest.logs import AccessLog, LineHandler, LineWriter, frames


def test_a_traceback_names_places_but_no_values() -> None:
    lines: list[bytes] = []
    log = logging.Logger("test")
    log.addHandler(LineHandler(lines.append))
    try:
        try:
            raise KeyError("张三")
        except KeyError as error:
            raise ValueError("id 110101199001011234") from error
    except ValueError:
        log.exception("failed", extra={"request": "r1"})
    (line,) = lines
    assert "张三" not in line.decode()
    assert "110101" not in line.decode()
    found = json.loads(line)
    assert found["message"] == "failed"
    assert found["request"] == "r1"
    assert found["traceback"][0] == "ValueError"
    assert "KeyError" in found["traceback"]
    assert any("test_logs.py" in step for step in found["traceback"])


def test_a_group_of_errors_names_the_places_of_all() -> None:
    def fail(kind: type[Exception]) -> Exception:
        try:
            raise kind("张三")
        except Exception as error:  # noqa: BLE001 - with a traceback, that is all
            return error

    group = ExceptionGroup("张三", [fail(KeyError), ExceptionGroup("", [fail(ZeroDivisionError)])])
    found = frames(group)
    names = [step for step in found if "test_logs.py" not in step]
    assert names == ["ExceptionGroup", "KeyError", "ExceptionGroup", "ZeroDivisionError"]
    assert sum("test_logs.py" in step for step in found) == 2


def test_a_chain_of_errors_ends() -> None:
    error = ValueError()
    error.__context__ = error
    assert len(frames(error)) <= 101


async def test_access_lines_are_json_and_handed_over_together() -> None:
    pieces: list[bytes] = []
    access = AccessLog(pieces.append)
    for number in range(3):
        access.add(f"r{number}", "GET", "/fhir/{type}/{id}", "read", "Patient", 200, 57, 1234)
    assert pieces == []
    access.flush()
    (piece,) = pieces
    lines = [json.loads(line) for line in piece.splitlines()]
    assert [line["request"] for line in lines] == ["r0", "r1", "r2"]
    assert lines[0]["route"] == "/fhir/{type}/{id}"
    assert lines[0]["microseconds"] == 57
    assert lines[0]["time"].endswith("Z")
    assert len(lines[0]["time"]) == len("2026-03-01T02:00:00.123Z")


def test_lines_reach_the_descriptor_in_order() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    for number in range(100):
        writer.write(b"%d\n" % number)
    writer.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        assert stream.read() == b"".join(b"%d\n" % number for number in range(100))


def test_a_full_pipe_drops_lines_and_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.rest.logs.MOST_WAITING", 10)
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    for _ in range(1000):
        writer.write(b"x" * 999 + b"\n")
    assert writer.dropped > 0
    os.close(reading)
    writer.close()
    os.close(writing)
