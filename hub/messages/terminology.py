"""Words of the terminology service.

The English of what clients of terminology servers compare is that of the HL7 terminology
ecosystem. They repeat codes, urls and displays that were asked about, which are no patient's.
"""

from __future__ import annotations

_NOT_FOUND = "A definition for CodeSystem '{system}' version '{version}' could not be found"

MESSAGES: dict[str, tuple[str, str]] = {
    # --- what is not there
    "tx-value-set-unknown": (
        "A definition for the value Set '{url}' could not be found",
        "找不到值集“{url}”的定义",
    ),
    "tx-system-unknown": (
        "A definition for CodeSystem '{system}' could not be found, so the code cannot be "
        "validated",
        "找不到代码系统“{system}”的定义，因此无法校验该代码",
    ),
    "tx-system-unknown-expand": (
        "A definition for CodeSystem '{system}' could not be found, so the value set cannot be "
        "expanded",
        "找不到代码系统“{system}”的定义，因此无法展开该值集",
    ),
    "tx-version-unknown": (
        _NOT_FOUND + ", so the code cannot be validated. Valid versions: {versions}",
        "找不到代码系统“{system}”的版本“{version}”，因此无法校验该代码。可用版本：{versions}",
    ),
    "tx-version-unknown-none": (
        _NOT_FOUND + ", so the code cannot be validated. No versions of this code system are known",
        "找不到代码系统“{system}”的版本“{version}”，因此无法校验该代码。该代码系统没有任何已知版本",
    ),
    "tx-version-unknown-expand": (
        _NOT_FOUND + ", so the value set cannot be expanded. Valid versions: {versions}",
        "找不到代码系统“{system}”的版本“{version}”，因此无法展开该值集。可用版本：{versions}",
    ),
    "tx-version-unknown-none-expand": (
        _NOT_FOUND + ", so the value set cannot be expanded. No versions of this code system "
        "are known",
        "找不到代码系统“{system}”的版本“{version}”，因此无法展开该值集。该代码系统没有任何已知版本",
    ),
    "tx-supplement-unknown": (
        "Required supplement not found: {url}",
        "找不到所需的补充代码系统：{url}",
    ),
    # --- versions
    "tx-version-mismatch": (
        "The code system '{system}' version '{version}' in the ValueSet include is different to "
        "the one in the value ('{given}')",
        "值集 include 中代码系统“{system}”的版本“{version}”与所给的版本（“{given}”）不同",
    ),
    "tx-version-mismatch-changed": (
        "The code system '{system}' version '{version}' resulting from the version '{included}' "
        "in the ValueSet include is different to the one in the value ('{given}')",
        "由值集 include 中的版本“{included}”得出的代码系统“{system}”版本“{version}”"
        "与所给的版本（“{given}”）不同",
    ),
    "tx-version-mismatch-default": (
        "The code system '{system}' version '{version}' for the versionless include in the "
        "ValueSet include is different to the one in the value ('{given}')",
        "值集 include 未写版本，采用的代码系统“{system}”版本“{version}”"
        "与所给的版本（“{given}”）不同",
    ),
    "tx-version-check": (
        "The version '{version}' is not allowed for system '{system}': required to be "
        "'{required}' by a version-check parameter",
        "不允许使用代码系统“{system}”的版本“{version}”：版本检查参数要求“{required}”",
    ),
    # --- codes
    "tx-not-in-value-set": (
        "The provided code '{coding}' was not found in the value set '{value_set}'",
        "所给代码“{coding}”不在值集“{value_set}”中",
    ),
    "tx-this-not-in-value-set": (
        "The provided code '{coding}' was not found in the value set '{value_set}'",
        "所给代码“{coding}”不在值集“{value_set}”中",
    ),
    "tx-none-in-value-set": (
        "No valid coding was found for the value set '{value_set}'",
        "没有任何编码属于值集“{value_set}”",
    ),
    "tx-code-unknown": (
        "Unknown code '{code}' in the CodeSystem '{system}' version '{version}'",
        "代码系统“{system}”版本“{version}”中没有代码“{code}”",
    ),
    "tx-code-unknown-no-version": (
        "Unknown code '{code}' in the CodeSystem '{system}'",
        "代码系统“{system}”中没有代码“{code}”",
    ),
    "tx-code-unknown-fragment": (
        "Unknown Code '{code}' in the CodeSystem '{system}' version '{version}' - note that the "
        "code system is labeled as a fragment, so the code may be valid in some other fragment",
        "代码系统“{system}”版本“{version}”中没有代码“{code}”；该代码系统只是片段，"
        "代码可能在其他片段中有效",
    ),
    "tx-code-case": (
        "The code '{code}' differs from the correct code '{correct}' by case. Although the code "
        "system '{system}' is case insensitive, implementers are strongly encouraged to use the "
        "correct case anyway",
        "代码“{code}”与正确代码“{correct}”大小写不同。代码系统“{system}”虽不区分大小写，"
        "仍应使用正确的大小写",
    ),
    "tx-inactive": (
        "The concept '{code}' has a status of {status} and its use should be reviewed",
        "概念“{code}”的状态为 {status}，应复核其使用",
    ),
    "tx-deprecated": (
        "The concept '{code}' is deprecated and its use should be reviewed",
        "概念“{code}”已弃用，应复核其使用",
    ),
    "tx-deprecated-here": (
        "The presence of the concept '{code}' in the system '{system}' in the value set "
        "{value_set} is marked with a status of deprecated and its use should be reviewed",
        "值集 {value_set} 将代码系统“{system}”的概念“{code}”标为弃用，应复核其使用",
    ),
    "tx-standing-deprecated": (
        "Reference to deprecated {kind} {canonical}",
        "引用了已弃用的 {kind} {canonical}",
    ),
    "tx-standing-withdrawn": (
        "Reference to withdrawn {kind} {canonical}",
        "引用了已撤回的 {kind} {canonical}",
    ),
    "tx-standing-retired": (
        "Reference to retired {kind} {canonical}",
        "引用了已停用的 {kind} {canonical}",
    ),
    "tx-standing-draft": (
        "Reference to draft {kind} {canonical}",
        "引用了草稿状态的 {kind} {canonical}",
    ),
    "tx-standing-experimental": (
        "Reference to experimental {kind} {canonical}",
        "引用了试验性的 {kind} {canonical}",
    ),
    "tx-not-active": (
        "The concept '{code}' is valid but is not active",
        "概念“{code}”有效，但已停用",
    ),
    "tx-abstract": (
        "Code '{system}#{code}' is abstract, and not allowed in this context",
        "代码“{system}#{code}”是抽象概念，不能用于此处",
    ),
    # --- systems
    "tx-system-not-inferred": (
        "The System URI could not be determined for the code '{code}' in the ValueSet "
        "'{value_set}'",
        "无法在值集“{value_set}”中确定代码“{code}”的代码系统",
    ),
    "tx-system-ambiguous": (
        "The System URI could not be determined for the code '{code}' in the ValueSet "
        "'{value_set}': value set expansion has multiple matches: [{systems}]",
        "无法在值集“{value_set}”中确定代码“{code}”的代码系统：有多个匹配：[{systems}]",
    ),
    "tx-system-missing": (
        "Coding has no system. A code with no system has no defined meaning, and it cannot be "
        "validated. A system should be provided",
        "Coding 没有 system。没有代码系统的代码没有确定的含义，无法校验；应给出 system",
    ),
    "tx-system-relative": (
        "Coding.system must be an absolute reference, not a local reference",
        "Coding.system 必须是绝对引用，不能是本地引用",
    ),
    "tx-system-value-set": (
        "The Coding references a value set, not a code system ('{system}')",
        "Coding 引用的是值集而不是代码系统（“{system}”）",
    ),
    # --- displays
    "tx-display": (
        "Wrong Display Name '{display}' for {system}#{code}. Valid display is {choices} (for the "
        "language(s) '{languages}')",
        "{system}#{code} 的显示名“{display}”不正确。正确的显示名是 {choices}（语言“{languages}”）",
    ),
    "tx-display-several": (
        "Wrong Display Name '{display}' for {system}#{code}. Valid display is one of {count} "
        "choices: {choices} (for the language(s) '{languages}')",
        "{system}#{code} 的显示名“{display}”不正确。正确的显示名有 {count} 个：{choices}"
        "（语言“{languages}”）",
    ),
    "tx-display-space": (
        "Wrong Display Name '{display}' for {system}#{code}: the whitespace differs. Valid "
        "display is {choices} (for the language(s) '{languages}')",
        "{system}#{code} 的显示名“{display}”中的空白不正确。正确的显示名是 {choices}"
        "（语言“{languages}”）",
    ),
    "tx-display-gone": (
        "'{display}' is no longer considered a correct display for code '{code}' (status = "
        "{status}). The correct display is one of {choices}",
        "“{display}”不再是代码“{code}”的正确显示名（状态 = {status}）。正确的显示名是 {choices}",
    ),
    "tx-display-default": (
        "There are no valid display names found for the code {system}#{code} for language(s) "
        "'{languages}'. The display is '{display}' which is a valid display for the default "
        "language",
        "代码 {system}#{code} 没有语言“{languages}”的显示名。显示名“{display}”在默认语言中有效",
    ),
    "tx-display-no-language": (
        "Wrong Display Name '{display}' for {system}#{code}. There are no valid display names "
        "found for language(s) '{languages}'. Default display is '{default}'",
        "{system}#{code} 的显示名“{display}”不正确。没有语言“{languages}”的显示名，"
        "默认显示名是“{default}”",
    ),
    # --- value sets
    "tx-filter-no-value": (
        "The system {system} filter with property = {property}, op = {operator} has no value",
        "代码系统 {system} 的过滤条件（property = {property}，op = {operator}）没有值",
    ),
    "tx-filter-unsupported": (
        "The filter with property = {property}, op = {operator} is not supported; use =, is-a, "
        "descendent-of, is-not-a, in, not-in, regex, exists, generalizes, child-of or "
        "descendent-leaf.",
        "不支持 property = {property}、op = {operator} 的过滤条件；可用 =、is-a、descendent-of、"
        "is-not-a、in、not-in、regex、exists、generalizes、child-of、descendent-leaf。",
    ),
    "tx-filter-regex": (
        "The value of this filter is no regular expression, or too long.",
        "此过滤条件的值不是正则表达式，或过长。",
    ),
    "tx-filter-slow": (
        "The regular expression of this filter takes too long on this code system; write it "
        "without nested repetitions.",
        "此过滤条件的正则表达式在该代码系统上耗时过长；请避免嵌套的重复。",
    ),
    "tx-cyclic": (
        "The value set '{url}' includes itself, by way of {path}; take one of the imports out.",
        "值集“{url}”经由 {path} 包含了自身；请去掉其中一个引用。",
    ),
    "tx-too-deep": (
        "Value sets import each other more than {most} levels deep.",
        "值集之间的引用超过 {most} 层。",
    ),
    "tx-too-many-imports": (
        "The value set is made of more than {most} others, counting each as often as it is used.",
        "该值集由超过 {most} 个值集组成（重复引用的分别计数）。",
    ),
    "tx-not-enumerable": (
        "The code System '{system}' has a grammar, and cannot be enumerated directly",
        "代码系统“{system}”的代码由语法规则决定，无法逐一列出",
    ),
    "tx-too-much-work": (
        "It takes too much work: too many codes, filters or imports have to be gone over.",
        "计算量过大：需要遍历的代码、过滤条件或引用过多。",
    ),
    "tx-too-much-work-hint": (
        "Include each code system once, with fewer filters, excludes and imports.",
        "每个代码系统只包含一次，并减少过滤条件、排除项和引用。",
    ),
    "tx-too-costly": (
        "The value set '{url}' expansion has too many codes to display (>{most})",
        "值集“{url}”展开后的代码过多，无法全部显示（超过 {most} 个）",
    ),
    "tx-too-costly-hint": (
        "It has {total} codes. Ask for pages by count and offset, or narrow it by filter.",
        "共有 {total} 个代码。请用 count 和 offset 分页，或用 filter 缩小范围。",
    ),
    "tx-compose-shape": (
        "This part of the value set cannot be used: it needs a system or a value set.",
        "值集的这一部分无法使用：需要 system 或 valueSet。",
    ),
    # --- the question
    "tx-nothing-to-validate": (
        "Unable to find code to validate (looked for coding | codeableConcept | code+system | "
        "code+inferSystem in parameters",
        "找不到要校验的代码（需要参数 coding、codeableConcept、code+system 或 code+inferSystem）",
    ),
    "tx-nothing-to-expand": (
        "Give the value set by url, valueSet, or in the address.",
        "请用 url、valueSet 参数或在地址中指定值集。",
    ),
    "terminology-two-systems": (
        "Both codings must be of the same code system.",
        "两个编码必须属于同一代码系统。",
    ),
    "terminology-too-much": (
        "More than {most} code systems and value sets would be needed; nothing was computed.",
        "需要的代码系统和值集超过 {most} 个；未作计算。",
    ),
}
