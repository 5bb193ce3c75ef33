"""Words of the sign-in pages."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "auth-hub": ("Health record", "健康档案"),
    "auth-language": ("Language", "语言"),
    "auth-logged-in": ("You are logged in as {name}.", "当前登录：{name}。"),
    # --- login -----------------------------------------------------------------------------
    "auth-login": ("Log in", "登录"),
    "auth-login-for": ("Log in to use {client}.", "登录后即可使用“{client}”。"),
    "auth-login-wrong": (
        "User name or password is not right. After several wrong tries you must wait a while.",
        "用户名或密码不正确。多次输错后需等待一段时间再试。",
    ),
    "auth-login-help": (
        "Password forgotten? Ask at your health centre.",
        "忘记密码？请联系您的社区卫生服务中心。",
    ),
    "auth-username": ("User name", "用户名"),
    "auth-password": ("Password", "密码"),
    # --- logout ----------------------------------------------------------------------------
    "auth-logout": ("Log out", "退出登录"),
    "auth-logout-question": ("Do you want to log out?", "确定要退出登录吗？"),
    "auth-logged-out": ("You are logged out", "您已退出登录"),
    "auth-logged-out-lead": (
        "You can close this page now. On a shared computer, close the browser as well.",
        "现在可以关闭此页面。如使用公用电脑，请同时关闭浏览器。",
    ),
    "auth-again": ("Log in again", "重新登录"),
    # --- password --------------------------------------------------------------------------
    "auth-password-new-title": ("Choose a new password", "设置新密码"),
    "auth-password-must": (
        "Before you go on, choose a password that only you know.",
        "继续之前，请设置一个只有您自己知道的密码。",
    ),
    "auth-password-may": (
        "Everywhere else you are logged in, you will be logged out.",
        "修改后，您在其他设备上的登录都会失效。",
    ),
    "auth-password-now": ("Password until now", "当前密码"),
    "auth-password-new": ("New password", "新密码"),
    "auth-password-again": ("New password, once more", "再次输入新密码"),
    "auth-password-rule": (
        "At least 8 characters. Several words are easy to remember and hard to guess.",
        "至少 8 个字符。用几个词语组成的密码好记又难猜。",
    ),
    "auth-password-save": ("Save the password", "保存密码"),
    "auth-password-differs": (
        "The two new passwords are not the same.",
        "两次输入的新密码不一致。",
    ),
    "auth-password-same": (
        "This is the password you have already. Choose another one.",
        "新密码与原密码相同，请另设一个。",
    ),
    "auth-password-old": (
        "The password until now is not right. After several wrong tries you must wait a while.",
        "当前密码不正确。多次输错后需等待一段时间再试。",
    ),
    "auth-password-change": ("Change password", "修改密码"),
    # --- apps ------------------------------------------------------------------------------
    "auth-apps": ("Apps you allowed", "已授权的应用"),
    "auth-apps-lead": (
        "These apps may work in your name. You can end any of them at any time.",
        "以下应用可以您的名义使用数据，您可随时取消。",
    ),
    "auth-apps-none": ("You have allowed no app.", "您没有授权任何应用。"),
    "auth-app-used": ("Last used on {day}", "最近使用：{day}"),
    "auth-app-end": ("No longer allow {client}", "取消“{client}”的授权"),
    "auth-app-over": ("This app is not allowed any more.", "该应用的授权已结束。"),
    # --- patient ---------------------------------------------------------------------------
    "auth-patient": ("Whose record?", "选择居民"),
    "auth-patient-for": (
        "Choose whose record {client} shall open.",
        "请选择“{client}”要打开谁的档案。",
    ),
    "auth-patient-name": ("Name, or part of it", "姓名（可只输入一部分）"),
    "auth-patient-search": ("Search", "查找"),
    "auth-patient-none": (
        "There is nobody of that name whose record you may open.",
        "没有找到您有权查看的居民。",
    ),
    "auth-patient-more": (
        "There are more. Type more of the name.",
        "还有更多结果，请输入更完整的姓名。",
    ),
    "auth-patient-unknown": (
        "You may not open this record.",
        "您无权打开该档案。",
    ),
    "auth-sex-female": ("female", "女"),
    "auth-sex-male": ("male", "男"),
    "auth-sex-other": ("other", "其他"),
    "auth-sex-unknown": ("sex not stated", "性别未注明"),
    # --- consent ---------------------------------------------------------------------------
    "auth-consent": ("May {client} do this?", "是否允许“{client}”？"),
    "auth-consent-lead": (
        "{client} asks to work with health data in your name.",
        "“{client}”请求以您的名义使用健康数据。",
    ),
    "auth-consent-unknown": (
        "This app registered itself. Nobody at your health centre has checked it. Allow it only "
        "if you know where it comes from.",
        "该应用为自行注册，未经您的卫生服务中心核实。仅在您清楚其来源时才允许。",
    ),
    "auth-consent-wishes": (
        "It wants to (untick what you do not want):",
        "它希望（不同意的请取消勾选）：",
    ),
    "auth-consent-writes": ("changes data", "会更改数据"),
    "auth-consent-allow": ("Allow", "允许"),
    "auth-consent-refuse": ("Do not allow", "不允许"),
    "auth-consent-place": (
        "You are then taken back to {place}.",
        "之后将返回 {place}。",
    ),
    "auth-consent-native": (
        "You are then taken back to an app on this device ({place}).",
        "之后将返回本设备上的应用（{place}）。",
    ),
    "auth-scope": ("{verbs} {what}", "{verbs}{what}"),
    "auth-scope-only": (" (only {name} {value})", "（仅限 {name} {value}）"),
    "auth-scope-patient": ("{types} of this person", "此人的{types}"),
    "auth-scope-user": (
        "{types} of everyone whose record you may open",
        "您有权查看的所有人的{types}",
    ),
    "auth-scope-system": ("{types} of everyone", "所有人的{types}"),
    "auth-scope-everything": ("all health data", "全部健康数据"),
    "auth-scope-identity": ("Know who you are", "知道您是谁"),
    "auth-scope-context": ("Know whose record is open", "知道当前打开的是谁的档案"),
    "auth-scope-offline": (
        "Go on while you are away, until you forbid it",
        "在您离开后继续使用，直到您取消授权",
    ),
    "auth-scope-online": ("Go on until you log out", "持续使用到您退出登录"),
    "auth-verb-see": ("see", "查看"),
    "auth-verb-add": ("add", "新增"),
    "auth-verb-change": ("change", "修改"),
    "auth-verb-delete": ("delete", "删除"),
    # --- what goes wrong -------------------------------------------------------------------
    "auth-problem": ("This does not work", "无法继续"),
    "auth-problem-next": (
        "Go back to the app and start again. If it happens again, tell whoever made the app.",
        "请返回应用重新开始。如仍出现此问题，请告知应用的提供者。",
    ),
    "auth-start": ("To the start page", "返回首页"),
    "auth-nowhere": ("There is no such page.", "没有这个页面。"),
    "auth-method": ("This page cannot be used in that way.", "不能以这种方式使用此页面。"),
    "auth-unreadable": ("What was sent cannot be read.", "无法读取提交的内容。"),
    "auth-unavailable": (
        "The hub cannot answer just now. Try again in a few seconds.",
        "系统暂时无法响应，请几秒后再试。",
    ),
    "auth-unexpected": (
        "Something went wrong on our side. It has been noted.",
        "系统内部出错，已做记录。",
    ),
    "auth-parameter-missing": (
        "The app did not say its {name}.",
        "应用没有提供 {name}。",
    ),
    "auth-parameter-twice": (
        "The app said its {name} more than once.",
        "应用重复提供了 {name}。",
    ),
    "auth-client-unknown": (
        "This app is not known here.",
        "此处没有登记该应用。",
    ),
    "auth-redirect-unknown": (
        "{client} wants to send you to an address that is not registered for it.",
        "“{client}”想把您带到一个未登记的地址。",
    ),
    "auth-request-over": (
        "This page was answered already, or was open for too long.",
        "此页面已处理过，或打开时间过长。",
    ),
    "auth-login-over": (
        "You are not logged in any more.",
        "登录已失效。",
    ),
    "auth-form-foreign": (
        "This form was open for too long, or did not come from this page. Start again.",
        "该表单打开时间过长，或并非来自本页面。请重新开始。",
    ),
}
