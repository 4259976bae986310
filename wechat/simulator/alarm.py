"""Does things a moment later: one thread for all of them, however many wait."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

Act = Callable[[], None]


class Alarm:
    """Runs what was put in when its time has come. The thread starts with the first order and ends with `close`."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Act]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, act: Act) -> None:
        """Call `act` in about `seconds` of real time."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), act))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarm", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Forget what has not come due."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, act = heapq.heappop(self._due)
            act()
