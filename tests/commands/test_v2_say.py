"""What senders wrote is printed so that it does nothing to the terminal."""

from __future__ import annotations

import pytest

from hub.commands.v2.log import say


def test_control_characters_are_shown_and_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    say("E\x1b[31m\x07\x9b1\r\u202eabc\t张\n")
    assert capsys.readouterr().out == "E\\x1b[31m\\x07\\x9b1\\x0d\\u202eabc\t张\n\n"
