"""Site files that cannot be meant well: told with file and place at the start, in little time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.service import sites_of
from adapters.hl7v2.sites import SiteError, load_sites
from hub.settings import Settings, SettingsError

SENDER = 'sender = ["A|B"]\n'


def _map(expression: str) -> str:
    return f"{SENDER}[segments.ZPD.Patient]\nlanguage = '{expression}'\n"


def _told(folder: Path, content: bytes) -> str:
    """What the hub says at its start; "" when it takes the file."""
    (folder / "x.toml").write_bytes(content)
    try:
        sites_of(Settings(data=folder, sites=str(folder)))
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SENDER + "[segments.ZPD.Patient]\nname = " + "[" * 5000 + "]" * 5000, "40 times"),
        (SENDER + "[segments.ZPD.Patient]\nname = " + "{a=" * 200 + "1" + "}" * 200, "40 times"),
        (SENDER + "[segments.ZPD.Patient." + "a." * 900 + "a]\nx = 'ZPD-1'", "40 times"),
        (SENDER + "[tables.sex]\n1 = " + "9" * 5000, "digits"),
        (SENDER + "#" * 2_000_000, "1048576 bytes"),
        (SENDER + "\0", "line 2"),
        (SENDER + '[destination]\nhost = "a"\nport = 9999999999999999999', "port"),
        (_map("ZPD-1 if " + "(" * 100 + "ZPD-1" + ")" * 100), "30 brackets"),
        (_map("ZPD-1 if " + "not " * 5000 + "ZPD-1"), "1000 characters"),
        (_map("ZPD-1" + " or ZPD-1" * 5000), "1000 characters"),
        (_map("=" + "{" * 50_000), "1000 characters"),
        (_map("ZPD-1 if " + "not " * 240 + "ZPD-1"), ""),
        (_map("ZPD-1" + " or ZPD-1" * 100), ""),
        (_map("ZPD-99999999999"), "ZPD-99999999999 cannot be understood"),
        (_map("ZPD-1[99999999999]"), "cannot be understood"),
        (_map("ZPD-1.99999999999"), "cannot be understood"),
    ],
    ids=range(16),
)
def test_a_hostile_site_file_is_told_in_a_line(tmp_path: Path, content: str, words: str) -> None:
    before = time.process_time()
    told = _told(tmp_path, content.encode())
    assert bool(told) is bool(words)
    assert words in told
    assert not told or "x.toml" in told
    assert len(told) < 1000
    assert time.process_time() - before < 5


def test_what_is_no_file_does_not_hold_up_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.toml")
    with pytest.raises(SiteError, match="no file"):
        load_sites(tmp_path, zone="Asia/Shanghai")


WHOLE = (
    b'sender = ["A|B"]\nzone = "Asia/Shanghai"\ncharset = "GB18030"\naddresses = ["10.0.0.0/8"]\n'
    b'[systems]\nHIS = "urn:oid:1.2"\n[tables.sex]\n"1" = "male"\n[segments.ZPD.Patient]\n'
    b'language = "ZPD-2 if ZPD-3 = x"\n[destination]\nhost = "10.1.1.5"\nport = 2575\n'
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, len(WHOLE)), st.integers(0, 30), st.binary(max_size=8) | st.text(max_size=8))
def test_a_damaged_site_file_is_told_or_taken(
    tmp_path: Path, at: int, gone: int, put: bytes | str
) -> None:
    there = put if isinstance(put, bytes) else put.encode("utf-8", "surrogatepass")
    _told(tmp_path, WHOLE[:at] + there + WHOLE[at + gone :])
