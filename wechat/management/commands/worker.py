"""`manage.py worker` sends what is due and does the periodic work, until it is told to end."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from wechat.worker import Worker


class Command(BaseCommand):
    help = "Sends what is due and does the periodic work. Any number may run. Ctrl-C or SIGTERM ends it within 5 s."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stopping.set())
        self.stdout.write(f"Worker {worker.id} is at work.")
        worker.run()
        self.stdout.write("The worker has ended.")
