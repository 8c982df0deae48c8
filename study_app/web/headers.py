"""Headers that every answer of both apps carries, also those of Streamlit's own routes."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from study_app.web.assets import FILES

POLICY = "Content-Security-Policy"
SOURCES = {
    "default-src": "'self'",
    # Streamlit makes a component's script an address of its kind `blob:` before it imports it.
    "script-src": "'self' blob:",
    # Streamlit writes its styles while it draws.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    # Not every browser counts a websocket of the same site among 'self'.
    "connect-src": "'self' ws: wss:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
"""What a page may load: nothing of another site, and of the scripts in the page only those named by their hash."""
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""No guessing of types, no address of a participant to other sites."""
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy(*scripts: str) -> str:
    """Return the policy of a page that holds these inline scripts, each as it stands between its tags."""
    hashes = "".join(f" 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts)
    return "; ".join(f"{name} {SOURCES[name]}{hashes if name == 'script-src' else ''}" for name in SOURCES)


@lru_cache(maxsize=1)
def streamlits_policy() -> str:
    """Return the policy of Streamlit's own page, which has a script in it, and of every answer that sets none."""
    return policy(*INLINE.findall((FILES.static / "index.html").read_text(encoding="utf-8")))


class SecurityHeaders:
    """Adds them where an answer does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault(POLICY, streamlits_policy())
            await send(message)

        await self.app(scope, receive, with_headers)
