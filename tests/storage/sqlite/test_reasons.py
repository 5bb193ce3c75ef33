"""What people read when the disk or the database file is at fault."""

from __future__ import annotations

import errno
from pathlib import Path

import apsw
import pytest

from hub.errors import HubError
from hub.interactions.failures import as_hub_error
from hub.messages import render
from hub.messages.phrases import PHRASES
from hub.storage.port import StoreUnavailable
from hub.storage.sqlite.connect import DATABASE, IO_ERRORS, unavailable
from hub.storage.sqlite.store import open_store


@pytest.mark.parametrize("error", IO_ERRORS)
def test_every_error_of_sqlite_is_told_in_words_of_both_languages(error: type[apsw.Error]) -> None:
    reason = unavailable(error("x")).reason
    assert reason in PHRASES
    assert "Error" not in reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_errors_of_the_system_are_told_without_a_path(number: int) -> None:
    error = OSError(number, "Some reason", "/secret/path")
    reason = unavailable(error).reason
    assert " " in reason
    assert "secret" not in reason


def test_the_words_are_in_the_language_of_the_client() -> None:
    told, expected = as_hub_error(unavailable(apsw.IOError("x")), "r")
    assert expected
    assert isinstance(told, HubError)
    issue = told.issues[0]
    assert "the disk fails" in render(issue.message, issue.arguments)
    assert "磁盘故障" in render(issue.message, issue.arguments, "zh-CN")


@pytest.mark.parametrize("content", [b"garbage!" * 1000, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(StoreUnavailable, match="put a backup in its place"):
        open_store(tmp_path)
