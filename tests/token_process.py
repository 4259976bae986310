"""One process of test_tokens.py: waits for a line, asks for the token in sixteen threads, prints what it got."""

import sys
from concurrent.futures import ThreadPoolExecutor

import django


def main() -> None:
    django.setup()
    from wechat import conf, tokens  # after the set-up

    account = conf.account("demo")
    assert account
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(16) as pool:
        got = set(pool.map(lambda _number: tokens.get(account), range(16)))
    sys.stdout.write(" ".join(got))


if __name__ == "__main__":
    main()
