"""A page of figures: every measurement that says how fast WxHub is, one after the other. Twenty minutes.

    .venv/bin/python -m bench [callback delivery …] [--database postgres://…/postgres]

On SQLite, or on databases of their own on that PostgreSQL server. The figures of one run belong together: machines differ, and
one machine differs from hour to hour. Exit status 1 when an aim was missed; the page says which.
"""

import argparse
import subprocess
import sys
import time

PAGE = {
    "callback": "what a push costs, beside a bare Django view",
    "stored": "what it costs beside a million stored ones",
    "delivery": "from a scan to its card, and cards a second",
    "rules": "matching 10 to 10,000 rules",
    "polling": "the quote page, and 200 open ones",
    "inbox": "the lists of staff with a million pushes, and their removal",
    "jobs": "one message to ten thousand people, the worker killed twice",
}
WITHOUT_DATABASE = ("rules", "polling")


def main() -> int:
    """Run those that were asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PAGE)}; default: all")
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - PAGE.keys()):
        parser.error(f"no measurement is called {', '.join(unknown)}")
    missed = [name for name in options.parts or PAGE if not _measured(name, options.database)]
    if missed:
        print(f"\nAn aim was missed by: {', '.join(missed)}")
    return int(bool(missed))


def _measured(name: str, server: str | None) -> bool:
    """Run one of them; whether its aims were met."""
    database = ["--database", server] if server and name not in WITHOUT_DATABASE else []
    print(f"\n## {name}: {PAGE[name]}\n", flush=True)
    began = time.monotonic()
    status = subprocess.run([sys.executable, "-m", f"bench.{name}", *database], check=False).returncode
    print(f"\n({time.monotonic() - began:.0f} s)", flush=True)
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
