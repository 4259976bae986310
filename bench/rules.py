"""Compares the time to find the rules of a message among 10, 1,000 and 10,000 mixed rules, alternately, in one run.

    .venv/bin/python -m bench.rules [--rounds 15] [--texts 400]

Each text of 4 to 60 characters, a mix of hits and misses, is asked of each index in turn; its time is the median of the
rounds. Prints the mean of all texts, the slowest text, and the mean of the very first time, when nothing is in any
cache. Then the worst that a text of 2,048 characters brought with 1,000 expressions of each bad kind, for the first time,
in processor time; after 15 ms the rest is left out.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wxhub.settings")
os.environ.setdefault("LOG_LEVEL", "CRITICAL")
django.setup()  # wechat.rules knows the table of rules

from wechat.rules import Keyword, Query, RuleEntry, RuleIndex  # noqa: E402

SIZES = (10, 1_000, 10_000)
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


THINGS = words("瓷砖 地板 橱柜 吊顶 水电 墙面 卫生间 厨房 阳台 客厅 卧室 书房 门窗 灯具 油漆 防水 暖气 空调 衣柜 沙发")
WISHES = words("多少钱 价格 报价 怎么收费 预算 什么时候 多久 哪里 地址 电话 售后 保修 效果图 案例 优惠 活动")
AROUND = words(
    "请问 你好， 我想知道 麻烦问一下， 帮我看看 在吗？ 老师 谢谢！ 急 😀 hello price 120平 两室一厅 周末 明天"
)


def name(number: int) -> str:
    """A word of two to four characters, another one for each number."""
    draw = random.Random(number)
    return "".join(chr(draw.randrange(0x4E00, 0x8000)) for _ in range(draw.randint(2, 4)))


def rule(number: int) -> RuleEntry:
    """The rule of that number: one of ten sorts, in words of its own."""
    pair = number // 10
    thing, wish = THINGS[pair % len(THINGS)], WISHES[pair // len(THINGS) % len(WISHES)]
    sorts: list[tuple[str, str]] = [
        ("exact", f"{thing}{wish}{number}"),
        ("contains", name(number)),
        ("regex", f"{thing}.*{wish}.*{number}"),
        ("exact", f"{wish}{thing}"),
        ("contains", f"{thing}{wish}"),
        ("regex", f"{name(number)}(.*{thing})?"),
        ("event_key", f"MENU_{number}"),
        ("contains", f"{wish}{number}"),
        ("exact", name(number)),
        ("scene", f"shop-{number}"),
    ]
    seasonal = number % 50 == 7
    return RuleEntry(
        id=number + 1,
        name=str(number),
        enabled=number % 40 != 3,
        priority=number % 5,
        keywords=(Keyword(*sorts[number % len(sorts)]),),
        answers=({"kind": "text", "content": "…"},),
        choice="all",
        starts_on=NOW.date() if seasonal else None,
        ends_on=None,
        from_time=None,
        until_time=None,
    )


def texts(count: int) -> list[Query]:
    """So many different messages, the same in every run."""
    draw = random.Random(7)
    made = []
    while len(made) < count:
        parts = [*draw.choices(AROUND, k=draw.randint(0, 3)), draw.choice(THINGS)]
        if draw.random() < 0.6:
            parts += [draw.choice(WISHES), str(draw.randrange(SIZES[-1])) if draw.random() < 0.5 else ""]
        if draw.random() < 0.4:  # a word of one of the first ten rules, the first thousand, or of all
            parts.append(name(draw.choice((0, draw.randrange(100), draw.randrange(1000))) * 10 + draw.choice((1, 5))))
        parts += draw.choices(AROUND + THINGS, k=draw.randint(0, 4))
        text = "".join(parts)
        if 4 <= len(text) <= 60:
            made.append(Query(text, None, "text", None))
    return made


def main() -> None:
    """Measure and print."""
    options = _arguments()
    queries = texts(options.texts)
    indexes, built, first = {}, {}, {}
    for size in SIZES:
        entries = [rule(number) for number in range(size)]
        began = time.perf_counter()
        indexes[size] = RuleIndex(entries)
        built[size] = (time.perf_counter() - began) * 1000
        first[size] = statistics.mean(_microseconds(indexes[size], query) for query in queries)
    times = _measure(indexes, queries, options.rounds)
    least = statistics.mean(times[SIZES[0]])
    print(
        f"{'rules':>8}{'µs a text':>12}{'ratio':>8}{'slowest':>10}{'first time':>13}{'texts that hit':>17}{'built, ms':>12}"
    )
    for size in SIZES:
        mean, slowest = statistics.mean(times[size]), max(times[size])
        hits = sum(bool(indexes[size].candidates(query, NOW)) for query in queries) / len(queries)
        print(
            f"{size:8,}{mean:12.1f}{mean / least:8.2f}{slowest:10.1f}{first[size]:13.1f}{hits:17.0%}{built[size]:12.0f}"
        )
    _print_worst()


def _measure(indexes: dict[int, RuleIndex], queries: list[Query], rounds: int) -> dict[int, list[float]]:
    """By size, the microseconds of each text: the median of its rounds."""
    series: dict[int, list[list[float]]] = {size: [[] for _ in queries] for size in SIZES}
    for round_ in range(rounds):
        turn = SIZES[round_ % len(SIZES) :] + SIZES[: round_ % len(SIZES)]
        for number, query in enumerate(queries):
            for size in turn:
                series[size][number].append(_microseconds(indexes[size], query))
    return {size: [statistics.median(text) for text in all_texts] for size, all_texts in series.items()}


def _microseconds(index: RuleIndex, query: Query) -> float:
    began = time.perf_counter_ns()
    index.candidates(query, NOW)
    return (time.perf_counter_ns() - began) / 1000


BAD: dict[str, Callable[[int], str]] = {
    "(a+)+…$": lambda number: f"(a+)+{number}$",
    "(.*a){20}…": lambda number: f"(.*a){{20}}{number}",
    "a.*b.*…": lambda number: f"a.*b.*{number}",
    "a.{19}b…": lambda number: f"a.{{19}}b{number}",
    "[ab].{0,99}…": lambda number: f"[ab].{{0,99}}{number}",
}


def _print_worst() -> None:
    draw = random.Random(7)
    alphabets = "a", "ab", "ab0123456789", "ab砖价😀", "0123456789一二三四五"
    long = [Query("".join(draw.choices(alphabet, k=2048)), None, "text", None) for alphabet in alphabets]
    print("\n1,000 expressions, 2,048 characters: the slowest text, ms")
    for kind, pattern in BAD.items():
        rules = [rule(number) for number in range(1000)]
        keyed = [(Keyword("regex", pattern(number)),) for number in range(1000)]
        index = RuleIndex(_with(each, keywords) for each, keywords in zip(rules, keyed, strict=True))
        slowest = 0.0
        for query in long:
            began = time.thread_time()
            index.candidates(query, NOW)
            slowest = max(slowest, time.thread_time() - began)
        print(f"{kind:>16}{slowest * 1000:10.1f}")


def _with(entry: RuleEntry, keywords: tuple[Keyword, ...]) -> RuleEntry:
    return replace(entry, enabled=True, keywords=keywords)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--texts", type=int, default=400)
    return parser.parse_args()


if __name__ == "__main__":
    main()
