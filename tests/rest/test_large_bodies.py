"""Large bodies do not keep other clients waiting."""

from __future__ import annotations

import pytest

from hub.rest.incoming import LARGE, is_large


@pytest.mark.parametrize(
    ("headers", "large"),
    [
        ({}, False),
        ({b"content-length": b"100"}, False),
        ({b"content-length": str(LARGE).encode()}, False),
        ({b"content-length": str(LARGE + 1).encode()}, True),
        ({b"content-length": b"100", b"content-encoding": b"gzip"}, True),
        ({b"transfer-encoding": b"chunked"}, True),
        ({b"content-length": b"x"}, False),
    ],
)
def test_a_body_is_large_by_its_length_or_when_nobody_knows(
    headers: dict[bytes, bytes], large: bool
) -> None:
    assert is_large(headers) is large
