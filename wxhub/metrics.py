"""The figures in the text format of Prometheus, version 0.0.4.

Comes in: Figures. Goes out: lines. A client library would count in the memory of each process; these figures are in the
database, the same for all processes and machines, so that one scrape of any host tells everything.
Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Mapping, Sequence

from wechat.figures import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_DATABASE = "# HELP wxhub_up Whether the database answers.\n# TYPE wxhub_up gauge\nwxhub_up 0\n"
QUANTILES = (0.5, 0.95, 0.99)

Sample = tuple[Mapping[str, str], float]


def render(found: Figures) -> str:
    """One scrape."""
    lines: list[str] = []
    for name, words, samples in (*_state(found), *_traffic(found), *_ages(found)):
        lines += _metric(f"wxhub_{name}", words, samples)
    return "\n".join(lines) + "\n"


def _state(found: Figures) -> Iterable[tuple[str, str, list[Sample]]]:
    yield "up", "Whether the database answers.", [({}, 1)]
    yield "sending_stuck", "1 when a message that may go out is overdue by more than 60 s.", [({}, found.stuck)]
    yield "workers", "Workers alive.", [({}, found.workers)]
    yield "circuits_open", "Accounts whose calls to WeChat fail.", [({}, found.circuits)]
    yield "accounts_paused", "Accounts that WeChat lets send nothing now.", [({}, found.paused)]
    yield "clock_skew_seconds", "WeChat's clock minus ours, where that is a minute or more.", [({}, found.skew)]


def _traffic(found: Figures) -> Iterable[tuple[str, str, list[Sample]]]:
    messages: list[Sample] = [({"state": state}, count) for state, count in found.messages.items()]
    yield "messages", "Outgoing messages by state; those set aside among the newest 1000.", messages
    sends: list[Sample] = [({"result": result}, count) for result, count in found.sends.items()]
    yield "sends_last_minute", "Calls of the last minute that send a message, by result.", sends
    yield "pushes_last_minute", "Pushes of the last minute, at most 1000.", [({}, found.pushes)]
    yield "pushes_failed_last_minute", "Those of them whose handling failed.", [({}, found.failed_pushes)]
    times: list[Sample] = [({"quantile": str(each)}, _quantile(found.milliseconds, each)) for each in QUANTILES]
    yield (
        "push_seconds",
        "From a push's arrival to its last statement, last minute; 0.02 is that or less.",
        times if found.milliseconds else [],
    )


def _ages(found: Figures) -> Iterable[tuple[str, str, list[Sample]]]:
    yield "queue_age_seconds", "How long the message that waits longest is overdue.", [({}, found.queue_age)]
    yield "last_push_age_seconds", "Since the last push of WeChat.", _known(found.last_push)
    yield "last_sent_age_seconds", "Since the last message that WeChat took.", _known(found.last_sent)
    ages: list[Sample] = [({"account": token.slug}, token.age) for token in found.tokens]
    yield "token_age_seconds", "Since the access token was fetched.", ages
    valid: list[Sample] = [({"account": token.slug}, token.valid) for token in found.tokens]
    yield "token_valid_seconds", "How long the access token still serves.", valid
    turns: list[Sample] = [({"chore": name}, age) for name, age in sorted(found.chores.items())]
    yield "chore_age_seconds", "Since a worker last did this periodic work.", turns


def _known(age: float | None) -> list[Sample]:
    return [] if age is None else [({}, age)]


def _quantile(ordered: Sequence[int], share: float) -> float:
    """Of milliseconds in order, in seconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 if ordered else 0.0


def _metric(name: str, words: str, samples: list[Sample]) -> list[str]:
    if not samples:
        return []
    return [f"# HELP {name} {words}", f"# TYPE {name} gauge", *(_sample(name, *sample) for sample in samples)]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value:.10g}" if inside else f"{name} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
