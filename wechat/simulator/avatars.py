"""The portraits that persons may choose from, as drawn in `static/simulator/avatars/`."""

AVATARS = tuple(f"/static/simulator/avatars/{name}.svg" for name in ("fox", "panda", "cat", "owl", "whale", "robot"))
