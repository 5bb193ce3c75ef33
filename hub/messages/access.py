"""Words about accounts, clients and passwords."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "access-busy": (
        "Too many people log in just now; try again in a few seconds.",
        "当前登录人数过多，请几秒后再试。",
    ),
    "access-password-short": (
        "A password needs at least 8 characters.",
        "密码至少需要 8 个字符。",
    ),
    "access-password-long": (
        "A password has at most 256 characters.",
        "密码最多 256 个字符。",
    ),
    "access-password-easy": (
        "This password is too easy to guess: it repeats itself, or is the account's name.",
        "该密码过于简单：字符重复过多，或与账号名相同。",
    ),
    "access-account-name": (
        "An account's name has 1 to 64 letters, digits, '.', '_', '-' or '@', and begins with a "
        "letter or digit.",
        "账号名由 1 至 64 个字母、数字或 '.'、'_'、'-'、'@' 组成，并以字母或数字开头。",
    ),
    "access-account-exists": (
        "There is an account {name} already.",
        "账号 {name} 已存在。",
    ),
    "access-account-missing": (
        "There is no account {name}.",
        "没有账号 {name}。",
    ),
    "access-role-unknown": (
        "{role} is no role; there are: {roles}.",
        "没有角色 {role}；可用角色：{roles}。",
    ),
    "access-role-missing": (
        "An account needs a role; there are: {roles}.",
        "账号至少需要一个角色；可用角色：{roles}。",
    ),
    "access-display": (
        "A name for people has at most 200 printable characters.",
        "显示名称最多 200 个可打印字符。",
    ),
    "access-fhir-user": (
        "Say who it is in the record as Practitioner/ID, PractitionerRole/ID, Patient/ID, "
        "RelatedPerson/ID or Person/ID.",
        "请以 Practitioner/ID、PractitionerRole/ID、Patient/ID、RelatedPerson/ID 或 Person/ID "
        "指明其在档案中的身份。",
    ),
    "access-client-exists": (
        "There is a client {id} already.",
        "客户端 {id} 已存在。",
    ),
    "access-client-missing": (
        "There is no client {id}.",
        "没有客户端 {id}。",
    ),
    "access-client-id": (
        "A client's id has 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or "
        "digit.",
        "客户端标识由 1 至 64 个字母、数字或 '.'、'_'、'-' 组成，并以字母或数字开头。",
    ),
    "access-client-name": (
        "A client's name has 1 to 100 printable characters.",
        "客户端名称为 1 至 100 个可打印字符。",
    ),
    "access-client-type": (
        "{type} is no type of client; there are: {types}.",
        "没有客户端类型 {type}；可用类型：{types}。",
    ),
    "access-client-grant": (
        "A client of type {type} cannot use the grant {grant}.",
        "类型为 {type} 的客户端不能使用授权方式 {grant}。",
    ),
    "access-client-redirects": (
        "A client that people log in through needs 1 to {most} redirect URIs; Backend Services "
        "have none.",
        "供用户登录的客户端需要 1 至 {most} 个重定向 URI；后台服务不使用重定向 URI。",
    ),
    "access-client-scope": (
        "These scopes cannot be given: at most {most} characters of printable ASCII.",
        "无法授予这些范围：最多 {most} 个可打印 ASCII 字符。",
    ),
    "access-client-keys": (
        "A client of type confidential-asymmetric needs jwks or jwks_uri, one of them; other types "
        "have neither.",
        "confidential-asymmetric 类型的客户端需要 jwks 或 jwks_uri 二者之一；其他类型不能有。",
    ),
    "access-client-jwks": (
        "The key set cannot be used: 1 to {most} public RSA (2048 bits or more) or EC (P-256, "
        "P-384, P-521) keys, each with its own kid.",
        "密钥集无法使用：需要 1 至 {most} 个 RSA（至少 2048 位）或 EC（P-256、P-384、P-521）公钥，"
        "且各有唯一的 kid。",
    ),
    "access-client-url": (
        "{field} must be an https address (http on loopback only) without user name, fragment or "
        "wildcard, up to {most} characters.",
        "{field} 必须是 https 地址（仅本机回环可用 http），不含用户名、片段或通配符，"
        "最多 {most} 个字符。",
    ),
    "access-redirect-uri": (
        "A redirect URI is https, http on loopback, or (public clients) a scheme of the app's own "
        "with a dot (com.example.app:/done); without user name, fragment, wildcard or dot "
        "segments, up to {most} characters.",
        "重定向 URI 须为 https、本机回环 http，或（公共客户端）带点的应用自有方案"
        "（com.example.app:/done）；不含用户名、片段、通配符或点段，最多 {most} 个字符。",
    ),
}
