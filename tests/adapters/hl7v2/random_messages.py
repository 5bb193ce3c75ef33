"""Hypothesis strategies of messages: segments of any kind with anything in their fields."""

from __future__ import annotations

from hypothesis import strategies as st

from adapters.hl7v2.mapping.library import message_names

_WORDS = st.sampled_from(
    [
        "",
        "a b",
        "\u00a0",
        "\x01",
        *[
            '""',
            "M",
            "I",
            "P",
            "N",
            "Y",
            "A",
            "F",
            "DA",
            "SV",
            "PH",
            "Internet",
            "Li",
            "张",
            "1",
            "-3",
            "12.5",
            "<5",
            "20260301",
            "202603010830",
        ],
        *[
            "19851399",
            "2026030108+0800",
            "HIS",
            "1.2.3",
            "ISO",
            "L",
            "U",
            "LN",
            "mmol/L",
            "NM",
            "ST",
            "CWE",
            "SN",
            "ED",
            "TM",
        ],
        *["Base64", "aGk=", "HL70001", "\\T\\", "\\X0A\\", "0", "PP", "EMR", "FTH", "18", "X", "D"],
    ]
)
_TEXT = _WORDS | st.text(
    st.characters(exclude_characters="\r\n|", exclude_categories=["Cs"]), max_size=6
)
_FIELD = st.lists(st.lists(_TEXT, max_size=6).map("^".join), max_size=3).map("~".join) | _TEXT
_NAMES = st.sampled_from(
    [
        "PID",
        "PD1",
        "NK1",
        "PV1",
        "PV2",
        "AL1",
        "DG1",
        "OBX",
        "MRG",
        "ROL",
        "PRT",
        "IN1",
        "EVN",
        "ZZZ",
        "ORC",
        "OBR",
        "NTE",
        "SPM",
        "TXA",
        "SCH",
        "AIS",
        "AIP",
        "AIL",
        "AIG",
        "RGS",
        "RXA",
        "RXR",
        "RF1",
        "PRD",
        "PR1",
        "MSA",
        "TQ1",
    ]
)


@st.composite
def _segments(draw: st.DrawFn) -> str:
    name = draw(_NAMES)
    fields = draw(st.dictionaries(st.integers(1, 50), _FIELD, max_size=8))
    last = max(fields, default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


@st.composite
def messages(draw: st.DrawFn, control_id: str = "C1") -> str:
    """One message: MSH and PID of a patient, then any segments."""
    adt = draw(st.booleans())
    kinds = [kind for kind in sorted(message_names()) if kind.startswith("ADT") is adt]
    kind = draw(st.sampled_from(kinds))
    header = f"MSH|^~\\&|A|B|||{draw(_TEXT)}||{kind}|{control_id}|P|2.5.1"
    first = "PID|1||7^^^HIS^MR||Li^Wei"
    return "\r".join([header, first, *draw(st.lists(_segments(), max_size=7))])
