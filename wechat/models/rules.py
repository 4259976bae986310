"""What staff make the account answer. A rule is one document: its keywords and answers stand in the row itself, so that a
version in the history is whole, and an export is the row. wechat.rules matches, wechat.answers checks and renders them.
"""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models.accounts import Account

PRIORITY = range(-1000, 1001)


class Rule(models.Model):
    """Keywords, and what is answered when one of them matches.

    `keywords` is a list of {"kind", "text"} (wechat.rules.Keyword); `answers` a list of stored replies
    (wechat.replies.Reply.stored) or of {"kind": "handler", "name": …}.
    """

    class Choice(models.TextChoices):
        ALL = "all", _("All, in this order")
        RANDOM = "random", _("One of them at random")

    account = models.ForeignKey(Account, models.CASCADE, related_name="rules", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=60)
    enabled = models.BooleanField(_("on"), default=True)
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        validators=[MinValueValidator(PRIORITY[0]), MaxValueValidator(PRIORITY[-1])],
        help_text=_("The higher one is asked first. Among equals: exact before contained before expression."),
    )
    keywords = models.JSONField(_("keywords"), default=list, blank=True)
    answers = models.JSONField(_("answers"), default=list, blank=True)
    choice = models.CharField(_("of several answers"), max_length=10, choices=Choice, default=Choice.ALL)
    starts_on = models.DateField(_("from (day)"), null=True, blank=True)
    ends_on = models.DateField(_("to (day, included)"), null=True, blank=True)
    from_time = models.TimeField(_("from (time of day)"), null=True, blank=True)
    until_time = models.TimeField(
        _("to (time of day)"), null=True, blank=True, help_text=_("Earlier than the beginning: over midnight.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reply rule")
        verbose_name_plural = _("reply rules")
        ordering = ("-priority", "-pk")
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="one_rule_per_name"),)

    def __str__(self) -> str:
        return self.name


class RuleDay(models.Model):
    """How often a rule answered on one day; counted by the worker (wechat.digest), a few seconds after the fact."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="days", verbose_name=_("rule"), db_index=False)
    day = models.DateField(_("day"))
    hits = models.PositiveIntegerField(_("hits"), default=0)

    class Meta:
        verbose_name = _("hits of a day")
        verbose_name_plural = _("hits by day")
        constraints = (models.UniqueConstraint(fields=["rule", "day"], name="one_count_per_day"),)

    def __str__(self) -> str:
        return f"{self.rule_id} {self.day}: {self.hits}"


class UnansweredText(models.Model):
    """A text, or the key of a menu button, that no rule answered: grouped and counted by the worker (wechat.digest)."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="unanswered", verbose_name=_("account"), db_index=False
    )
    source = models.CharField(
        _("source"), max_length=20, blank=True, default="", help_text=_("Empty: typed. Else the event whose key it is.")
    )
    text = models.CharField(_("text"), max_length=200)
    count = models.PositiveIntegerField(_("how often"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    dismissed = models.BooleanField(_("put aside"), default=False)

    class Meta:
        verbose_name = _("unanswered text")
        verbose_name_plural = _("unanswered texts")
        ordering = ("-count", "-last_at")
        constraints = (models.UniqueConstraint(fields=["account", "source", "text"], name="one_row_per_text"),)

    def __str__(self) -> str:
        return self.text
