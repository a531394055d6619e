"""The review page's server: this machine only, behind a token, for one origin.

- It listens on 127.0.0.1; every path begins with a random token, so that nobody else on this machine can read or judge.
- The Host must be its own (a name that some page re-binds to 127.0.0.1 is not); what is posted must say by Origin that it comes from
  its own page, and be JSON, which no form can send.
- The Content-Security-Policy lets in its own script and style sheet, and no way to turn text into markup (Trusted Types).
"""

from __future__ import annotations

import hmac
import secrets
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import orjson

from tilth.cards.page import style
from tilth.core.errors import StorageError, TilthError
from tilth.review.desk import Desk, Payload

HOST = "127.0.0.1"
MOST_BYTES = 1 << 16
"""Of what a page may post."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
TYPES = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class ReviewServer(ThreadingHTTPServer):
    """Serves one desk until `shutdown`. `url` is the page, token included.

    Raises:
        StorageError: the port cannot be had.
    """

    daemon_threads = True
    # Two servers on one port would share its connections.
    allow_reuse_port = False

    def __init__(self, desk: Desk, *, port: int = 0) -> None:
        self.desk = desk
        self.token = secrets.token_urlsafe(24)
        self.acts: dict[str, Callable[[Payload], Payload]] = {
            "turn": desk.turn, "judge": desk.judge, "take-back": desk.take_back, "agreement": desk.agreement,
        }  # fmt: skip
        room = files("tilth.review")
        self.pages = {
            "": (TYPES["html"], (room / "page.html").read_bytes()),
            "page.js": (TYPES["js"], (room / "page.js").read_bytes()),
            "page.svg": (TYPES["svg"], (room / "page.svg").read_bytes()),
            "page.css": (TYPES["css"], style().encode() + (room / "page.css").read_bytes()),
        }
        try:
            super().__init__((HOST, port), _Exchange)
        except (OSError, OverflowError) as error:
            raise StorageError(f"port {port}: {getattr(error, 'strerror', None) or error}", hint="name another --port, or none") from None
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed half-way is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/{self.token}/"


class _Exchange(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version = "tilth"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        place = self._place()
        if place is None or place not in self.server.pages:
            self._refuse(404, "not here")
        else:
            self._answer(200, *self.server.pages[place])

    def do_POST(self) -> None:
        place = self._place()
        if place is None or place not in self.server.acts:
            return self._refuse(404, "not here")
        if self.headers.get("Origin") not in {f"http://{host}" for host in self.server.hosts if host == self.headers.get("Host")}:
            return self._refuse(403, "not from this page")
        if self.headers.get_content_type() != "application/json":
            return self._refuse(415, "JSON only")
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            return self._refuse(413, "too long")
        try:
            asked = orjson.loads(self.rfile.read(int(length)))
        except orjson.JSONDecodeError:
            asked = None
        if not isinstance(asked, dict):
            return self._refuse(400, "no JSON object")
        self._act(self.server.acts[place], asked)

    def _act(self, act: Callable[[Payload], Payload], asked: Payload) -> None:
        try:
            told = act(asked)
        except TilthError as error:
            status = 500 if isinstance(error, StorageError) else 409
            return self._refuse(status, error.message, error.hint)
        self._answer(200, "application/json", orjson.dumps(told))

    def _place(self) -> str | None:
        """What is asked for, behind the token; None where host or token are not ours."""
        token, _, place = self.path.partition("?")[0].removeprefix("/").partition("/")
        ours = hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode())
        return place if ours and self.headers.get("Host") in self.server.hosts else None

    def _refuse(self, status: int, message: str, hint: str | None = None) -> None:
        self.close_connection = True  # what was posted may not have been read
        self._answer(status, "application/json", orjson.dumps({"error": message, "hint": hint}))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The terminal is for the reviewer; the token is not to be written there again."""
