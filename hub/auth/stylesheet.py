"""GET /auth/style.css, and the hub's style for apps (smart_style_url).

Spec: SMART App Launch 2.2, "Styling".
"""

from __future__ import annotations

from hub.auth import rendering
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts

FONTS = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
STYLE = {
    "color_background": "#f6f8fa",
    "color_error": "#a4161a",
    "color_highlight": "#0b5cad",
    "color_modal_backdrop": "",
    "color_success": "#1b6e3a",
    "color_text": "#1a2230",
    "dim_border_radius": "8px",
    "dim_font_size": "18px",
    "dim_spacing_size": "20px",
    "font_family_body": FONTS,
    "font_family_heading": FONTS,
}


async def stylesheet(parts: Parts, call: Call) -> Reply:
    """The style sheet; its address holds its hash, so browsers keep it."""
    kept = ("cache-control", "public, max-age=31536000, immutable")
    return Reply(200, (("content-type", "text/css; charset=utf-8"), kept), rendering.style()[1])


async def smart_style(parts: Parts, call: Call) -> Reply:
    """Colours and sizes that an app may take over."""
    return json_reply(STYLE, kept=86_400)
