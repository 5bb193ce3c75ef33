"""Words about HL7 v2 messages. They name segments and fields, never a value."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # --- the message's text
    "hl7v2-no-msh": (
        "The message does not begin with an MSH segment.",
        "消息不以 MSH 段开头。",
    ),
    "hl7v2-delimiters": (
        "MSH-1 and MSH-2 must be different punctuation characters, usually |^~\\&.",
        "MSH-1 与 MSH-2 必须为互不相同的标点字符，通常为 |^~\\&。",
    ),
    "hl7v2-segment-name": (
        "Line {line} does not begin with the name of a segment; a line break within a field is "
        "written \\.br\\.",
        "第 {line} 行未以段名开头；字段内换行应写为 \\.br\\。",
    ),
    "hl7v2-several-messages": (
        "There are several MSH segments in one frame; send each message in a frame of its own.",
        "一个帧内有多个 MSH 段；请将每条消息放入单独的帧。",
    ),
    # --- charsets
    "hl7v2-charset-unknown": (
        "MSH-18 names a charset that is not in HL7 table 0211.",
        "MSH-18 中的字符集不在 HL7 表 0211 内。",
    ),
    "hl7v2-undecodable": (
        "The bytes of segment {line} are not in the charset {charset}; nothing was stored. Send "
        "what MSH-18 says, or set the charset in the site's file.",
        "第 {line} 段的字节不符合字符集 {charset}，未存储任何内容。请按 MSH-18 声明的字符集发送，"
        "或在站点文件中设置字符集。",
    ),
    "hl7v2-charset-ambiguous": (
        "The bytes may be {first} or {second}; say the charset in MSH-18 or in the site's file.",
        "字节可能为 {first} 或 {second}；请在 MSH-18 或站点文件中注明字符集。",
    ),
    "hl7v2-replacement": (
        "Segment {line} has replacement characters (U+FFFD): the sender has lost text. Nothing "
        "was stored.",
        "第 {line} 段含有替换字符（U+FFFD）：发送方已丢失文字，未存储任何内容。",
    ),
}
