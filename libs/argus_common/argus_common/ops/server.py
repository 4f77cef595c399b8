"""Answers while a forward pass holds the event loop, because it runs in threads of its own."""

import gzip
import logging
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from argus_common.errors import ConfigurationError
from argus_common.ops.health import Health

Page = Callable[[], bytes]

TEXT = "text/plain; charset=utf-8"
CLIENT_TIMEOUT_SECONDS = 10
"""A client that says nothing for so long is hung up on: it holds a thread."""

_log = logging.getLogger("argus.ops")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's signature
        """A client that hangs up in the middle of an answer is no news."""
        _log.debug("client went away", extra={"client": client_address}, exc_info=True)


class OpsServer:
    """Serves ``/metrics``, ``/livez`` and ``/readyz`` on ``host:port`` until ``stop``; usable as a context manager.

    ``pages`` are cached texts in the Prometheus format that are appended to the registry's own: large families are
    rendered once per forecast cycle, not once per scrape.

    Raises:
        ConfigurationError: the port is taken or the host is not ours.
    """

    def __init__(
        self, registry: CollectorRegistry, health: Health, host: str, port: int, pages: Iterable[Page] = ()
    ) -> None:
        self._registry, self._health, self._pages = registry, health, tuple(pages)
        try:
            self._server = _Server((host, port), self._handler())
        except OSError as error:
            raise ConfigurationError(
                f"the ops server can't listen on {host}:{port} ({error.strerror}): set ARGUS_OPS_PORT or ARGUS_OPS_HOST"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="ops", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; stopping what never started is fine."""
        if self._thread.is_alive():  # shutdown() waits for ever for a loop that does not run
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """(status, content type, body) of a path."""
        if path == "/metrics":
            return (
                200,
                CONTENT_TYPE_LATEST,
                b"".join([generate_latest(self._registry), *(p() for p in self._pages)]),
            )
        checks = {"/livez": self._health.live, "/readyz": self._health.ready}
        if path not in checks:
            return 404, TEXT, b"try /metrics, /livez or /readyz\n"
        problems = checks[path]()
        return (503 if problems else 200), TEXT, ("\n".join(problems) or "ok").encode() + b"\n"

    def _safe_answer(self, path: str) -> tuple[int, str, bytes]:
        try:
            return self.answer(path)
        except Exception:  # noqa: BLE001 - a scrape must be answered, and a broken page must not end the service
            _log.exception("a page failed", extra={"path": path})
            return 500, TEXT, b"this page failed, the log says why\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = CLIENT_TIMEOUT_SECONDS

            def do_GET(self) -> None:
                status, kind, body = server._safe_answer(self.path.partition("?")[0])
                compress = "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1024
                body = gzip.compress(body, 1) if compress else body
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if compress:
                    self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Scrapes are not logged."""

        return Handler
