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
}
