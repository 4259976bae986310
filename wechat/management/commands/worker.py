"""`manage.py worker` sends what is due and does the periodic work, until it is told to end."""

import logging
import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from wechat.redaction import catch_the_rest
from wechat.worker import Worker

PATIENCE = 9.0  # seconds from the signal: then what still runs is left where it is, as if the worker had been killed

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Sends what is due and does the periodic work. Any number may run. Ctrl-C or SIGTERM ends it within 10 s."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._end(worker))
        catch_the_rest()
        self.stdout.write(f"Worker {worker.id} is at work.")
        worker.run()
        self.stdout.write("The worker has ended.")

    def _end(self, worker: Worker) -> None:
        worker.stopping.set()
        last = threading.Timer(PATIENCE, self._leave)
        last.daemon = True
        last.start()

    def _leave(self) -> None:
        """Every row and every lease can bear it: a mail server that hangs must not hold up a deployment."""
        logger.warning("something of the worker did not end within %.0f s", PATIENCE)
        os._exit(1)
