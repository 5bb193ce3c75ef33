"""Messages of the interactions: conditions, patches, bundles, integrity, history, searches."""

MESSAGES: dict[str, tuple[str, str]] = {
    "all-ok": ("All is well.", "一切正常。"),
    # Type, id, version
    "type-unknown": ("{type} is not a resource type of R4.", "{type} 不是 R4 的资源类型。"),
    "type-mismatch": (
        "The resource in the body must be of type {type}: resourceType is missing or another one.",
        "正文中的资源必须是 {type}：缺少 resourceType 或类型不同。",
    ),
    "id-missing": (
        "An update needs the id of its URL in the body too.",
        "更新时正文中也必须包含与 URL 相同的 id。",
    ),
    "id-mismatch": (
        "The id in the body is not the id in the URL.",
        "正文中的 id 与 URL 中的 id 不同。",
    ),
    "id-malformed": (
        "An id has 1 to 64 letters (A-Z, a-z), digits, hyphens and dots.",
        "id 由 1 到 64 个字母（A-Z、a-z）、数字、连字符和点组成。",
    ),
    "etag-malformed": (
        'If-Match and If-None-Match hold versions, as W/"3", or *.',
        'If-Match 和 If-None-Match 的值应为版本，如 W/"3"，或 *。',
    ),
    "instant-malformed": (
        "ifModifiedSince is an instant, as 2026-03-01T02:00:00+08:00.",
        "ifModifiedSince 应为 instant，如 2026-03-01T02:00:00+08:00。",
    ),
    "version-conflict": (
        "The current version of this {type} is {version}, not the expected one. Read it again, "
        "and send the change with that version.",
        "该 {type} 的当前版本是 {version}，与预期不符。请重新读取后再以该版本提交更改。",
    ),
    "resource-exists": (
        "{type}/{id} already exists, and If-None-Match: * asks to create it only if it does not.",
        "{type}/{id} 已存在，而 If-None-Match: * 要求仅在不存在时创建。",
    ),
    "version-none": (
        "There is no current version of this {type}.",
        "该 {type} 没有当前版本。",
    ),
    "contended": (
        "Other clients keep changing what this request depends on. Nothing was stored; try again.",
        "其他客户端正在不断更改此请求所依赖的内容。未存储任何内容；请重试。",
    ),
    # Binary
    "blob-mark": (
        "The extension urn:fhir-hub:blob belongs to the server; leave it out.",
        "扩展 urn:fhir-hub:blob 为服务器专用；请去掉。",
    ),
    "binary-raw-only": (
        "This content is too big for a resource of {limit} bytes; read it raw, without a FHIR "
        "format in Accept.",
        "该内容超过资源上限 {limit} 字节；请在 Accept 中不指定 FHIR 格式，以原始形式读取。",
    ),
    # Integrity
    "reference-target-missing": (
        "The reference to {target} has no target. Create it first, or in the same transaction.",
        "引用 {target} 的目标不存在。请先创建它，或放在同一事务中。",
    ),
    "reference-unresolved": (
        "No entry of the bundle has this urn: reference as its fullUrl.",
        "Bundle 中没有任何条目的 fullUrl 与此 urn: 引用相同。",
    ),
    "reference-conditional": (
        "A conditional reference is resolved in a transaction only; here the reference must name "
        "the id.",
        "条件引用仅在 transaction 中解析；此处的引用必须指明 id。",
    ),
    "still-referenced": (
        "{type}/{id} cannot be deleted: {by} refers to it ({count} at least). Delete or change "
        "what refers to it first, or do both in one transaction.",
        "无法删除 {type}/{id}：{by} 引用了它（至少 {count} 处）。请先删除或更改引用方，"
        "或在同一事务中完成。",
    ),
    # Conditions
    "condition-empty": (
        "A condition needs at least one search parameter with a value: without one it would stand "
        "for every {type}.",
        "条件至少需要一个带值的搜索参数，否则将指所有 {type}。",
    ),
    "condition-several": (
        "The condition finds several resources of type {type}; it must find one at most.",
        "该条件匹配到多个 {type}；最多只能匹配一个。",
    ),
    "condition-over-limit": (
        "The condition finds more than {limit} resources of type {type}; none was deleted.",
        "该条件匹配到超过 {limit} 个 {type}；未删除任何资源。",
    ),
    "condition-no-match": (
        "The condition finds no {type}.",
        "该条件未匹配到任何 {type}。",
    ),
    "condition-id-differs": (
        "The condition finds another {type} than the one whose id is in the body.",
        "该条件匹配到的 {type} 与正文中的 id 不同。",
    ),
    "condition-id-taken": (
        "The condition finds no {type}, but the id in the body belongs to one that does not meet "
        "the condition.",
        "该条件未匹配到 {type}，但正文中的 id 属于一个不符合条件的资源。",
    ),
    "conditional-reference-no-match": (
        "The conditional reference finds no {type}.",
        "条件引用未匹配到任何 {type}。",
    ),
    "conditional-reference-several": (
        "The conditional reference finds several resources of type {type}; it must find one.",
        "条件引用匹配到多个 {type}；必须只匹配一个。",
    ),
    "condition-names-entry": (
        "The condition on {name} names an entry of the bundle by its fullUrl. Conditions are "
        "resolved before anything is written: name what is stored, or chain to its identifier.",
        "{name} 的条件用 fullUrl 指向了本 Bundle 的条目。条件在写入之前解析："
        "请指明已存储的资源，或以链式参数查其标识符。",
    ),
    "conditional-reference-backwards": (
        "The conditional reference goes back from {type} (_has, _list), which this transaction "
        "cannot follow while it writes such resources. Refer to the entry's fullUrl or to the id.",
        "条件引用从 {type} 反向查找（_has、_list），而本事务正在写入相关资源，无法解析。"
        "请改用条目的 fullUrl 或 id。",
    ),
    "conditional-reference-wide": (
        "The chain of the conditional reference goes through more than {limit} resources of type "
        "{type}. Name more of what you look for.",
        "条件引用的链经过超过 {limit} 个 {type}，请写得更具体。",
    ),
    "conditional-references-too-many": (
        "The bundle has more than {limit} different conditional references.",
        "Bundle 中不同的条件引用超过 {limit} 个。",
    ),
    # Patches
    "patch-format": (
        "A patch in a bundle is a Binary with contentType application/json-patch+json, or a "
        "Parameters resource (FHIRPath Patch).",
        "Bundle 中的补丁须为 contentType 为 application/json-patch+json 的 Binary，"
        "或 Parameters 资源（FHIRPath Patch）。",
    ),
    "patch-syntax": (
        "Operation {number} of the JSON Patch is malformed: {reason}.",
        "JSON Patch 的第 {number} 个操作格式不正确：{reason}。",
    ),
    "patch-path": (
        "Patch operation {number} ({op}) names {path}, which is not there.",
        "补丁操作 {number}（{op}）指向的 {path} 不存在。",
    ),
    "patch-test-failed": (
        "Patch operation {number}: the value at {path} is not the one that {op} expects.",
        "补丁操作 {number}：{path} 处的值与 {op} 期望的值不同。",
    ),
    "patch-too-big": (
        "Patch operation {number} ({op}) at {path} makes the resource too big or too deep.",
        "补丁操作 {number}（{op}，{path}）使资源过大或嵌套过深。",
    ),
    "bundle-answer-size": (
        "The entries of the bundle ask for more than {limit} bytes; send the rest apart.",
        "批量请求中各条目请求的内容超过 {limit} 字节，请将其余条目分开发送。",
    ),
    "bundle-answer-time": (
        "Reading the entries of the bundle takes longer than {seconds} s; send the rest apart.",
        "读取批量请求中的条目超过 {seconds} 秒，请将其余条目分开发送。",
    ),
    "patch-over-limit": (
        "The patch makes the resource larger than {limit} bytes.",
        "补丁使资源超过 {limit} 字节。",
    ),
    "patch-too-many": (
        "A patch of this kind has at most {limit} operations.",
        "这种补丁最多包含 {limit} 个操作。",
    ),
    "patch-not-a-resource": (
        "What the patch leaves is not a resource.",
        "应用补丁后的结果不是资源。",
    ),
    "patch-identity": (
        "A patch cannot change resourceType or id; the resource stays of type {type}.",
        "补丁不能更改 {type} 的 resourceType 或 id。",
    ),
    "path-patch-syntax": (
        "Operation {number} of the FHIRPath Patch is malformed: {reason}.",
        "FHIRPath Patch 的第 {number} 个操作格式不正确：{reason}。",
    ),
    "path-patch-none": (
        "Patch operation {number} ({type}): the path finds no element.",
        "补丁操作 {number}（{type}）：路径未找到元素。",
    ),
    "path-patch-several": (
        "Patch operation {number} ({type}): the path finds several elements; it must find one.",
        "补丁操作 {number}（{type}）：路径找到多个元素；必须只找到一个。",
    ),
    "path-patch-not-an-element": (
        "Patch operation {number} ({type}): the path does not lead to elements of the resource.",
        "补丁操作 {number}（{type}）：路径未指向该资源的元素。",
    ),
    "path-patch-not-a-list": (
        "Patch operation {number} ({type}): the path must find one whole list of an element that "
        "repeats.",
        "补丁操作 {number}（{type}）：路径必须指向某个可重复元素的整个列表。",
    ),
    "path-patch-index": (
        "Patch operation {number} ({type}): a position is beyond the end of the list.",
        "补丁操作 {number}（{type}）：位置超出列表末尾。",
    ),
    "path-patch-name": (
        "Patch operation {number} ({type}): the element has no child of this name.",
        "补丁操作 {number}（{type}）：该元素没有此名称的子元素。",
    ),
    "path-patch-exists": (
        "Patch operation {number} ({type}): the element is there already and does not repeat; "
        "replace it.",
        "补丁操作 {number}（{type}）：该元素已存在且不可重复；请使用 replace。",
    ),
    "path-patch-value": (
        "Patch operation {number} ({type}): the value is of a type that does not fit the element.",
        "补丁操作 {number}（{type}）：值的类型与元素不符。",
    ),
    "path-patch-root": (
        "Patch operation {number} ({type}): the resource as a whole cannot be replaced, moved or "
        "deleted by a patch.",
        "补丁操作 {number}（{type}）：补丁不能替换、移动或删除整个资源。",
    ),
    # Bundles
    "bundle-type": (
        "Only a Bundle of type batch or transaction can be posted here.",
        "此处只能提交类型为 batch 或 transaction 的 Bundle。",
    ),
    "bundle-entry": (
        "entry is an array of objects; fullUrl, resource and request have their own types.",
        "entry 是对象数组；fullUrl、resource 和 request 各有其类型。",
    ),
    "bundle-too-many": (
        "A batch or transaction has at most {limit} entries.",
        "一个 batch 或 transaction 最多包含 {limit} 个条目。",
    ),
    "bundle-request-missing": (
        "Each entry of a batch or transaction needs a request.",
        "batch 或 transaction 的每个条目都需要 request。",
    ),
    "bundle-resource-missing": (
        "POST, PUT and PATCH need a resource in the entry.",
        "POST、PUT 和 PATCH 条目需要 resource。",
    ),
    "bundle-method": (
        "request.method must be GET, HEAD, POST, PUT, PATCH or DELETE.",
        "request.method 必须是 GET、HEAD、POST、PUT、PATCH 或 DELETE。",
    ),
    "bundle-url": (
        "request.url does not fit: {reason}.",
        "request.url 不合适：{reason}。",
    ),
    "parameter-unknown": (
        "{name} has no effect here, and Prefer: handling=strict asks to refuse what has none.",
        "{name} 在此处无效，而 Prefer: handling=strict 要求拒绝无效的参数。",
    ),
    "bundle-url-repeated": (
        "This fullUrl is also that of entry[{other}]: links to it would be ambiguous.",
        "此 fullUrl 与 entry[{other}] 相同：指向它的链接会产生歧义。",
    ),
    "bundle-same-resource": (
        "This entry and entry[{other}] are about the same resource; a transaction may touch each "
        "resource once.",
        "此条目与 entry[{other}] 针对同一资源；事务中每个资源只能出现一次。",
    ),
    "bundle-operation-writes": (
        "${name} may change the record: call it on its own or in a batch, not in a transaction.",
        "${name} 可能更改数据：请单独调用或在 batch 中调用，不能在 transaction 中调用。",
    ),
    # History and search
    "history-parameter": (
        "{name} of a history must be {expected}.",
        "历史查询的 {name} 必须是 {expected}。",
    ),
    "search-ignored": (
        "Ignored, because not known here: {names}.",
        "以下参数未知，已忽略：{names}。",
    ),
    "search-empty": (
        "Ignored, because the value is empty: {names}.",
        "以下参数的值为空，已忽略：{names}。",
    ),
    "search-plan": ("{line}", "{line}"),
    "include-limit": (
        "Only {limit} resources are included with a page; there are more. Ask for smaller pages "
        "or search for them directly.",
        "每页最多附带 {limit} 个资源，还有更多。请减小页面大小，或直接搜索这些资源。",
    ),
    # Search parameters made at run time
    "search-parameter-indexing": (
        "Being indexed, so that resources may be missing from the result: {names}.",
        "正在建立索引，结果可能不完整：{names}。",
    ),
    "search-parameter-registered": (
        "Registered; resources that are stored already are being indexed in the background.",
        "已登记；正在后台为已存储的资源建立索引。",
    ),
    "search-parameter-inactive": (
        "Stored, but not put to use: only a SearchParameter with status active is.",
        "已存储但未启用：仅启用状态为 active 的 SearchParameter。",
    ),
    "search-parameter-core": (
        "Stored, but not put to use: R4's own definition of this canonical stays in force.",
        "已存储但未启用：该 canonical 沿用 R4 自带的定义。",
    ),
    "search-parameter-twin": (
        "Stored, but not put to use: SearchParameter/{id} has this url already.",
        "已存储但未启用：SearchParameter/{id} 已使用此 url。",
    ),
    "search-parameter-set-aside": (
        "Stored, but not put to use: {type} has a parameter {code} already ({url}).",
        "已存储但未启用：{type} 已有参数 {code}（{url}）。",
    ),
    "search-parameter-special": (
        "Stored, but not put to use: what a parameter of type special means is not told by its "
        "definition.",
        "已存储但未启用：special 类型参数的含义无法由其定义得知。",
    ),
}
