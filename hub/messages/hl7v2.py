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
    # --- into the record
    "hl7v2-identifier-elsewhere": (
        "One of the identifiers belongs to another record; it was left out. Look whether the two "
        "are the same.",
        "其中一个标识符属于另一条记录，已略去。请核对两条记录是否为同一对象。",
    ),
    "hl7v2-identifier-of-another": (
        "One of the identifiers belongs to a person of another birth date or sex, a mother's for "
        "example; a record without it was made.",
        "其中一个标识符属于出生日期或性别不同的另一人（如母亲），已另建不含该标识符的记录。",
    ),
    "hl7v2-identity-several": (
        "Several {type} resources have this identifier; the first was taken.",
        "有多个 {type} 资源使用此标识符，已采用第一个。",
    ),
    "hl7v2-identity-ambiguous": (
        "Several {type} resources have this identifier, so nothing was stored. Merge them or "
        "correct the identifier, then replay the message.",
        "有多个 {type} 资源使用此标识符，未存储任何内容。请合并记录或更正标识符，然后重放消息。",
    ),
    "hl7v2-merge-cycle": (
        "The record to be merged away is the one that goes on, or the other was merged into it "
        "before. Nothing was stored.",
        "将被合并的记录就是保留的记录，或后者此前已并入前者。未存储任何内容。",
    ),
    "hl7v2-reference-unknown": (
        "This names something that is not in the record. Nothing was stored.",
        "此处所指的对象不在记录中。未存储任何内容。",
    ),
    "hl7v2-deleted": (
        "This {type} was deleted after what the message tells; nothing was stored. A newer "
        "message brings it back.",
        "该 {type} 在消息所述事件之后已被删除，未存储任何内容。较新的消息会恢复它。",
    ),
    "hl7v2-answer-unmatched": (
        "This answers no message that was sent to this site. Nothing was stored.",
        "此应答与发往该站点的任何消息都不对应。未存储任何内容。",
    ),
    # --- who sends what
    "hl7v2-sender-unknown": (
        "The sender in MSH-3 and MSH-4 has no site file, and strangers are refused.",
        "MSH-3 与 MSH-4 中的发送方没有站点文件，且不接受未知发送方。",
    ),
    "hl7v2-address": (
        "The sender's site does not take messages from this address.",
        "该站点不接受来自此地址的消息。",
    ),
    "hl7v2-control-id-long": (
        "MSH-10 has at most {limit} characters.",
        "MSH-10 最多 {limit} 个字符。",
    ),
    "hl7v2-version-unknown": (
        "MSH-12 is no version from 2.1 to 2.9.",
        "MSH-12 不是 2.1 至 2.9 的版本号。",
    ),
    "hl7v2-processing-id": (
        "MSH-11 must be P, T or D.",
        "MSH-11 必须为 P、T 或 D。",
    ),
    "hl7v2-type-unknown": (
        "Messages of the type in MSH-9 are not taken.",
        "不接收 MSH-9 中的消息类型。",
    ),
    "hl7v2-event-unknown": (
        "{type} messages with the trigger event in MSH-9 are not taken.",
        "不接收带有 MSH-9 中触发事件的 {type} 消息。",
    ),
    # --- what becomes of it
    "hl7v2-oversize": (
        "The message has more than {limit} bytes.",
        "消息超过 {limit} 字节。",
    ),
    "hl7v2-segments-many": (
        "The message has more than {limit} segments.",
        "消息超过 {limit} 个段。",
    ),
    "hl7v2-fields-many": (
        "The message has more than {limit} fields.",
        "消息超过 {limit} 个字段。",
    ),
    "hl7v2-repetitions-many": (
        "A field, or all fields together, repeat more than {limit} times.",
        "单个字段或所有字段合计重复超过 {limit} 次。",
    ),
    "hl7v2-not-stored": (
        "The message could not be stored; send it again later.",
        "消息未能存储，请稍后重发。",
    ),
    "hl7v2-unexpected": (
        "An error of the hub itself; the message is kept and will be looked at.",
        "系统内部错误；消息已保留，待人工处理。",
    ),
    "hl7v2-control-id-reused": (
        "The control id was used before by another message of this sender.",
        "该发送方此前的另一条消息已使用此控制号。",
    ),
}
