"""HTTP whose answers must be whole by a deadline, however slowly they come.

A socket's time-out bounds each wait, not their sum: a server that sends a byte now and then, be it of the status
line, of a header or of a chunk's length, could hold the reader for days. Here no read waits longer than what is left.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.request import BaseHandler, HTTPHandler, HTTPSHandler, Request

__all__ = ["bounded_handlers"]

_TOO_LONG = "the answer took longer than it may"


class _BoundedStream(io.RawIOBase):
    """What comes from a socket, until the deadline."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, deadline: float) -> None:
        self._sock = sock
        self._stream = stream
        self._deadline = deadline
        self._silence = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(_TOO_LONG)
        self._sock.settimeout(left if self._silence is None else min(self._silence, left))
        try:
            return self._stream.readinto(buffer)
        except TimeoutError:
            if time.monotonic() < self._deadline:
                raise
            raise TimeoutError(_TOO_LONG) from None

    def close(self) -> None:
        self._stream.close()
        super().close()


def bounded_handlers(seconds: float) -> tuple[BaseHandler, BaseHandler]:
    """Handlers for `urllib.request.build_opener` whose answers are whole `seconds` from now, or a TimeoutError.

    Connecting and the TLS handshake are not under the deadline: the request's time-out bounds each as a whole.
    """
    deadline = time.monotonic() + seconds

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            self.fp = io.BufferedReader(_BoundedStream(sock, self.fp.detach(), deadline))

    def bounded(connect: Callable[..., HTTPConnection]) -> Callable[..., HTTPConnection]:
        def connection(*arguments: Any, **options: Any) -> HTTPConnection:
            made = connect(*arguments, **options)
            made.response_class = Response
            return made

        return connection

    class Http(HTTPHandler):
        def http_open(self, request: Request) -> HTTPResponse:
            return self.do_open(bounded(HTTPConnection), request)

    class Https(HTTPSHandler):
        def https_open(self, request: Request) -> HTTPResponse:
            return self.do_open(bounded(HTTPSConnection), request)

    return Http(), Https()
