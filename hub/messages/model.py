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
}
