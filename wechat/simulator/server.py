"""The HTTP server: takes requests on a loopback address and hands them to the API, the control API or the pages.

`with SimulatorServer(Platform(Account(…))) as server:` runs one inside a test; `server.url` is its address,
`server.phone` the persons' actions.
"""

import ipaddress
import socket
import threading
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from wechat.simulator import api, pages
from wechat.simulator.announcements import Announcements
from wechat.simulator.calls_faulty import HangupError
from wechat.simulator.control import routes, routing
from wechat.simulator.phone import Phone
from wechat.simulator.pushes import Pushes
from wechat.simulator.state import Platform

BACKLOG = 1024
IDLE_SECONDS = 75  # a kept-alive connection without a request is closed after this
POLL_SECONDS = 0.01  # how soon the accepting loop notices that it shall end


class Handler(WSGIRequestHandler):
    """Keeps connections alive (Werkzeug's own handler closes each one), and can close them without an answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.server.app.connections.add(self.connection)  # type: ignore[attr-defined]

    def finish(self) -> None:
        self.server.app.connections.discard(self.connection)  # type: ignore[attr-defined]
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request in a single write."""
        environ = self.make_environ()
        request = Request(environ)
        try:
            response = self.server.app.respond(request)  # type: ignore[attr-defined]
            request.get_data()  # what was not read would be taken for the next request
        except HangupError:
            self.close_connection = True
            return
        self._write(environ, response)

    def _write(self, environ: Any, response: Response) -> None:
        head = [f"HTTP/1.1 {response.status}"]
        head += [f"{name}: {value}" for name, value in response.get_wsgi_headers(environ)]
        head.append(f"Date: {formatdate(self.server.app.platform.clock.now(), usegmt=True)}")  # type: ignore[attr-defined]
        if self.close_connection:
            head.append("Connection: close")
        start = "\r\n".join([*head, "\r\n"]).encode("latin-1")
        if self.command == "HEAD":
            self.wfile.write(start)
            return
        if not response.is_sequence:
            self.wfile.write(start)
            for part in response.iter_encoded():
                self.wfile.write(part)
            return
        self.wfile.write(start + response.get_data())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is Werkzeug's
        """The journal is the log."""


class SimulatorServer:
    """One simulator on one port.

    Raises ValueError for an address that other machines could reach; `listen` raises OSError for a port that is taken.
    """

    def __init__(self, platform: Platform, *, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address")
        self.platform = platform
        self.pushes = Pushes(platform)
        self.phone = Phone(platform, self.pushes)
        platform.announce = Announcements(self.pushes).announce
        self.connections: set[socket.socket] = set()
        self._host, self._port = host, port
        self._server: BaseWSGIServer | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End: refuse connections, send no more pushes."""
        self.stop_listening()
        self.pushes.close()

    def listen(self) -> None:
        """Accept connections, in a thread. After `stop_listening` it is the same port again."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(BACKLOG)
            self._port = listener.getsockname()[1]
            self.platform.url = self.url
            app: Any = self
            self._server = make_server(
                self._host, self._port, app, threaded=True, request_handler=Handler, fd=listener.fileno()
            )
        finally:
            listener.close()
        threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()

    def stop_listening(self) -> None:
        """Refuse connections from now on, and cut those that are open."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was faster

    def refuse_connections(self, seconds: float) -> None:
        """Stop listening a moment from now (the answer to who asked still goes out), and listen again later."""

        def away() -> None:
            self.stop_listening()
            again = threading.Timer(seconds, self.listen)
            again.daemon = True
            again.start()

        soon = threading.Timer(POLL_SECONDS, away)
        soon.daemon = True
        soon.start()

    def respond(self, request: Request) -> Response:
        """The answer to one request. Raises HangupError when there shall be none."""
        path = request.path
        if path == routing.PREFIX or path.startswith(f"{routing.PREFIX}/"):
            order = routing.Order(self.platform, self.phone, request, self.refuse_connections)
            return routing.handle(order, routes.RULES)
        if pages.is_page(path):
            return pages.show(self.platform, self.phone, request)
        return api.answer(self.platform, request)
