"""A load generator that is not the bottleneck: ready-made requests over kept-alive connections, one thread, epoll.

Comes in: raw HTTP requests, each with a check of its answer. Goes out: answers per second, and every answer that
was not what it should be. Some 20 µs per request, a fifth of what the barest Django view costs.
"""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What a run brought. `wrong` holds the answers that failed the check."""

    seconds: float = 0.0
    answers: int = 0
    wrong: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


@dataclass
class _Connection:
    socket: socket.socket
    received: bytes = b""


def request(path: str, body: bytes, *, host: str) -> bytes:
    """The bytes of one POST."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def is_success(answer: bytes) -> bool:
    """Whether the callback took the push and has nothing to say."""
    return answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\nsuccess")


def run(requests: Sequence[bytes], *, port: int, connections: int, is_right: Callable[[bytes], bool]) -> Outcome:
    """Send all `requests` to 127.0.0.1, each as soon as a connection is free. `is_right` judges a whole answer."""
    outcome, waiting = Outcome(), iter(requests)
    selector = selectors.DefaultSelector()
    started = time.perf_counter()
    for _ in range(min(connections, len(requests))):
        connection = _Connection(socket.create_connection(("127.0.0.1", port)))
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        _send(connection, next(waiting))
    while outcome.answers < len(requests):
        for key, _events in selector.select(timeout=30):
            connection = key.data
            if _receive(connection):
                outcome.answers += 1
                if not is_right(connection.received):
                    outcome.wrong.append(connection.received)
                if following := next(waiting, None):
                    _send(connection, following)
    outcome.seconds = time.perf_counter() - started
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return outcome


def _send(connection: _Connection, data: bytes) -> None:
    connection.received = b""
    connection.socket.sendall(data)


def _receive(connection: _Connection) -> bool:
    """Read what is there; True when the answer is whole."""
    data = connection.socket.recv(65_536)
    if not data:
        raise ConnectionError("the server closed the connection")
    connection.received += data
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    if not separator:
        return False
    lower = head.lower()
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return len(body) >= length
