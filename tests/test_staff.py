"""The page of a member of staff: groups and accounts are given there, and nobody gives away what he has not himself."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from wechat import groups
from wechat.models import Account, Membership

PASSWORD = "Zhu-jia-2026-ok"
ADD, LIST = reverse("admin:auth_user_add"), reverse("admin:auth_user_changelist")


@pytest.fixture
def second(account: Account) -> Account:
    """Another account of the firm, for which the manager does not work."""
    return Account.objects.create(slug="second", name="第二家")


@pytest.fixture
def manager(account: Account) -> Client:
    """The manager of `demo`."""
    client = Client()
    client.force_login(person("manager", account, group="manager"))
    return client


def person(name: str, *accounts: Account, group: str = "", **more: Any) -> User:
    user = User.objects.create_user(name, is_staff=True, password=PASSWORD, **more)
    user.groups.set(Group.objects.filter(name=groups.NAMES.get(group)))
    for account in accounts:
        Membership.objects.create(user=user, account=account)
    return user


def page(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def password_page(user: User) -> str:
    return reverse("admin:auth_user_password_change", args=[user.pk])


def number(code: str) -> int:
    return Group.objects.get(name=groups.NAMES[code]).pk


def form(user: User | None, *added: Account, removed: Account | None = None, **changes: Any) -> dict[str, Any]:
    """What the browser sends: the login, and the accounts, those that stand there first."""
    stored = list(user.memberships.order_by("pk")) if user else []  # type: ignore[attr-defined]
    sent = {
        "username": user.username if user else "xiao-li",
        "is_active": "on",
        "is_staff": "on",
        "groups": [],
        "memberships-TOTAL_FORMS": len(stored) + len(added),
        "memberships-INITIAL_FORMS": len(stored),
    }
    for index, membership in enumerate(stored):
        sent |= {f"memberships-{index}-id": membership.pk, f"memberships-{index}-account": membership.account_id}
        sent |= {f"memberships-{index}-user": user.pk if user else ""}
        if removed and membership.account_id == removed.pk:
            sent[f"memberships-{index}-DELETE"] = "on"
    for index, account in enumerate(added, len(stored)):
        sent |= {f"memberships-{index}-account": account.pk}
    return {**sent, **changes}


def new(*accounts: Account, **changes: Any) -> dict[str, Any]:
    return form(None, *accounts, password1=PASSWORD, password2=PASSWORD, **changes)


def works_for(user: User) -> set[str]:
    return set(user.memberships.values_list("account__slug", flat=True))  # type: ignore[attr-defined]


def in_groups(user: User) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def test_a_manager_makes_a_login_for_his_account(manager: Client, account: Account) -> None:
    assert manager.post(ADD, new(account, groups=[number("service")])).status_code == 302
    user = User.objects.get(username="xiao-li")
    assert (works_for(user), in_groups(user)) == ({"demo"}, {"客服"})
    assert user.is_staff
    assert not user.is_superuser
    client = Client()
    assert client.post(reverse("admin:login"), {"username": "xiao-li", "password": PASSWORD}).status_code == 302
    assert client.get(reverse("admin:wechat_push_changelist")).status_code == 200


def test_a_login_that_works_for_no_account_is_a_superusers_to_make(manager: Client, staff: Client) -> None:
    assert manager.post(ADD, new()).status_code == 200
    assert not User.objects.filter(username="xiao-li").exists()
    assert staff.post(ADD, new()).status_code == 302
    assert User.objects.get(username="xiao-li").is_staff


def test_nobody_makes_a_login_for_a_foreign_account(manager: Client, account: Account, second: Account) -> None:
    assert manager.post(ADD, new(second)).status_code == 200
    assert manager.post(ADD, new(account, second)).status_code == 200
    assert not User.objects.filter(username="xiao-li").exists()


@pytest.mark.parametrize("forged", [{"is_superuser": "on"}, {"user_permissions": ["1"]}])
def test_a_new_login_gets_no_forged_rights(forged: dict[str, Any], manager: Client, account: Account) -> None:
    manager.post(ADD, new(account, **forged))
    user = User.objects.get(username="xiao-li")
    assert not user.is_superuser
    assert not user.user_permissions.exists()


def test_a_manager_gives_no_group_that_may_more_than_he(manager: Client, account: Account) -> None:
    keys = Group.objects.create(name="密钥组")
    keys.permissions.set(Permission.objects.filter(codename="add_apikey"))
    colleague = person("colleague", account)
    assert "密钥组" not in manager.get(page(colleague)).content.decode()
    assert manager.post(page(colleague), form(colleague, groups=[keys.pk])).status_code == 200
    assert manager.post(ADD, new(account, groups=[keys.pk])).status_code == 200
    assert not in_groups(colleague)
    assert manager.post(page(colleague), form(colleague, groups=[number("manager")])).status_code == 302
    assert in_groups(colleague) == {"管理员"}


def test_a_manager_makes_no_superuser_of_a_colleague_or_of_himself(manager: Client, account: Account) -> None:
    colleague, himself = person("colleague", account), User.objects.get(username="manager")
    right = Permission.objects.get(codename="add_apikey", content_type__app_label="wechat")
    for user in (colleague, himself):
        manager.post(page(user), form(user, is_superuser="on", user_permissions=[right.pk], groups=[number("manager")]))
        user.refresh_from_db()
        assert not user.is_superuser
        assert not user.user_permissions.exists()


def test_a_manager_gives_and_takes_his_own_accounts_only(manager: Client, account: Account, second: Account) -> None:
    colleague = person("colleague", account)
    assert manager.post(page(colleague), form(colleague, second)).status_code == 200
    assert works_for(colleague) == {"demo"}
    stray = Membership.objects.create(user=person("stranger"), account=second)
    forged = form(colleague) | {"memberships-0-id": stray.pk, "memberships-0-account": account.pk}
    manager.post(page(colleague), forged)
    stray.refresh_from_db()
    assert (stray.user.username, stray.account) == ("stranger", second)
    manager.post(page(colleague), form(colleague, removed=account))
    assert works_for(colleague) == set()
    assert manager.get(page(colleague)).status_code == 302  # no colleague any more


def test_a_manager_sees_who_shares_an_account_with_him(manager: Client, account: Account, second: Account) -> None:
    shared, stranger, boss = (
        person("shared", account, second),
        person("stranger", second),
        User.objects.create_superuser("b"),
    )
    Membership.objects.create(user=boss, account=account)
    seen = {user.username for user in manager.get(LIST).context["cl"].queryset}
    assert seen == {"manager", "shared"}
    for user in (stranger, boss):
        for url in (page(user), password_page(user)):
            assert manager.get(url).status_code in (302, 404)
            assert manager.post(url, form(user)).status_code in (302, 404)
    for url in (LIST, page(shared)):
        assert "第二家" not in manager.get(url).content.decode()


def who_has_more(account: Account, second: Account) -> list[User]:
    """Colleagues who have what the manager of `demo` has not: an account, a group, a right, or a group while switched off."""
    keys = Group.objects.create(name="密钥组")
    keys.permissions.set(Permission.objects.filter(codename="add_apikey"))
    elsewhere, in_group, with_right, off = (
        person("elsewhere", account, second),
        person("in-group", account),
        person("with-right", account),
        person("off", account, is_active=False),
    )
    in_group.groups.add(keys)
    with_right.user_permissions.set(keys.permissions.all())
    off.groups.add(keys)
    return [elsewhere, in_group, with_right, off]


def test_a_manager_does_not_touch_the_login_of_somebody_who_has_more(
    manager: Client, account: Account, second: Account
) -> None:
    for user in who_has_more(account, second):
        before = (user.username, user.is_active, user.password, in_groups(user))
        text = manager.get(page(user)).content.decode()
        assert 'name="username" value' not in text
        assert password_page(user) not in text
        manager.post(page(user), form(user, username="taken", groups=[number("manager")]))
        assert manager.get(password_page(user)).status_code == 403
        new_password = {"password1": "Another-2026-pass", "password2": "Another-2026-pass", "usable_password": "true"}
        assert manager.post(password_page(user), new_password).status_code == 403
        user.refresh_from_db()
        assert (user.username, user.is_active, user.password, in_groups(user)) == before


def test_a_manager_takes_his_account_from_somebody_who_works_elsewhere_too(
    manager: Client, account: Account, second: Account
) -> None:
    shared = person("shared", account, second)
    own = Membership.objects.get(user=shared, account=account)
    sent = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1, "memberships-0-id": own.pk}
    sent |= {"memberships-0-account": account.pk, "memberships-0-user": shared.pk, "memberships-0-DELETE": "on"}
    assert manager.post(page(shared), sent).status_code == 302
    assert works_for(shared) == {"second"}


def test_a_manager_sets_the_password_of_a_colleague(manager: Client, account: Account) -> None:
    colleague = person("colleague", account, group="service")
    new_password = {"password1": "Another-2026-pass", "password2": "Another-2026-pass", "usable_password": "true"}
    assert manager.post(password_page(colleague), new_password).status_code == 302
    colleague.refresh_from_db()
    assert colleague.check_password("Another-2026-pass")


def test_who_is_removed_from_an_account_sees_it_no_more_at_once(account: Account, second: Account) -> None:
    user = person("colleague", account, second, group="editor")
    client = Client()
    client.force_login(user)
    rules = reverse("admin:wechat_account_change", args=[account.pk])
    assert client.get(rules).status_code == 200
    Membership.objects.filter(account=account).delete()
    assert client.get(rules).status_code == 302


def test_a_superuser_gives_any_account_and_any_group(staff: Client, account: Account, second: Account) -> None:
    user = person("colleague")
    right = Permission.objects.get(codename="add_apikey", content_type__app_label="wechat")
    user.user_permissions.add(right)
    sent = form(user, account, second, is_superuser="on", groups=[number("analyst")])
    assert staff.post(page(user), sent).status_code == 302
    user.refresh_from_db()
    assert user.is_superuser
    assert (works_for(user), in_groups(user)) == ({"demo", "second"}, {"分析"})
    assert not user.user_permissions.exists()  # what stands beside the groups can be taken here
