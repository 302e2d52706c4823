"""A real HTTP server on this machine that records what arrives and answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it arrived: ``target`` is the raw text of the request line."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} arrived {len(values)} times"
        return values[0] if values else None


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers}
    )


Responder = Callable[[Received], "Answer | Callable[[Any], None]"]


class LocalServer:
    """What the test sees: where the server is and what came.

    A responder returns an ``Answer``, or a function that writes to the connection itself.
    """

    def __init__(self, respond: Responder) -> None:
        self.received: list[Received] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def parse_request(self) -> bool:
                # Kept before http.server folds leading slashes.
                self.target = self.raw_requestline.decode("latin-1").split(" ")[1]
                return super().parse_request()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                received = Received(
                    self.command, self.target, self.headers.items(), self.rfile.read(length)
                )
                server.received.append(received)
                answer = respond(received)
                if not isinstance(answer, Answer):
                    self.close_connection = True
                    with suppress(OSError):
                        answer(self.wfile)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD" and answer.status not in (204, 304):
                    self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815
            do_HEAD = do_OPTIONS = do_TRACE = answer  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        return self.received[-1]

    def run(self) -> None:
        self._http.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(respond: Responder = lambda received: as_json({})) -> Iterator[LocalServer]:
    server = LocalServer(respond)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
