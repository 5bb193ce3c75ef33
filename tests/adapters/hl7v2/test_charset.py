"""Bytes to text: declared, set by the site, or found out; strict, and never a replacement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.charset import codecs_of, declared_charset, decode
from adapters.hl7v2.message import parse
from hub.errors import HubError, Unprocessable

NAMES = ("张小明", "王芳", "李雷", "欧阳震华", "喆", "堃", "王玥")
TRADITIONAL = ("張小明", "王芳", "許功蓋", "歐陽震華", "陳美玲")


def written(*values: str, charset: str = "", facility: str = "CENTRAL", country: str = "") -> str:
    header = f"MSH|^~\\&|HIS|{facility}|HUB|C|20260301||ADT^A04|1|P|2.5|||||{country}|{charset}"
    return header + "\rPID|1||P1^^^HIS||" + "|".join(values) + "\r"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("GB 18030-2000", "gb18030"),
        ("GB18030", "gb18030"),
        ("GBK", "gbk"),
        ("gb2312", "gbk"),
        ("BIG-5", "big5"),
        ("8859/1", "iso8859-1"),
        ("8859/5", "iso8859-5"),
        ("KS X 1001", "euc_kr"),
        ("ISO IR87", "iso2022_jp_2"),
        ("UNICODE UTF-16", "utf-16"),
    ],
)
def test_the_charset_is_what_msh_18_says(name: str, codec: str) -> None:
    text = {
        "iso8859-1": "Müller",
        "iso8859-5": "Иванов",
        "euc_kr": "김철수",
        "iso2022_jp_2": "山田",
        "big5": "許功蓋",
    }.get(codec, "张三")
    message = written(text, charset=name)
    decoded = decode(message.encode(codec))
    assert decoded.text == message
    assert decoded.declared == name
    assert codecs_of(name)
    assert decoded.text.encode(decoded.codec).decode(codec) == message


def test_trail_bytes_that_look_like_delimiters_do_not_split() -> None:
    # Their second bytes are \ ^ | ~ and &-like: E05C, 815E, 817C, 817E.
    text = b"\xe0\x5c\x81\x5e\x81\x7c\x81\x7e".decode("gb18030")
    message = parse(decode(written(text, "next", charset="GB18030").encode("gb18030")).text)
    assert message.segments[1].field(5) == text
    assert message.segments[1].field(6) == "next"


def test_msh_18_is_found_behind_text_whose_bytes_look_like_delimiters() -> None:
    facility = b"\x81\x7c\x81\x7c".decode("gb18030")
    raw = written("张三", charset="GB 18030-2000", facility=facility).encode("gb18030")
    assert declared_charset(raw) == "GB 18030-2000"
    assert decode(raw).text.startswith(f"MSH|^~\\&|HIS|{facility}|HUB")


def test_of_several_charsets_the_bytes_are_in_the_first_that_holds_them_all() -> None:
    for declared in ("ASCII~GB 18030-2000", "~UNICODE UTF-8"):
        codec = "gb18030" if "GB" in declared else "utf-8"
        message = written("张三", charset=declared)
        assert decode(message.encode(codec)).text == message


def test_several_charsets_may_be_switched_by_iso_2022() -> None:
    message = written("山田", charset="ISO IR6~ISO IR87")
    assert decode(message.encode("iso2022_jp")).text == message


@pytest.mark.parametrize(("setting", "codec"), [("GB18030", "gb18030"), ("BIG-5", "big5")])
def test_the_site_says_it_where_msh_18_is_empty(setting: str, codec: str) -> None:
    message = written("王芳")
    assert decode(message.encode(codec), setting=setting).text == message


def test_a_wrong_msh_18_does_not_count_where_the_site_says_so() -> None:
    message = written("张三", charset="ASCII")
    raw = message.encode("gbk")
    assert decode(raw, setting="GB18030", believe=False).text == message
    with pytest.raises(Unprocessable, match="hl7v2-undecodable"):
        decode(raw, setting="GB18030")


@pytest.mark.parametrize("name", NAMES)
def test_simplified_chinese_is_found_out_in_china(name: str) -> None:
    message = written(name, "朝阳区")
    for codec in ("utf-8", "gbk", "gb18030"):
        assert decode(message.encode(codec), zone="Asia/Shanghai").text == message


@pytest.mark.parametrize("name", TRADITIONAL)
def test_traditional_chinese_is_found_out_in_taiwan(name: str) -> None:
    message = written(name)
    for codec in ("utf-8", "big5"):
        assert decode(message.encode(codec), zone="Asia/Taipei").text == message
    message = written(name, country="TWN")
    assert decode(message.encode("big5"), zone="Asia/Shanghai").text == message


@pytest.mark.parametrize("name", ["Müller", "Jürgen Groß", "Åsa Öberg", "Ñandú", "naïve"])
def test_western_letters_are_found_out(name: str) -> None:
    message = written(name)
    for codec in ("utf-8", "iso8859-1"):
        assert decode(message.encode(codec), zone="Asia/Shanghai").text == message


def test_what_could_be_two_charsets_is_refused() -> None:
    with pytest.raises(Unprocessable, match="hl7v2-charset-ambiguous") as refused:
        decode(written("李明").encode("gbk"), zone="Europe/Berlin")
    assert set(refused.value.issues[0].arguments.values()) == {"GB 18030-2000", "BIG-5"}


def test_bytes_outside_the_declared_charset_are_refused_with_their_segment() -> None:
    with pytest.raises(Unprocessable, match="hl7v2-undecodable") as refused:
        decode(written("张三", charset="UNICODE UTF-8").encode("gbk"))
    assert refused.value.issues[0].arguments == {"line": 2, "charset": "UNICODE UTF-8"}


def test_an_unknown_charset_is_refused_and_not_repeated() -> None:
    with pytest.raises(Unprocessable, match="hl7v2-charset-unknown") as refused:
        decode(written("张三", charset="EBCDIC").encode())
    assert "EBCDIC" not in str(refused.value.issues)
    assert decode(written("Smith", charset="EBCDIC").encode()).text.endswith("Smith\r")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_replacement_character_of_the_sender_is_refused(codec: str) -> None:
    raw = written("张\ufffd", charset="UTF-8" if codec == "utf-8" else "GB18030").encode(codec)
    with pytest.raises(Unprocessable, match="hl7v2-replacement"):
        decode(raw)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_characters_and_byte_order_marks_are_seen(codec: str) -> None:
    message = written("张三", charset="UNICODE UTF-16")
    if codec == "utf-8-sig":
        message = written("张三", charset="UNICODE UTF-8")
    assert decode(message.encode(codec)).text == message


HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
GB18030 = st.characters(
    codec="gb18030", exclude_characters="\ufffd\r\n|\\^~&", exclude_categories=["Cc"]
)


@given(st.lists(st.text(GB18030, max_size=20), max_size=5))
def test_every_text_comes_back_exactly_from_gb18030(values: list[str]) -> None:
    message = written(*values, charset="GB 18030-2000")
    raw = message.encode("gb18030")
    decoded = decode(raw)
    assert decoded.text == message
    assert decoded.text.encode(decoded.codec) == raw
    assert parse(decoded.text).segments[1].fields[5:] == (values or [""])


@given(st.text(HAN, min_size=1, max_size=20))
def test_han_text_with_an_address_is_found_out_exactly(name: str) -> None:
    message = written(name, "北京市朝阳区建国路")
    try:
        found = decode(message.encode("gbk"), zone="Asia/Shanghai").text
    except Unprocessable:  # Of rare characters it may be refused, never mistaken.
        return
    assert found == message


@given(st.binary(max_size=300), st.sampled_from(["detect", "GB18030", "UTF-8", "BIG-5", "8859/1"]))
def test_no_bytes_break_it_and_none_are_replaced(raw: bytes, setting: str) -> None:
    for content in (raw, b"MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5|||||CHN|" + raw):
        try:
            decoded = decode(content, setting=setting, zone="Asia/Shanghai")
        except HubError:
            continue
        assert "\ufffd" not in decoded.text
        if decoded.codec not in ("utf-16", "utf-32"):
            kept = content.removeprefix(b"\xef\xbb\xbf")
            assert decoded.text.encode(decoded.codec) == kept or "iso2022" in decoded.codec
