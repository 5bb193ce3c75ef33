"""Messages about resources that break the rules of R4."""

MESSAGES: dict[str, tuple[str, str]] = {
    "validation-resource-not-object": (
        "A resource must be a JSON object.",
        "资源必须是 JSON 对象。",
    ),
    "validation-resource-type-missing": (
        "The resource has no resourceType. Name its type there, for example Patient.",
        "资源缺少 resourceType，请填写资源类型，例如 Patient。",
    ),
    "validation-resource-type": (
        "{type} is not a resource type of FHIR R4.",
        "{type} 不是 FHIR R4 的资源类型。",
    ),
    "validation-other-type": (
        "The resource is of type {found}, but {type} is expected here.",
        "资源类型是 {found}，此处应为 {type}。",
    ),
    "validation-id-required": (
        "An update needs the id of the resource in its body.",
        "更新操作要求资源内容中带有 id。",
    ),
    "validation-profile-unknown": (
        "The profile {profile} is not known here; the resource was not checked against it.",
        "未知的 profile：{profile}，未按其校验。",
    ),
    "validation-more": (
        "Checking stopped after {limit} issues. Correct these first; there may be more.",
        "已发现 {limit} 个问题，校验停止。请先修正，可能还有其他问题。",
    ),
    "validation-depth": (
        "Elements are nested deeper than {limit} levels.",
        "元素嵌套超过 {limit} 层。",
    ),
    "validation-unknown": (
        "{type} has no property {name}. Remove it, or put it into an extension.",
        "{type} 没有属性 {name}。请删除，或改用扩展。",
    ),
    "validation-unknown-near": (
        "{type} has no property {name}. Is {near} meant?",
        "{type} 没有属性 {name}。是否应为 {near}？",
    ),
    "validation-choice-type": (
        "{type} has no property {name}. The type must be one of: {names}.",
        "{type} 没有属性 {name}。只能使用：{names}。",
    ),
    "validation-choice": (
        "Only one of these may be given: {names}.",
        "以下属性只能出现一个：{names}。",
    ),
    "validation-required": (
        "{type} needs {names}.",
        "{type} 必须填写 {names}。",
    ),
    "validation-null": (
        "The value is null. Leave the property out instead.",
        "值为 null。没有值时请省略该属性。",
    ),
    "validation-null-item": (
        "Neither the value nor its {name} is given at this place of the array; null may stand"
        " only where the other one is not null.",
        "数组的这一位置上，值与 {name} 都没有内容；只有对应的另一项非空时才能使用 null。",
    ),
    "validation-array": (
        "An array is given, but the element does not repeat. Give the one value itself.",
        "该元素不可重复，却给出了数组。请直接填写单个值。",
    ),
    "validation-no-array": (
        "The element repeats: its value must be an array, also when there is only one.",
        "该元素可重复，即使只有一个值也必须写成数组。",
    ),
    "validation-empty-array": (
        "The array is empty. Leave the property out instead.",
        "数组为空。没有值时请省略该属性。",
    ),
    "validation-empty-object": (
        "The element has no content besides an id. Give it a value or leave it out ({key}).",
        "元素除 id 外没有内容。请填写内容或省略该元素（{key}）。",
    ),
    "validation-object-expected": (
        "An object of type {type} is expected.",
        "此处应为 {type} 类型的对象。",
    ),
    "validation-json-type": (
        "A value of type {type} must be a JSON {expected}; this is a JSON {found}.",
        "{type} 类型的值必须是 JSON {expected}，实际为 JSON {found}。",
    ),
    "validation-empty-string": (
        "The string is empty. Leave the property out instead.",
        "字符串为空。没有值时请省略该属性。",
    ),
    "validation-only-whitespace": (
        "The string holds nothing but whitespace. Give a text or leave the property out.",
        "字符串只有空白字符。请填写内容或省略该属性。",
    ),
    "validation-control-character": (
        "The string holds a control character; only tab, line feed and carriage return may stand"
        " in a text.",
        "字符串含有控制字符；文本中只允许制表符、换行符和回车符。",
    ),
    "validation-too-long": (
        "The string is longer than {limit} characters.",
        "字符串超过 {limit} 个字符。",
    ),
    "validation-not-whole": (
        "A value of type {type} must be a whole number, without decimal point and exponent.",
        "{type} 必须是整数，不能带小数点或指数。",
    ),
    "validation-integer-range": (
        "A value of type {type} must be between {low} and {high}.",
        "{type} 必须在 {low} 与 {high} 之间。",
    ),
    "validation-decimal-size": (
        "The number has more than {digits} digits or an exponent beyond {exponent}.",
        "数字超过 {digits} 位，或指数超出 {exponent}。",
    ),
    "validation-no-such-day": (
        "The calendar has no such day.",
        "日历中没有这一天。",
    ),
    "validation-format-date": (
        "A date is written YYYY, YYYY-MM or YYYY-MM-DD.",
        "日期的格式为 YYYY、YYYY-MM 或 YYYY-MM-DD。",
    ),
    "validation-format-dateTime": (
        "A dateTime is written YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an"
        " offset such as +08:00.",
        "dateTime 的格式为 YYYY、YYYY-MM、YYYY-MM-DD，或带 Z 或时区偏移（如 +08:00）的"
        " YYYY-MM-DDThh:mm:ss。",
    ),
    "validation-format-instant": (
        "An instant is written YYYY-MM-DDThh:mm:ss with Z or an offset such as +08:00.",
        "instant 的格式为 YYYY-MM-DDThh:mm:ss，并须带 Z 或时区偏移（如 +08:00）。",
    ),
    "validation-format-time": (
        "A time is written hh:mm:ss, from 00:00:00 to 23:59:59, without an offset.",
        "时间的格式为 hh:mm:ss，范围 00:00:00 至 23:59:59，不带时区偏移。",
    ),
    "validation-format-id": (
        "An id has 1 to 64 of the characters A-Z, a-z, 0-9, hyphen and full stop.",
        "id 由 1 至 64 个字符组成，只能是 A-Z、a-z、0-9、连字符和句点。",
    ),
    "validation-format-code": (
        "A code has no whitespace at its ends and only single spaces within.",
        "code 首尾不能有空白，中间只能有单个空格。",
    ),
    "validation-format-uri": (
        "A uri has no spaces and no control characters.",
        "uri 不能含有空格或控制字符。",
    ),
    "validation-format-url": (
        "A url has no spaces and no control characters.",
        "url 不能含有空格或控制字符。",
    ),
    "validation-format-canonical": (
        "A canonical has no spaces and no control characters.",
        "canonical 不能含有空格或控制字符。",
    ),
    "validation-format-oid": (
        "An oid is written urn:oid: and numbers with full stops between, such as"
        " urn:oid:1.2.156.1.",
        "oid 的格式为 urn:oid: 加上以句点分隔的数字，例如 urn:oid:1.2.156.1。",
    ),
    "validation-format-uuid": (
        "A uuid is written urn:uuid: and 36 characters in lower case.",
        "uuid 的格式为 urn:uuid: 加上 36 个小写字符。",
    ),
    "validation-format-base64Binary": (
        "The content is not base64: a multiple of four characters A-Z, a-z, 0-9, + and /, filled"
        " up with =.",
        "内容不是有效的 base64：字符须为 A-Z、a-z、0-9、+、/，总数为 4 的倍数，不足以 = 补齐。",
    ),
    "validation-code": (
        "The code is not in the required value set {value_set}. Allowed: {allowed}.",
        "代码不在必须使用的值集 {value_set} 中。允许的代码：{allowed}。",
    ),
    "validation-code-syntax": (
        "The code is not of the form that {value_set} requires.",
        "代码不符合 {value_set} 要求的格式。",
    ),
    "validation-coding": (
        "The coding (system and code) is not in the required value set {value_set}. Allowed:"
        " {allowed}.",
        "编码（system 与 code）不在必须使用的值集 {value_set} 中。允许的代码：{allowed}。",
    ),
    "validation-coding-syntax": (
        "The coding is not of the form that {value_set} requires.",
        "编码不符合 {value_set} 要求的格式。",
    ),
    "validation-concept": (
        "No coding (system and code) of the concept is in the required value set {value_set}."
        " Allowed: {allowed}.",
        "概念中没有任何编码（system 与 code）属于必须使用的值集 {value_set}。"
        "允许的代码：{allowed}。",
    ),
    "validation-concept-syntax": (
        "No coding of the concept is of the form that {value_set} requires.",
        "概念中没有任何编码符合 {value_set} 要求的格式。",
    ),
    "validation-comparator": (
        "A comparator is not allowed in this quantity.",
        "此处的数量不允许带 comparator。",
    ),
    "validation-reference-form": (
        "A reference is written Type/id, as an absolute URL, urn:uuid:..., or #id for a contained"
        " resource.",
        "引用的写法为 Type/id、绝对 URL、urn:uuid:...，或以 #id 指向包含的资源。",
    ),
    "validation-reference-type-unknown": (
        "The reference names {type}, which is not a resource type of FHIR R4.",
        "引用中的 {type} 不是 FHIR R4 的资源类型。",
    ),
    "validation-reference-type-differs": (
        "Reference.type says {type}, but the reference points at {found}.",
        "Reference.type 为 {type}，但引用指向 {found}。",
    ),
    "validation-reference-target": (
        "A reference to {found} is not allowed here. Allowed: {targets}.",
        "此处不允许引用 {found}。允许的类型：{targets}。",
    ),
    "validation-not-contained": (
        "The reference starts with #, but no contained resource has this id ({key}).",
        "引用以 # 开头，但没有具有该 id 的包含资源（{key}）。",
    ),
    "validation-contained-nested": (
        "A contained resource may not contain others; put them beside it ({key}).",
        "包含的资源不能再包含其他资源，请并列放置（{key}）。",
    ),
    "validation-contained-version": (
        "A contained resource has no meta.versionId and no meta.lastUpdated; remove them ({key}).",
        "包含的资源不能有 meta.versionId 或 meta.lastUpdated，请删除（{key}）。",
    ),
    "validation-contained-security": (
        "A contained resource has no meta.security of its own; remove it ({key}).",
        "包含的资源不能有自己的 meta.security，请删除（{key}）。",
    ),
    "validation-contained-without-id": (
        "A contained resource needs an id, so that the resource can refer to it as #id ({key}).",
        "包含的资源必须有 id，以便用 #id 引用（{key}）。",
    ),
    "validation-contained-duplicate": (
        "Another contained resource has the same id.",
        "另有包含的资源使用了相同的 id。",
    ),
    "validation-element-id": (
        "Another element of the resource has this id: {other}. An id stands once in a resource.",
        "资源中另有元素使用了相同的 id：{other}。同一资源内 id 不得重复。",
    ),
    "validation-contained-unreferenced": (
        "Nothing in the resource refers to this contained resource by #id ({key}).",
        "资源中没有以 #id 引用该包含资源（{key}）。",
    ),
    "validation-narrative-syntax": (
        "The narrative is not well-formed XHTML: line {line}, column {column}. Named entities"
        " such as &nbsp; are not known in XML.",
        "叙述文本不是格式良好的 XHTML：第 {line} 行第 {column} 列。XML 不识别 &nbsp; 等命名实体。",
    ),
    "validation-narrative-root": (
        "The narrative must be one div element ({key}).",
        "叙述文本必须是一个 div 元素（{key}）。",
    ),
    "validation-narrative-namespace": (
        "The narrative's namespace must be {namespace} ({key}).",
        "叙述文本的命名空间必须是 {namespace}（{key}）。",
    ),
    "validation-narrative-element": (
        "The element {name} is not allowed in a narrative ({key}).",
        "叙述文本中不允许使用元素 {name}（{key}）。",
    ),
    "validation-narrative-attribute": (
        "The attribute {name} of {element} is not allowed in a narrative ({key}).",
        "叙述文本中不允许在 {element} 上使用属性 {name}（{key}）。",
    ),
    "validation-narrative-address": (
        "The address in {name} has a scheme that is not allowed in a narrative ({key}).",
        "叙述文本中 {name} 的地址使用了不允许的协议（{key}）。",
    ),
    "validation-narrative-style": (
        "A style in a narrative may not load or run anything: no expression(), @import, behavior,"
        " comments or backslashes, and only images by url() ({key}).",
        "叙述文本的样式不得加载或执行任何内容：不允许 expression()、@import、behavior、"
        "注释或反斜杠，url() 只能指向图像（{key}）。",
    ),
    "validation-narrative-comment": (
        "A comment of the narrative would end early in a browser ({key}).",
        "叙述文本中的注释在浏览器中会提前结束（{key}）。",
    ),
    "validation-narrative-doctype": (
        "A narrative has no DOCTYPE, XML declaration or processing instruction ({key}).",
        "叙述文本不能含有 DOCTYPE、XML 声明或处理指令（{key}）。",
    ),
    "validation-narrative-cdata": (
        "A narrative has no CDATA section; escape the text instead ({key}).",
        "叙述文本不能含有 CDATA 段，请改用转义（{key}）。",
    ),
    "validation-narrative-depth": (
        "The narrative is nested deeper than {limit} levels ({key}).",
        "叙述文本嵌套超过 {limit} 层（{key}）。",
    ),
    "validation-narrative-empty": (
        "The narrative shows nothing: it needs a text or an image ({key}).",
        "叙述文本没有可见内容：须有文字或图像（{key}）。",
    ),
    "validation-subsetted": (
        "The resource is marked SUBSETTED: it was read with _summary or _elements, and storing it "
        "would lose what was left out. Read it whole, or use PATCH.",
        "资源带有 SUBSETTED 标记：它是用 _summary 或 _elements 读取的，存储它会丢失被省略的内容。"
        "请读取完整资源，或使用 PATCH。",
    ),
    "validation-invariant-costly": (
        "The rule {key} took too long to evaluate on this element; make the element smaller.",
        "在该元素上计算规则 {key} 耗时过长，请减小该元素。",
    ),
    "validation-invariant-failed": (
        "The rule {key} could not be evaluated on this element.",
        "无法在该元素上计算规则 {key}。",
    ),
}
