"""The project's own settings, with the bare views of bench.urls beside its addresses."""

from wxhub.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
