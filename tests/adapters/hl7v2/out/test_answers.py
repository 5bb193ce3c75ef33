"""What comes back is read without trusting it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.answers import Answer, read_answer, reason_for, verdict
from adapters.hl7v2.reasons import read_reasons

HEAD = "MSH|^~\\&|HIS|H|FHIRHUB||20261122||ACK^A28^ACK|1|P|2.5\r"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"{HEAD}MSA|AA|X1\r", Answer("AA", "X1", (), "ACK^A28^ACK")),
        (f"{HEAD}MSA|AE|X1|text\rERR|||207^Internal^HL70357|E\r", ("AE", "X1", ("207",))),
        (f"{HEAD}MSA|AE|X1\rERR|PID^1^3^101&Required&HL70357\r", ("AE", "X1", ("101",))),
        (f"{HEAD}MSA|AE|X1\rERR\rERR|||张三|E\r", ("AE", "X1", ())),
        (f"{HEAD}MSA|CA|X1\n", ("CA", "X1", ())),
        ("MSH$%~\\&$A$B$C$D$$$ACK%A28$1$P$2.5\rMSA$AR$X1\r", ("AR", "X1", ())),
        (f"{HEAD}MSA| AA |  X1 \r", ("AA", "X1", ())),
        (f"{HEAD}", None),
        (f"{HEAD}MSA|AA\r", None),
        (f"{HEAD}MSA|OK|X1\r", None),
        ("MSA|AA|X1\r", None),
        ("MSH", None),
        ("", None),
    ],
)
def test_an_acknowledgement_is_what_msa_says(
    text: str, answer: Answer | tuple[object, ...] | None
) -> None:
    found = read_answer(text.encode())
    assert (found and found[: len(answer)]) == answer if answer is not None else found is None


def test_a_refusal_names_its_error_codes_if_it_has_any() -> None:
    told = [
        read_reasons(reason_for(Answer("AR", "X1", errors, "ACK"), 1))[0]
        for errors in (("207", "204"), ())
    ]
    assert [one.words() for one in told] == [
        "The destination answered AR, error codes 207, 204.",
        "The destination answered AR without an error code; whoever runs it can tell why.",
    ]


@pytest.mark.parametrize("codec", ["gb18030", "big5", "utf-8"])
def test_the_charset_of_an_acknowledgement_does_not_matter(codec: str) -> None:
    raw = f"{HEAD}MSA|AE|X1|病人不存在\rERR|||204^不存在|E\r".encode(codec)
    assert read_answer(raw) == Answer("AE", "X1", ("204",), "ACK^A28^ACK")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_an_answer_or_as_none(raw: bytes) -> None:
    for start in (b"", HEAD.encode(), HEAD.encode() + b"MSA|AA|"):
        found = read_answer(start + raw)
        assert found is None or found.code[0] in "AC"


@pytest.mark.parametrize(
    ("code", "errors", "times", "meaning"),
    [
        ("AA", (), 0, "done"),
        ("CA", (), 0, "kept"),
        ("AE", (), 0, "again"),
        ("AE", (), 9, "refused"),
        ("AE", ("207",), 99, "again"),
        ("AE", ("207", "101"), 0, "refused"),
        ("CE", ("206",), 0, "again"),
        ("AR", ("207",), 0, "refused"),
        ("CR", (), 0, "refused"),
    ],
)
def test_a_rule_says_what_an_answer_means(
    code: str, errors: tuple[str, ...], times: int, meaning: str
) -> None:
    assert verdict(Answer(code, "X1", errors, "ACK"), "ADT^A28", times, 10) == meaning


def test_a_referral_is_answered_by_its_own_kind_of_message_only() -> None:
    assert verdict(Answer("AA", "X1", (), "ACK^I12"), "REF^I12", 0, 10) == "kept"
    assert verdict(Answer("AA", "X1", (), "RRI^I12^RRI_I12"), "REF^I12", 0, 10) == "done"
