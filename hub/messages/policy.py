"""Words about what a principal may, and about scopes."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "access-type": (
        "You may not {action} {type}.",
        "您无权{action} {type}。",
    ),
    "access-anything": (
        "You may not {action} anything here.",
        "您无权在此{action}任何内容。",
    ),
    "access-history": (
        "The history of a type or of the system needs a right to see all of it; ask for the "
        "history of one resource.",
        "查看类型或系统的历史需要全部可见权限；请查询单个资源的历史。",
    ),
    "access-explain": (
        "The plan of a search tells of what you may not see.",
        "检索计划会透露您无权查看的内容。",
    ),
    "access-everywhere": (
        "$meta of a type or of the system needs a right to see all of it.",
        "对类型或系统使用 $meta 需要全部可见权限。",
    ),
    "access-operation": (
        "You may not call ${name} here.",
        "您无权在此调用 ${name}。",
    ),
    "access-content": (
        "This {type} would belong to somebody whom you may not write about, or to nobody: its "
        "subject, patient or organization must be within your reach.",
        "该 {type} 将归属于您无权书写的对象，或无归属：其 subject、patient 或机构必须在您的权限"
        "范围内。",
    ),
    "still-referenced-somewhere": (
        "{type}/{id} cannot be deleted: something still refers to it.",
        "{type}/{id} 不能删除：仍有资源引用它。",
    ),
    "scope-too-many": (
        "At most {most} scopes of {longest} characters together can be asked for.",
        "最多可请求 {most} 个权限范围，总长不超过 {longest} 个字符。",
    ),
    "scope-malformed": (
        "{scope} is no scope: write patient/Observation.rs, user/*.read, system/Patient.cruds, "
        "openid, fhirUser, launch, launch/patient, launch/encounter, offline_access or "
        "online_access.",
        "{scope} 不是有效的权限范围：可写 patient/Observation.rs、user/*.read、"
        "system/Patient.cruds、openid、fhirUser、launch、launch/patient、launch/encounter、"
        "offline_access 或 online_access。",
    ),
    "scope-type": (
        "{scope}: {type} is no resource type of R4.",
        "{scope}：{type} 不是 R4 资源类型。",
    ),
    "scope-permissions": (
        "{scope}: after the dot stand some of c r u d s, in this order, or read, write or *.",
        "{scope}：点号之后应为 c r u d s 中的若干字母（按此顺序），或 read、write、*。",
    ),
    "scope-restriction": (
        "{scope}: behind the question mark stand token, reference, uri or string parameters of "
        "the type, as category=laboratory, without chains; such a scope is of version 2.",
        "{scope}：问号之后应为该类型的 token、reference、uri 或 string 参数，如 "
        "category=laboratory，不支持链式参数；此类范围须用第 2 版写法。",
    ),
    "scope-wider": (
        "{scope} is more than what was granted.",
        "{scope} 超出了已授予的范围。",
    ),
}
