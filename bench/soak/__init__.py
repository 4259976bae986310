"""The faults of reliability rows C1 … C4, made for real, and what must hold afterwards. `python -m bench.soak --help`."""
