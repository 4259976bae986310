"""How often rules answered lately, as bars: one SVG, drawn here, so that a list of a hundred rules needs no script."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from wechat.models import Rule, RuleDay

DAYS = 30
RARELY = 90  # days without a hit after which a rule is worth a look
_LOW, _HIGH = 24, 72  # of the charts, in their own units


def with_days(rules: QuerySet[Rule]) -> QuerySet[Rule]:
    """`rules`, each with its counts of the last days in `recent_days`: one query for a whole list."""
    return rules.prefetch_related(Prefetch("days", RuleDay.objects.filter(day__gte=_since()), to_attr="recent_days"))


def recent(rule: Rule) -> list[int]:
    """Hits per day of the last DAYS days; today stands last."""
    since = _since()
    rows: Iterable[RuleDay] | None = getattr(rule, "recent_days", None)
    if rows is None:
        rows = RuleDay.objects.filter(rule_id=rule.pk, day__gte=since) if rule.pk else ()
    counted = {row.day: row.hits for row in rows}
    return [counted.get(since + timedelta(days=number), 0) for number in range(DAYS)]


def in_words(counts: Sequence[int]) -> str:
    """What the bars say, for those who cannot see them."""
    total = sum(counts)
    if not total:
        return _("Not used in the last %(days)d days.") % {"days": len(counts)}
    return _("%(hits)d answers in the last %(days)d days, %(today)d of them today.") % {
        "hits": total,
        "days": len(counts),
        "today": counts[-1],
    }


def small_chart(counts: Sequence[int]) -> SafeString:
    """The bars beside their sum, for a list: one shape, as a list has hundreds of them."""
    total = sum(counts)
    shape = "".join(f"M{left} {_LOW}v-{size}h3v{size}z" for left, size in _sizes(counts, _LOW))
    drawn = _chart(counts, _LOW, format_html('<path d="{}"/>', shape))
    css = "hits-sum" if total else "hits-sum hits-none"
    return format_html('<span class="hits">{}<span class="{}">{}</span></span>', drawn, css, total)


def large_chart(counts: Sequence[int]) -> SafeString:
    """The bars with their days, and what they say in words, for a rule's own page."""
    days = [_day(_since() + timedelta(days=number)) for number in range(len(counts))]
    sizes = zip(_sizes(counts, _HIGH), days, counts, strict=True)
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="3" height="{}"><title>{}: {}</title></rect>',
        ((left, _HIGH - size, size, day, hits) for (left, size), day, hits in sizes),
    )
    return format_html(
        '<figure class="hits-large">{}<div class="hits-axis" aria-hidden="true"><span>{}</span><span>{}</span></div>'
        "<figcaption>{}</figcaption></figure>",
        _chart(counts, _HIGH, bars),
        days[0],
        days[-1],
        in_words(counts),
    )


def _sizes(counts: Sequence[int], height: int) -> Iterator[tuple[int, int]]:
    """The left edge and the height of each bar; a day without hits keeps a hair's breadth, as an axis."""
    highest = max(*counts, 1)
    for number, hits in enumerate(counts):
        yield 4 * number, max(round(hits / highest * height), 2) if hits else 1


def _chart(counts: Sequence[int], height: int, bars: SafeString) -> SafeString:
    return format_html(
        '<svg class="hits-bars" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>',
        in_words(counts),
        4 * len(counts) - 1,
        height,
        bars,
    )


def _since() -> date:
    return timezone.localdate() - timedelta(days=DAYS - 1)


def _day(day: date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")
