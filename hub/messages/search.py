"""Messages about searches: what cannot be understood or is not offered."""

MESSAGES: dict[str, tuple[str, str]] = {
    "search-unknown-parameter": (
        "{type} has no search parameter {name}.",
        "{type} 没有搜索参数 {name}。",
    ),
    "search-unknown-modifier": (
        "Search parameter {name} has an unknown modifier :{modifier}.",
        "搜索参数 {name} 带有未知的修饰符 :{modifier}。",
    ),
    "search-unsuitable-modifier": (
        "The modifier :{modifier} cannot be used with {name}, which is of type {kind}.",
        "修饰符 :{modifier} 不能用于类型为 {kind} 的搜索参数 {name}。",
    ),
    "search-needs-terminology": (
        "{name}:{modifier} needs a terminology service, and none is set up here.",
        "{name}:{modifier} 需要术语服务，此处尚未配置。",
    ),
    "search-value-invalid": (
        "The value of search parameter {name} is not valid; expected {expected}.",
        "搜索参数 {name} 的值无效，应为：{expected}。",
    ),
    "search-value-empty": (
        "Search parameter {name} has no value.",
        "搜索参数 {name} 没有值。",
    ),
    "search-too-many-values": (
        "Search parameter {name} has more than {limit} values.",
        "搜索参数 {name} 的值超过 {limit} 个。",
    ),
    "search-too-many-parameters": (
        "The search has more than {limit} parameters.",
        "搜索参数超过 {limit} 个。",
    ),
    "search-not-supported": (
        "{name} is not supported by this server.",
        "本服务器不支持 {name}。",
    ),
    "search-contained": (
        "Contained resources cannot be searched here; leave {name} out or set it to false.",
        "此处不能搜索内含资源；请去掉 {name} 或设为 false。",
    ),
    "search-index-renewing": (
        "The search index is being made anew, after an upgrade or a change of zone; resources may "
        "be missing until that is done.",
        "升级或更改时区后正在重建搜索索引；完成之前结果可能不全。",
    ),
    "search-current-list": (
        "_list takes the id of a List; lists by function such as {name} are not kept here.",
        "_list 需要一个 List 的 id；此处不维护 {name} 这类按功能命名的列表。",
    ),
    "search-chain-not-reference": (
        "{name} cannot be chained: it is of type {kind}, not reference.",
        "{name} 不能链式搜索：其类型是 {kind}，不是 reference。",
    ),
    "search-chain-unresolved": (
        "{name} cannot be chained: it does not refer to resources of this server.",
        "{name} 不能链式搜索：它不引用本服务器的资源。",
    ),
    "search-target-type": (
        "{name} never refers to {target}.",
        "{name} 从不引用 {target}。",
    ),
    "search-chain-too-deep": (
        "The chain of {name} is longer than {limit} links.",
        "{name} 的链超过 {limit} 级。",
    ),
    "search-chain-too-wide": (
        "The search follows more than {limit} chains, {name} among them. A chain counts once for "
        "each type it leads to: name the type, as in {example}, or chain fewer parameters.",
        "该搜索的链超过 {limit} 条（{name} 在其中）。链每涉及一个类型计一条：请指明类型，"
        "例如 {example}，或减少链式参数。",
    ),
    "search-has-syntax": (
        "_has is written _has:Type:reference-parameter:parameter.",
        "_has 的写法是 _has:类型:引用参数:参数。",
    ),
    "search-type-unknown": ("{type} is not an R4 resource type.", "{type} 不是 R4 资源类型。"),
    "search-compartment": (
        "{name} has no compartment, or {type} is not in it.",
        "{name} 没有 compartment，或 {type} 不在其中。",
    ),
    "search-not-on-type": (
        "{name} applies to a search over several types only.",
        "{name} 只用于跨多个类型的搜索。",
    ),
    "search-include": (
        "{name} is written Type:reference-parameter or Type:reference-parameter:TargetType.",
        "{name} 的写法是 类型:引用参数 或 类型:引用参数:目标类型。",
    ),
    "search-text-include": (
        "_include and _revinclude do not go with _summary=text; ask for them apart.",
        "_include 和 _revinclude 不能与 _summary=text 同用；请分开请求。",
    ),
    "search-sort": (
        "Results cannot be sorted by {code}.",
        "不能按 {code} 排序。",
    ),
    "search-filter-syntax": (
        "_filter cannot be read at character {position}; expected {expected}.",
        "_filter 在第 {position} 个字符处无法解析，应为：{expected}。",
    ),
    "search-filter-operator": (
        "The _filter operator {operator} cannot be used with {name}, which is of type {kind}.",
        "_filter 运算符 {operator} 不能用于类型为 {kind} 的 {name}。",
    ),
    "search-filter-too-deep": (
        "_filter is nested deeper than {limit}.",
        "_filter 的嵌套超过 {limit} 层。",
    ),
    "search-filter-too-long": (
        "_filter is longer than {limit} characters.",
        "_filter 超过 {limit} 个字符。",
    ),
    "search-cursor-invalid": (
        "The page link is not one of this search; start the search again.",
        "该翻页链接不属于此搜索，请重新搜索。",
    ),
    "search-parameter-no-expression": (
        "A SearchParameter without an expression cannot be indexed.",
        "没有 expression 的 SearchParameter 无法建立索引。",
    ),
    "search-parameter-base": (
        "A SearchParameter's base is one or more R4 resource types.",
        "SearchParameter 的 base 应为一个或多个 R4 资源类型。",
    ),
    "search-parameter-code": (
        "The code of a SearchParameter is letters, digits, - and _, and starts with a letter.",
        "SearchParameter 的 code 由字母、数字、- 和 _ 组成，以字母开头。",
    ),
    "search-parameter-type": (
        "A SearchParameter of type {kind} cannot be made at run time.",
        "不能在运行时创建类型为 {kind} 的 SearchParameter。",
    ),
    "search-parameter-nothing": (
        "On {type} the expression gives nothing that a {kind} parameter can index.",
        "在 {type} 上，该表达式得不到 {kind} 参数可索引的内容。",
    ),
    "search-parameter-component": (
        "component[{index}] names no search parameter that is known here.",
        "component[{index}] 所指的搜索参数在此未知。",
    ),
    "search-parameter-components": (
        "A composite SearchParameter has two components or more; others have none.",
        "composite 类型的 SearchParameter 有两个或更多 component，其他类型没有。",
    ),
    "search-parameter-target": (
        "target {target} is not an R4 resource type.",
        "target {target} 不是 R4 资源类型。",
    ),
}
