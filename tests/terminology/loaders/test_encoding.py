"""From bytes to text, strictly."""

from __future__ import annotations

import pytest

from terminology.loaders.encoding import decoded
from terminology.loaders.problems import FileRefused


@pytest.mark.parametrize(
    ("data", "encoding", "message", "row"),
    [
        (b"a\nb\xff\xffc", "", "terminology-encoding", 2),
        (b"a\n\xe4\xbd", "utf-8", "terminology-encoding-wrong", 2),
        (b"abc", "nonsense", "terminology-encoding-unknown", 0),
        (b"PK\x03\x04rest", "", "terminology-spreadsheet", 0),
        (b"\xd0\xcf\x11\xe0rest", "", "terminology-spreadsheet", 0),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, encoding: str, message: str, row: int) -> None:
    with pytest.raises(FileRefused) as refused:
        decoded(data, encoding)
    (problem,) = refused.value.problems.found
    assert (problem.message, problem.row) == (message, row)
    assert problem.text("zh")


def test_four_byte_characters_of_gb18030_and_its_names() -> None:
    text = "编码,㐀𠀀\n"
    assert decoded(text.encode("gb18030"))[0] == text
    assert decoded(text.encode("gb18030"), "GBK")[0] == text
    assert decoded("繁體".encode("big5"), "big5") == ("繁體", "big5")
