"""Messages about the text of a resource: JSON, XML, dates, references, units."""

MESSAGES: dict[str, tuple[str, str]] = {
    "json-syntax": (
        "The body is not JSON: {reason} at line {line}, column {column}.",
        "请求体不是有效的 JSON：第 {line} 行第 {column} 列，{reason}。",
    ),
    "json-truncated": (
        "The JSON ends in the middle: a value, bracket or quotation mark is not closed.",
        "JSON 不完整：有未结束的值、括号或引号。",
    ),
    "json-encoding": (
        "The body is not UTF-8. FHIR JSON is always UTF-8.",
        "请求体不是 UTF-8 编码。FHIR JSON 必须使用 UTF-8。",
    ),
    "json-duplicate-key": (
        "The property {key} appears more than once in one object.",
        "属性 {key} 在同一对象中出现了多次。",
    ),
    "json-depth": (
        "The JSON is nested deeper than {limit} levels.",
        "JSON 嵌套超过 {limit} 层。",
    ),
    "json-too-many-values": (
        "The JSON has more than {limit} values. Send it in several parts.",
        "JSON 中的值超过 {limit} 个，请分成几部分发送。",
    ),
    "json-number-range": (
        "A number has more than {digits} digits or an exponent beyond {exponent}.",
        "有数字超过 {digits} 位，或指数超出 {exponent}。",
    ),
    "json-control-character": (
        "A string holds the character NUL (\\u0000), which FHIR forbids.",
        "字符串中含有 FHIR 禁止的空字符（\\u0000）。",
    ),
    "not-an-object": (
        "The body is JSON, but not an object. A resource is an object with a resourceType.",
        "请求体是 JSON，但不是对象。资源必须是带有 resourceType 的对象。",
    ),
    "xml-syntax": (
        "The body is not XML: {reason} (line {line}, column {column}).",
        "请求体不是有效的 XML：第 {line} 行第 {column} 列，{reason}。",
    ),
    "xml-encoding": (
        "The body is not UTF-8. FHIR XML is always UTF-8.",
        "请求体不是 UTF-8 编码。FHIR XML 必须使用 UTF-8。",
    ),
    "xml-doctype": (
        "The XML has a document type declaration, which FHIR forbids.",
        "XML 中含有 FHIR 禁止的文档类型声明（DOCTYPE）。",
    ),
    "xml-depth": (
        "The XML is nested deeper than {limit} levels.",
        "XML 嵌套超过 {limit} 层。",
    ),
    "xml-root": (
        "The XML holds {name}, which is no R4 resource in the namespace http://hl7.org/fhir.",
        "XML 中的 {name} 不是 http://hl7.org/fhir 命名空间中的 R4 资源。",
    ),
    "xml-element": (
        "There is no element {name} here (line {line}).",
        "此处不允许元素 {name}（第 {line} 行）。",
    ),
    "xml-repeated": (
        "The element {name} may appear only once (line {line}).",
        "元素 {name} 只能出现一次（第 {line} 行）。",
    ),
    "xml-attribute": (
        "There is no attribute {name} here (line {line}).",
        "此处不允许属性 {name}（第 {line} 行）。",
    ),
    "xml-too-many-elements": (
        "The XML has more than {limit} tags. Send it in several parts.",
        "XML 中的标签超过 {limit} 个，请分成几部分发送。",
    ),
    "xml-attributes": (
        "The element {name} has more attributes or namespaces than {limit} (line {line}).",
        "元素 {name} 的属性或命名空间超过 {limit} 个（第 {line} 行）。",
    ),
    "xml-text": (
        "There is text between the elements (line {line}); values belong in the attribute value.",
        "元素之间含有文本（第 {line} 行）；值应写在 value 属性中。",
    ),
    "xml-contained": (
        "The element {name} holds {count} resources; it must hold one (line {line}).",
        "元素 {name} 含有 {count} 个资源，必须恰好为一个（第 {line} 行）。",
    ),
    "xml-unwritable": (
        "The resource cannot be written as XML: {name} is not in its definition.",
        "资源无法写成 XML：其定义中没有 {name}。",
    ),
}
