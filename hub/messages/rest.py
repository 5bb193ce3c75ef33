"""Messages of the REST edge: addresses, headers, formats, bodies."""

MESSAGES: dict[str, tuple[str, str]] = {
    # Who asks
    "token-missing": (
        "Log in first: a request needs the header Authorization: Bearer TOKEN; "
        "/fhir/.well-known/smart-configuration says where tokens come from.",
        "请先登录：请求需要带上 Authorization: Bearer 令牌；"
        "获取令牌的地址见 /fhir/.well-known/smart-configuration。",
    ),
    "token-refused": (
        "The token is not valid, or not any more; get another one.",
        "令牌无效或已失效；请重新获取。",
    ),
    "token-in-url": (
        "A token belongs into the Authorization header, not into the URL. Whoever saw this URL "
        "can use it: revoke it.",
        "令牌应放在 Authorization 头中，而不是 URL 里。看到此 URL 的人都能使用该令牌：请吊销它。",
    ),
    "administrators-only": (
        "Only an administrator, or somebody at this machine, may see that.",
        "只有管理员或本机用户可以查看。",
    ),
    # Path and query
    "url-escape-broken": (
        "The URL has a % that is not followed by two hexadecimal digits; write a plain % as %25.",
        "URL 中的 % 后面没有跟两位十六进制数字；普通的 % 请写作 %25。",
    ),
    "url-encoding": (
        "The URL is not UTF-8 after percent-decoding.",
        "URL 经百分号解码后不是 UTF-8。",
    ),
    "url-control-character": (
        "The URL holds a control character, such as NUL, or a line break outside of values.",
        "URL 含有控制字符（如 NUL），或在参数值之外含有换行符。",
    ),
    "path-segment-empty": (
        "The path has an empty segment (//).",
        "路径中有空的部分（//）。",
    ),
    "path-segment-dots": (
        "The path has a segment . or ..; give the full path.",
        "路径中有 . 或 ..；请给出完整路径。",
    ),
    "path-unknown": (
        "Nothing has this path; see /metadata for what the server offers.",
        "没有这个路径；服务器提供的内容见 /metadata。",
    ),
    "query-too-many": (
        "More than {limit} parameters were sent; POST to _search does not lift this limit.",
        "参数超过 {limit} 个；改用 POST _search 也不能放宽此限制。",
    ),
    "query-name-missing": (
        "A parameter has no name; write name=value.",
        "有一个参数没有名称；请写成 名称=值。",
    ),
    "compartment-unknown": (
        "{type} is no compartment; Patient, Encounter, Practitioner, RelatedPerson and Device are.",
        "{type} 不是 compartment；可用的有 Patient、Encounter、Practitioner、RelatedPerson "
        "和 Device。",
    ),
    "method-not-allowed": (
        "{method} is not possible here; the Allow header names the methods that are.",
        "此处不能使用 {method}；可用的方法见 Allow 头。",
    ),
    "operation-unknown": (
        "There is no such operation; see /metadata for those the server offers.",
        "没有这个操作；服务器提供的操作见 /metadata。",
    ),
    "operation-not-here": (
        "{name} cannot be called at {level} level on this type.",
        "{name} 不能在此类型的 {level} 级别调用。",
    ),
    "operation-needs-post": (
        "${name} may change the record and is called by POST.",
        "${name} 可能更改数据，必须用 POST 调用。",
    ),
    "capabilities-mode": (
        "mode must be full, normative or terminology.",
        "mode 必须是 full、normative 或 terminology。",
    ),
    # Headers and formats
    "header-repeated": (
        "The header {header} was sent twice with different values.",
        "请求头 {header} 出现两次且值不同。",
    ),
    "host-invalid": (
        "The Host header is not a host name or address.",
        "Host 头不是主机名或地址。",
    ),
    "host-unknown": (
        "The Host header names another host than this hub; set HUB_PUBLIC_URL or HUB_HOSTS if it "
        "is right.",
        "Host 头不是本服务器；如果正确，请设置 HUB_PUBLIC_URL 或 HUB_HOSTS。",
    ),
    "origin-forbidden": (
        "Pages of this origin may not write here; HUB_CORS names those that may.",
        "此来源的网页不能在此写入；允许的来源由 HUB_CORS 指定。",
    ),
    "format-not-acceptable": (
        "None of the formats asked for can be made; ask for application/fhir+json or "
        "application/fhir+xml, FHIR version 4.0, UTF-8.",
        "无法提供所请求的格式；请使用 application/fhir+json 或 application/fhir+xml，"
        "FHIR 版本 4.0，UTF-8。",
    ),
    "pretty-invalid": (
        "_pretty must be true or false.",
        "_pretty 必须是 true 或 false。",
    ),
    "summary-invalid": (
        "_summary of a single resource must be true, text, data or false.",
        "单个资源的 _summary 必须是 true、text、data 或 false。",
    ),
    "content-type-unsupported": (
        "The body's Content-Type must be application/fhir+json or application/fhir+xml.",
        "正文的 Content-Type 必须是 application/fhir+json 或 application/fhir+xml。",
    ),
    "charset-unsupported": (
        "The body must be UTF-8.",
        "正文必须使用 UTF-8。",
    ),
    "fhir-version-unsupported": (
        "The body's fhirVersion must be 4.0.",
        "正文的 fhirVersion 必须是 4.0。",
    ),
    "content-encoding-unsupported": (
        "Content-Encoding must be gzip or identity.",
        "Content-Encoding 必须是 gzip 或 identity。",
    ),
    "form-expected": (
        "_search takes a form: Content-Type application/x-www-form-urlencoded.",
        "_search 需要表单：Content-Type application/x-www-form-urlencoded。",
    ),
    "patch-type-unsupported": (
        "A patch is application/json-patch+json, or a FHIRPath Patch as application/fhir+json or "
        "application/fhir+xml.",
        "补丁须为 application/json-patch+json，或以 application/fhir+json、"
        "application/fhir+xml 发送的 FHIRPath Patch。",
    ),
    "http-malformed": (
        "This is not a well-formed HTTP request.",
        "这不是格式正确的 HTTP 请求。",
    ),
    "url-not-ascii": (
        "The address holds characters beyond ASCII as they are; they must be percent-encoded, as "
        "curl -G --data-urlencode 'name=王' does.",
        "地址中含有未编码的非 ASCII 字符；必须使用百分号编码，例如 "
        "curl -G --data-urlencode 'name=王'。",
    ),
    "headers-too-large": (
        "The request line and headers are larger than {limit} bytes.",
        "请求行和请求头超过 {limit} 字节。",
    ),
    "headers-too-slow": (
        "The request's headers came too slowly.",
        "请求头到达过慢。",
    ),
    # Bodies
    "body-missing": (
        "The body is empty; a resource is needed.",
        "正文为空；需要一个资源。",
    ),
    "body-too-large": (
        "The body is larger than {limit} bytes.",
        "正文超过 {limit} 字节。",
    ),
    "body-too-slow": (
        "The body came too slowly.",
        "正文到达过慢。",
    ),
    "bodies-too-many": (
        "Too many large bodies are being received; try again in a moment.",
        "正在接收的大型正文过多；请稍后再试。",
    ),
    "gzip-broken": (
        "The body is not one complete gzip stream.",
        "正文不是一个完整的 gzip 数据流。",
    ),
    "requests-too-many": (
        "Too many requests at a time; try again in a moment.",
        "同时请求过多；请稍后再试。",
    ),
    # Binary
    "binary-type-missing": (
        "A raw Binary needs a Content-Type that is a media type, such as application/pdf.",
        "上传原始 Binary 时需要合法的 Content-Type，例如 application/pdf。",
    ),
    "binary-not-acceptable": (
        "This Binary is {type}; accept that, or application/fhir+json.",
        "此 Binary 的类型是 {type}；请接受该类型或 application/fhir+json。",
    ),
    "binary-too-large-for-resource": (
        "This Binary is larger than {limit} bytes; read it raw, without asking for a FHIR format.",
        "此 Binary 超过 {limit} 字节；请不要求 FHIR 格式，直接读取原始内容。",
    ),
    "range-unsatisfiable": (
        "The range lies outside the {size} bytes of this Binary.",
        "请求的范围超出此 Binary 的 {size} 字节。",
    ),
    "security-context-invalid": (
        "X-Security-Context must be a relative reference such as Patient/123.",
        "X-Security-Context 必须是相对引用，例如 Patient/123。",
    ),
    # The hub itself
    "search-too-costly": (
        "The search would take too long; narrow it, for example by patient, code or date.",
        "搜索耗时过长；请缩小范围，例如按患者、代码或日期。",
    ),
    "commit-refused": (
        "The record changed meanwhile; nothing was stored. Try again.",
        "数据在此期间已被更改；未存储任何内容。请重试。",
    ),
    "error-unexpected": (
        "An error of the server; it was logged as request {request}.",
        "服务器错误；已按请求 {request} 记录。",
    ),
    "problem": (
        "The request was refused: {name}.",
        "请求被拒绝：{name}。",
    ),
}
