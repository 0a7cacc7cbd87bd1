"""A server on this machine alone, for a page that shows tokens as one types.

It listens on the loopback address. A request that names another host is refused (a page from elsewhere could make its
own name mean this machine), and so is one that a page from elsewhere sent.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from minitok.viewer.page import json_for_html, page
from minitok.viewer.view import View

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["MAX_BYTES", "ViewServer"]

#: The longest text that is taken.
MAX_BYTES = 1_000_000
_HOST = "127.0.0.1"


class ViewServer(ThreadingHTTPServer):
    """Serves the page; `serve_forever` runs it.

    Args:
        encodings: those that are shown.
        port: where to listen; 0: where the system likes.
        text: what the page begins with.
        allowed_special: the special tokens that become their ids.

    Raises:
        OSError: something else listens there.
        ValueError: `text` is longer than `MAX_BYTES`.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # elsewhere it means that two may listen

    def __init__(
        self,
        encodings: Sequence[Encoding],
        port: int = 0,
        text: bytes = b"",
        allowed_special: frozenset[str] = frozenset(),
    ) -> None:
        if len(text) > MAX_BYTES:
            raise ValueError(
                f"the text has {len(text):,} bytes, and at most {MAX_BYTES:,} are shown as one types; use --html"
            )
        self.encodings = encodings
        self.text = text
        self.allowed_special = allowed_special
        try:
            super().__init__((_HOST, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OSError(f"something else listens on port {port}; give another with --port") from None
            raise

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing, if the browser has gone before it had its answer."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self.server_port}/"

    def view(self, text: bytes) -> View:
        """The tokens of a text."""
        return View(text, self.encodings, allowed_special=self.allowed_special, title="minitok")


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The page."""
        if not self._is_ours():
            return
        if self.path != "/":
            self._answer(404, "there is only /")
            return
        data = self.server.view(self.server.text).data(live=True)
        data["text"] = self.server.text.decode("utf-8", "replace")
        data["limit"] = MAX_BYTES
        self._answer(200, page(data), "text/html")

    def do_POST(self) -> None:
        """The tokens of a text."""
        if not self._is_ours():
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/tokens" or self.headers.get("Content-Type") != "application/octet-stream":
            self._answer(404, "expected application/octet-stream for /tokens")
        elif not (length.isascii() and length.isdigit()):
            self._answer(411, "the length is missing")
        elif len(length) > 9 or int(length) > MAX_BYTES:
            self._answer(413, f"the text is longer than {MAX_BYTES:,} bytes")
        else:
            try:
                data = self.server.view(self.rfile.read(int(length))).data(live=True)
            except ValueError as error:
                self._answer(422, str(error))
            else:
                self._answer(200, json_for_html(data), "application/json")

    def _is_ours(self) -> bool:
        names = [f"{host}:{self.server.server_port}" for host in (_HOST, "localhost")]
        origin = self.headers.get("Origin")
        if self.headers.get("Host") in names and (origin is None or origin in [f"http://{n}" for n in names]):
            return True
        self._answer(403, "this is for this machine alone")
        return False

    def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        body = text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
