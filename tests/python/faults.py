"""A proxy on loopback in front of a server: it refuses, cuts and changes answers as a test says."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Answer:
    """What the client gets; `cut` is after how many bytes the connection breaks."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None
    by_close: bool = False
    """Whether the end of the connection is the end of the body, as in HTTP/1.0."""

    def change(self, **values: Any) -> Answer:
        """The answer with other keys in its JSON."""
        self.body = json.dumps(json.loads(self.body) | values).encode()
        return self


Fault = Callable[[Answer], Answer | None]
"""What happens to an answer; None closes the connection without one."""


def refuse(status: int, **headers: str) -> Fault:
    """An error instead of the answer."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"status": status, "error": "the server is busy"}).encode()
    return lambda _: Answer(status, {"content-type": "application/json", **given}, body)


def cut(part: float) -> Fault:
    """The connection breaks after this part of the body."""

    def apply(answer: Answer) -> Answer:
        answer.cut = int(len(answer.body) * part)
        return answer

    return apply


def close_after(part: float) -> Fault:
    """The connection ends after this part of the body, and no length says that more was to come."""

    def apply(answer: Answer) -> Answer:
        answer.cut, answer.by_close = int(len(answer.body) * part), True
        return answer

    return apply


def hang_up(_: Answer) -> None:
    """The connection ends without an answer."""


def other_state(answer: Answer) -> Answer:
    """The answer is of another state of the index."""
    answer.headers["backlinkd-as-of"] = "2026-11-30T03:22:10Z; change=999999"
    return answer


def unfinished(answer: Answer) -> Answer:
    """The answer is not finished."""
    if "x-export-finished" in answer.headers:
        answer.headers["x-export-finished"] = "false"
        return answer
    return answer.change(exportFinished=False)


def whole(answer: Answer) -> Answer:
    """Nothing happens."""
    return answer


@dataclass
class Seen:
    """A request that arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    time: float = field(default_factory=time.monotonic)


class Proxy:
    """The proxy. Each request takes the next fault; afterwards the last one for ever, or none."""

    def __init__(self, server: str, *faults: Fault, for_ever: Fault = whole) -> None:
        self.faults = list(faults)
        self.for_ever = for_ever
        self.seen: list[Seen] = []
        target = urlsplit(server)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def forward(self) -> None:
                address = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                proxy.seen.append(Seen(self.command, address.path, dict(parse_qsl(address.query)), headers))
                fault = proxy.faults.pop(0) if proxy.faults else proxy.for_ever
                body = self.rfile.read(int(headers.get("content-length", 0)))
                upstream = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
                kept = {
                    name: value
                    for name, value in headers.items()
                    if name in ("authorization", "content-type", "accept")
                }
                upstream.request(self.command, self.path, body or None, kept)
                reply = upstream.getresponse()
                given = {name.lower(): value for name, value in reply.getheaders()}
                answer = fault(Answer(reply.status, given, reply.read()))
                upstream.close()
                self.close_connection = True
                if answer is None:
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                if not answer.by_close:
                    self.send_header("content-length", str(len(answer.body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut])

            do_GET = do_POST = do_DELETE = forward

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
