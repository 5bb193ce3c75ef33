"""Messages of operations."""

MESSAGES: dict[str, tuple[str, str]] = {
    "operation-parameter-repeated": (
        "Parameter {name} may be given once only.",
        "参数 {name} 只能出现一次。",
    ),
    "operation-parameter-type": (
        "Parameter {name} must be of type {type}.",
        "参数 {name} 的类型必须是 {type}。",
    ),
    "operation-parameter-range": (
        "Parameter {name} must be a whole number from {low} to {high}.",
        "参数 {name} 必须是 {low} 到 {high} 的整数。",
    ),
    "operation-parameter-missing": (
        "Parameter {name} is missing.",
        "缺少参数 {name}。",
    ),
    "operation-parameter-unknown": (
        "The operation has no parameter {name}; it has: {known}.",
        "该操作没有参数 {name}；可用的参数：{known}。",
    ),
    "operation-parameters-shape": (
        "Parameters.parameter is a list of objects, each with a name and one value[x], resource "
        "or part.",
        "Parameters.parameter 是对象列表，每个对象有 name 以及一个 value[x]、resource 或 part。",
    ),
    "validate-mode-unknown": (
        "Mode {mode} is unknown; use create, update, delete or profile.",
        "未知的 mode {mode}；请使用 create、update、delete 或 profile。",
    ),
    "validate-type-mismatch": (
        "The resource is of type {actual}, but the URL says {type}.",
        "资源类型是 {actual}，而 URL 中是 {type}。",
    ),
    "validate-id-mismatch": (
        "The resource's id is not the id in the URL.",
        "资源的 id 与 URL 中的 id 不一致。",
    ),
    "validate-delete-type": (
        "Mode delete is about a stored resource: call [type]/[id]/$validate?mode=delete.",
        "mode=delete 针对已存储的资源：请调用 [type]/[id]/$validate?mode=delete。",
    ),
    "validate-profile-depth": (
        "The resource was checked against R4 itself; profile {profile} was not applied.",
        "已按 R4 基本规范校验；未应用 profile {profile}。",
    ),
    "validate-profile-type": (
        "The profile is the definition of {profile}; a {actual} cannot conform to it.",
        "该 profile 是 {profile} 的定义，{actual} 资源不可能符合它。",
    ),
    "validate-ok": ("No problems were found.", "未发现问题。"),
    "meta-malformed": (
        "Meta.{name} must be a list: of URLs for profile, of Codings for tag and security.",
        "Meta.{name} 必须是列表：profile 为 URL，tag 和 security 为 Coding。",
    ),
    "meta-too-costly": (
        "There are too many resources to look through; ask a type or an instance.",
        "资源太多，无法全部查看；请按类型或实例查询。",
    ),
    "meta-missing": (
        "Give the Meta to add or delete as parameter `meta` (valueMeta).",
        "请用参数 `meta`（valueMeta）给出要增加或删除的 Meta。",
    ),
    "expunge-confirm": (
        "Expunge removes every version for good. Confirm it with a Parameters body: "
        'confirm (valueString) = "{target}".',
        'expunge 将永久删除所有版本。请在 Parameters 中确认：confirm (valueString) = "{target}"。',
    ),
    "expunge-not-deleted": (
        "Only a deleted resource can be expunged; delete it first.",
        "只能清除已删除的资源；请先删除。",
    ),
    "lastn-subject": (
        "$lastn needs patient or subject, or both category and code.",
        "$lastn 需要 patient 或 subject，或同时给出 category 和 code。",
    ),
    "lastn-too-many": (
        "More than {limit} Observations match; narrow the search.",
        "匹配的 Observation 超过 {limit} 个；请缩小范围。",
    ),
    "document-target-missing": (
        "The Composition refers to {type}/{id}, which is not here.",
        "Composition 引用的 {type}/{id} 不在这里。",
    ),
    "document-id": (
        "Parameter id must be the id of a Composition of this server, or Composition/[id].",
        "参数 id 必须是本服务器上 Composition 的 id，或 Composition/[id]。",
    ),
    "document-too-large": (
        "The Composition refers to more than {limit} resources.",
        "Composition 引用的资源超过 {limit} 个。",
    ),
}
