"""Messages about FHIRPath expressions: syntax, meaning, evaluation and limits.

They quote the expression's own tokens and types, never a value of the resource.
"""

MESSAGES: dict[str, tuple[str, str]] = {
    "fhirpath-unexpected-character": (
        "The FHIRPath expression has {found} at position {position}, which no token starts with.",
        "FHIRPath 表达式第 {position} 个字符处有无法识别的 {found}。",
    ),
    "fhirpath-unexpected-token": (
        "The FHIRPath expression has {found} at position {position}; expected {expected}.",
        "FHIRPath 表达式第 {position} 个字符处是 {found}，应为 {expected}。",
    ),
    "fhirpath-unterminated": (
        "The {what} that starts at position {position} of the FHIRPath expression has no end.",
        "FHIRPath 表达式第 {position} 个字符处开始的 {what} 没有结尾。",
    ),
    "fhirpath-bad-literal": (
        "The {what} at position {position} of the FHIRPath expression has no valid value.",
        "FHIRPath 表达式第 {position} 个字符处的 {what} 不是有效的值。",
    ),
    "fhirpath-too-long": (
        "The FHIRPath expression has {length} characters; at most {limit} are taken.",
        "FHIRPath 表达式有 {length} 个字符，最多接受 {limit} 个。",
    ),
    "fhirpath-too-deep": (
        "The FHIRPath expression is nested more than {limit} levels deep at position {position}.",
        "FHIRPath 表达式在第 {position} 个字符处嵌套超过 {limit} 层。",
    ),
    "fhirpath-unknown-function": (
        "There is no FHIRPath function {name}() (position {position}).",
        "没有名为 {name}() 的 FHIRPath 函数（第 {position} 个字符）。",
    ),
    "fhirpath-argument-count": (
        "{name}() takes {expected} arguments, not {count} (position {position}).",
        "{name}() 需要 {expected} 个参数，而不是 {count} 个（第 {position} 个字符）。",
    ),
    "fhirpath-bad-argument": (
        "{name}() at position {position} needs {expected} as its argument.",
        "第 {position} 个字符处的 {name}() 的参数应为 {expected}。",
    ),
    "fhirpath-unknown-element": (
        "{type} has no element {name} (position {position}).",
        "{type} 没有元素 {name}（第 {position} 个字符）。",
    ),
    "fhirpath-unknown-type": (
        "There is no type {name} (position {position}).",
        "没有类型 {name}（第 {position} 个字符）。",
    ),
    "fhirpath-unknown-variable": (
        "There is no variable %{name} (position {position}).",
        "没有变量 %{name}（第 {position} 个字符）。",
    ),
    "fhirpath-variable-defined": (
        "The variable %{name} exists already (position {position}).",
        "变量 %{name} 已存在（第 {position} 个字符）。",
    ),
    "fhirpath-wrong-input": (
        "{name} at position {position} works on {expected}, not on {found}.",
        "第 {position} 个字符处的 {name} 适用于 {expected}，而不是 {found}。",
    ),
    "fhirpath-unordered": (
        "{name}() at position {position} needs an ordered collection; this one has no order.",
        "第 {position} 个字符处的 {name}() 需要有序集合，而这里的集合无序。",
    ),
    "fhirpath-not-single": (
        "{name} at position {position} needs a single item and found {count}.",
        "第 {position} 个字符处的 {name} 需要单个项，实际有 {count} 个。",
    ),
    "fhirpath-operands": (
        "{name} at position {position} cannot be applied to {left} and {right}.",
        "第 {position} 个字符处的 {name} 不能用于 {left} 与 {right}。",
    ),
    "fhirpath-calendar-unit": (
        "A date or time takes a calendar duration or a UCUM unit up to weeks"
        " (position {position}).",
        "日期时间运算只接受日历时长或不超过周的 UCUM 单位（第 {position} 个字符）。",
    ),
    "fhirpath-bad-regex": (
        "The regular expression given to {name}() at position {position} is not valid.",
        "第 {position} 个字符处传给 {name}() 的正则表达式无效。",
    ),
    "fhirpath-regex-cost": (
        "The regular expression given to {name}() at position {position} could take too long.",
        "第 {position} 个字符处传给 {name}() 的正则表达式可能耗时过长。",
    ),
    "fhirpath-unknown-profile": (
        "conformsTo() at position {position}: the profile is not known here.",
        "第 {position} 个字符处的 conformsTo()：此处没有该 profile。",
    ),
    "fhirpath-no-service": (
        "{name}() at position {position} needs {service}, which is not available here.",
        "第 {position} 个字符处的 {name}() 需要 {service}，此处不可用。",
    ),
    "fhirpath-malformed-resource": (
        "The resource is not shaped as its type demands; the FHIRPath expression cannot be run.",
        "资源结构不符合其类型，无法执行 FHIRPath 表达式。",
    ),
    "fhirpath-limit-steps": (
        "The FHIRPath expression was stopped after {limit} steps.",
        "FHIRPath 表达式执行了 {limit} 步后被中止。",
    ),
    "fhirpath-limit-items": (
        "The FHIRPath expression was stopped: a collection grew over {limit} items.",
        "FHIRPath 表达式被中止：集合超过 {limit} 项。",
    ),
    "fhirpath-limit-text": (
        "The FHIRPath expression was stopped: a text grew over {limit} characters.",
        "FHIRPath 表达式被中止：文本超过 {limit} 个字符。",
    ),
    "fhirpath-limit-time": (
        "The FHIRPath expression was stopped after {limit} ms.",
        "FHIRPath 表达式在 {limit} 毫秒后被中止。",
    ),
}
