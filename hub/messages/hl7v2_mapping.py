"""Words about the maps from HL7 v2 to FHIR. They name segments and fields, never a value."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # --- a message that cannot be converted
    "hl7v2-kind-unknown": (
        "No map for this message type and trigger event (MSH-9); nothing was stored.",
        "没有此消息类型与触发事件（MSH-9）的映射，未存储任何内容。",
    ),
    "hl7v2-field-required": (
        "{field} is required: without it nothing can be stored.",
        "{field} 为必填字段：缺少时无法存储。",
    ),
    "hl7v2-segment-required": (
        "The message has no {segment} segment; it is required.",
        "消息缺少必需的 {segment} 段。",
    ),
    # --- remarks on a message that was taken
    "hl7v2-segment-unmapped": (
        "No map for this segment here; it is kept in the message only. A site file can map it: "
        "[segments.NAME.Resource].",
        "此处的该段没有映射，仅保留在消息原文中；可在站点文件 [segments.段名.资源] 中映射。",
    ),
    "hl7v2-resource-incomplete": (
        "No {type} was made: {element} could not be filled.",
        "未生成 {type}：无法填写 {element}。",
    ),
    "hl7v2-code-unknown": (
        "The code is not in the table map {table}; the local code is kept where there is room "
        "for it. A site file can map it: [tables.{table}].",
        "该代码不在表映射 {table} 中；能保留处已保留本地代码。"
        "可在站点文件 [tables.{table}] 中映射。",
    ),
    "hl7v2-code-untranslated": (
        "The ConceptMap of this field has no translation; the local code is kept.",
        "此字段的 ConceptMap 中没有对应翻译，已保留本地代码。",
    ),
    "hl7v2-bad-date": (
        "No date or time such as 20260315 or 202603150930; it was left out.",
        "不是 20260315 或 202603150930 形式的日期时间，已略去。",
    ),
    "hl7v2-bad-instant": (
        "The time needs hours and minutes, such as 202603150930; it was left out.",
        "时间须精确到分钟，如 202603150930；已略去。",
    ),
    "hl7v2-bad-time": (
        "No time such as 0930 or 093015; it was left out.",
        "不是 0930 或 093015 形式的时间，已略去。",
    ),
    "hl7v2-bad-boolean": (
        "Neither Y nor N; it was left out.",
        "既非 Y 也非 N，已略去。",
    ),
    "hl7v2-bad-number": (
        "No number that fits here; it was left out.",
        "不是此处可用的数字，已略去。",
    ),
    "hl7v2-bad-duration": (
        "No duration in minutes, hours or days; the end was left out.",
        "不是以分钟、小时或天计的时长，已略去结束时间。",
    ),
    "hl7v2-bad-uri": (
        "No URI, it has blanks; it was left out.",
        "含有空白，不是 URI，已略去。",
    ),
    "hl7v2-bad-base64": (
        "The document's data cannot be decoded; it was left out.",
        "文档数据无法解码，已略去。",
    ),
    # --- maps
    "hl7v2-map-yaml": (
        "No YAML: {reason}",
        "不是有效的 YAML：{reason}",
    ),
    "hl7v2-map-shape": (
        "Here must stand: {wanted}.",
        "此处应为：{wanted}。",
    ),
    "hl7v2-map-word": (
        "{word} means nothing here; see docs/hl7v2/mapping.md.",
        "{word} 在此处没有意义；参见 docs/hl7v2/mapping.md。",
    ),
    "hl7v2-map-long": (
        "A value of a map has at most {limit} characters and {brackets} brackets.",
        "映射中的取值最多 {limit} 个字符、{brackets} 个括号。",
    ),
    "hl7v2-map-expression": (
        "{text} cannot be understood at '{at}'; a value is written as PID-8 by sex, =constant, "
        "ref Patient.",
        "无法理解 {text} 中的“{at}”；取值写法如 PID-8 by sex、=常量、ref Patient。",
    ),
    "hl7v2-map-component": (
        "{written} stands for a part of another datatype than that of this map.",
        "{written} 不是本映射所属数据类型的组成部分。",
    ),
    "hl7v2-map-ref": (
        "A ref has no text; it can only stand for an element that is a Reference.",
        "ref 没有文本，只能用于 Reference 类型的元素。",
    ),
    "hl7v2-map-type": (
        "{written} is no type that can stand here.",
        "{written} 不是此处可用的类型。",
    ),
    "hl7v2-map-element": (
        "{type} has no element {element}.",
        "{type} 没有元素 {element}。",
    ),
    "hl7v2-map-each": (
        "$each takes a whole field, as PV1-7, in an element that repeats.",
        "$each 只能用于可重复元素，且须为整个字段，如 PV1-7。",
    ),
    "hl7v2-map-code": (
        "The table map {table} has no code {code}.",
        "表映射 {table} 中没有代码 {code}。",
    ),
    "hl7v2-map-as": (
        "A {type} needs a datatype map: PID-3 as CX, or an object.",
        "{type} 需要数据类型映射（如 PID-3 as CX）或对象。",
    ),
    "hl7v2-map-datatype": (
        "There is no map {map}.",
        "没有映射 {map}。",
    ),
    "hl7v2-map-table": (
        "There is no table map {table}.",
        "没有表映射 {table}。",
    ),
    "hl7v2-map-table-unused": (
        "No map goes through a table {table}; write {known}.",
        "没有映射使用表 {table}；请改为 {known}。",
    ),
    "hl7v2-map-target": (
        "{code} is no code of {system}: {known}.",
        "{code} 不是 {system} 的代码；可用：{known}。",
    ),
    "hl7v2-map-concept-map": (
        "No map makes a code of {field}; a field is written as OBX-3 or DG1-3.",
        "没有映射将 {field} 转为代码；字段写法如 OBX-3、DG1-3。",
    ),
}
