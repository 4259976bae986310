"""One process of test_call_log.py: asks the platform something and ends at once, itself or in a child of its own."""

import multiprocessing
import sys

import django


def call() -> None:
    django.setup()
    from wechat import client, conf  # after the set-up

    account = conf.account("demo")
    assert account
    client.callback_addresses(account)


def main() -> int:
    if "child" not in sys.argv:
        call()
        return 0
    child = multiprocessing.get_context("spawn").Process(target=call)
    child.start()
    child.join()
    return child.exitcode or 0


if __name__ == "__main__":
    sys.exit(main())
