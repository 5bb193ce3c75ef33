"""Words about HL7 v2 messages that are sent, and about asking for them."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "hl7v2-out-charset": (
        "The destination's charset {charset} lacks a character of this field. Set its charset to "
        'GB18030 or UTF-8, or unencodable = "escape", and send the message again.',
        "目标字符集 {charset} 缺少该字段中的某个字符。请将其字符集改为 GB18030 或 UTF-8，"
        '或设置 unencodable = "escape"，然后重新发送。',
    ),
    "hl7v2-out-patient": (
        "The {type} names no patient of this record; a message needs one.",
        "该 {type} 未指向本系统中的患者；消息必须有患者。",
    ),
    "hl7v2-out-empty": (
        "The message could not be written.",
        "消息无法生成。",
    ),
    "hl7v2-out-unreachable": (
        "The destination could not be reached, or did not answer in time: {why}.",
        "无法连接目标系统，或其未及时应答：{why}。",
    ),
    "hl7v2-out-answer": (
        "What the destination answered is no acknowledgement.",
        "目标系统返回的内容不是应答消息。",
    ),
    "hl7v2-out-refused": (
        "The destination answered {code}, error codes {errors}.",
        "目标系统应答 {code}，错误代码 {errors}。",
    ),
    "hl7v2-out-refused-unsaid": (
        "The destination answered {code} without an error code; whoever runs it can tell why.",
        "目标系统应答 {code}，未附错误代码；原因请询问其管理方。",
    ),
    "hl7v2-destination-unknown": (
        "There is no destination of this name. There are: {known}.",
        "没有该名称的发送目标。现有：{known}。",
    ),
    "hl7v2-destinations-none": (
        "No site has a [destination], so nothing can be sent.",
        "没有任何站点配置 [destination]，无法发送。",
    ),
    "refer-status": (
        "A {type} with status {status} is not sent; it must be active.",
        "状态为 {status} 的 {type} 不能发送；必须为 active。",
    ),
    "refer-task": (
        "The Task must be about a ServiceRequest of this server: focus or basedOn.",
        "Task 必须通过 focus 或 basedOn 指向本服务器上的 ServiceRequest。",
    ),
    "refer-task-over": (
        "The Task has status {status}; it is over. Refer the ServiceRequest again instead.",
        "Task 状态为 {status}，已结束。请对 ServiceRequest 重新发起转诊。",
    ),
    "send-document-status": (
        "A DocumentReference with status {status} is not sent; it must be current.",
        "状态为 {status} 的 DocumentReference 不能发送；必须为 current。",
    ),
}
