"""The four groups of staff and what each may do. Where they may do it, their memberships say (wechat.admin.scope).

Other rooms grant rights on their own pages when the program starts, from apps.ready():

groups.grant(groups.SERVICE, "orders.view_order", "orders.change_scan")

After every migration the groups stand in the database with exactly these rights. For other rights make another group.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EDITOR, SERVICE, ANALYST, MANAGER = "editor", "service", "analyst", "manager"
# The name is stored, and the group is found by it: in Chinese, as the interface is.
NAMES: Mapping[str, str] = {EDITOR: "编辑", SERVICE: "客服", ANALYST: "分析", MANAGER: "管理员"}
IN_WORDS: Mapping[str, str | Promise] = {
    NAMES[EDITOR]: _("writes the texts and reply rules; sees neither secrets nor messages"),
    NAMES[SERVICE]: _("looks after messages, followers and quotes"),
    NAMES[ANALYST]: _("sees everything, changes nothing"),
    NAMES[MANAGER]: _("does everything, with the secrets of the accounts and their staff"),
}
_granted: dict[str, set[str]] = {code: set() for code in NAMES}


def grant(code: str, *rights: str) -> None:
    """Give rights (`app.codename`) to the group of that code. A manager has what any other group has."""
    _granted[code].update(rights)


def rights_of(code: str) -> set[str]:
    """Everything the group of that code may do."""
    return set().union(*_granted.values()) if code == MANAGER else set(_granted[code])


def install(app_config: AppConfig, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """The handler of post_migrate: the groups get their rights on this app's models, and lose what is granted no more."""
    label, known = app_config.label, {right.partition(".")[0] for right in rights_of(MANAGER)}
    if label not in known:
        return
    here = Permission.objects.using(using).filter(content_type__app_label=label)
    for code, name in NAMES.items():
        group, _created = Group.objects.using(using).get_or_create(name=name)
        wanted = here.filter(
            codename__in=[right.partition(".")[2] for right in rights_of(code) if _is_in(label, right)]
        )
        stray = Q(content_type__app_label=label) & ~Q(pk__in=wanted) | ~Q(content_type__app_label__in=known)
        group.permissions.remove(*group.permissions.filter(stray))
        group.permissions.add(*wanted)


def _is_in(label: str, right: str) -> bool:
    return right.startswith(f"{label}.")


def is_ours(group: Group) -> bool:
    """Whether the program itself keeps this group."""
    return group.name in NAMES.values()


def within_rights_of(user: Any) -> QuerySet[Group]:
    """The groups that give nothing this user has not himself: what he may hand on."""
    if user.is_superuser:
        return Group.objects.all()
    own: set[str] = user.get_all_permissions()
    beyond = [
        group.pk for group in Group.objects.prefetch_related("permissions__content_type") if _rights_in(group) - own
    ]
    return Group.objects.exclude(pk__in=beyond)


def rights_held(user: Any) -> set[str]:
    """What this user may do, as `app.codename`; or could, if he were switched on again."""
    held = Permission.objects.filter(Q(group__user=user) | Q(user=user)).values_list(
        "content_type__app_label", "codename"
    )
    return {f"{label}.{codename}" for label, codename in held}


def _rights_in(group: Group) -> set[str]:
    return {f"{right.content_type.app_label}.{right.codename}" for right in group.permissions.all()}


def may(verbs: str, *models: str, app: str = "wechat") -> Iterator[str]:
    """`may("view change", "push")` gives wechat.view_push and wechat.change_push."""
    return (f"{app}.{verb}_{model}" for verb in verbs.split() for model in models)


for _code in NAMES:
    grant(_code, *may("view", "account", "rule", "ruleday", "unansweredtext", "qrcode", "notice", "menu"))
grant(EDITOR, "wechat.change_account_texts", *may("add change delete", "rule"), *may("change", "unansweredtext"))
grant(EDITOR, *may("add change delete publish", "menu"))
grant(SERVICE, *may("view change", "push", "outgoingmessage", "follower"), *may("change", "notice"))
grant(SERVICE, *may("view", "apicall"))
grant(SERVICE, *may("view add change delete", "tag"), *may("delete", "follower"))
grant(ANALYST, *may("view", "push", "outgoingmessage", "follower", "tag", "apicall"))
grant(MANAGER, *may("view", "tokenrequest"))
grant(MANAGER, *may("add change", "account"), *may("view add change delete", "membership"))
grant(MANAGER, *may("view add change", "user", app="auth"))
for _code in NAMES:
    grant(_code, *may("view", "messagetemplate"))
grant(SERVICE, *may("change", "messagetemplate"), *may("view add change", "sendjob"))
grant(ANALYST, *may("view", "sendjob"))
for _code in NAMES:
    grant(_code, *may("view", "material"))
grant(EDITOR, *may("add change delete", "material"))
for _code in NAMES:
    grant(_code, *may("view", "channelcode"))
grant(EDITOR, *may("add change delete", "channelcode"))
for _code in (SERVICE, ANALYST):
    grant(_code, *may("view", "channelscan"))
grant(SERVICE, *may("view change", "syncrun"))
grant(ANALYST, *may("view", "syncrun"))
for _code in NAMES:
    grant(_code, *may("view", "brand"))
grant(EDITOR, *may("add change", "brand"))
