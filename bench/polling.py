"""Measures the quote page, and counts what 200 open ones cost, each asking every two seconds, as static/js/quote.js does.

    .venv/bin/python -m bench.polling [--pages 200] [--seconds 20]

Prints a page's milliseconds and how often codes were drawn; requests and database queries per second, API calls, and how long
after a scan its page knew of it. The site runs in one process and thread, on a database of its own, so that every statement
is counted. Exit status 1 when a page with a drawn code took more than 10 ms or a code was drawn twice, when it came to 100
queries a second or more, to any call, or when a scan was not seen within three seconds.
"""

import argparse
import sys

from bench.rig import inside


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    return inside("bench.polling_pages.measure", options.pages, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
