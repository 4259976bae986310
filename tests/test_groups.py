"""Each group of staff sees and does exactly what it may, at its own accounts only: all pages of the admin, one after another.

TABLE says who may do what. A page that stands nowhere in it makes the walk fail: whoever adds one decides here who may open it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from callback import SECRET
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, OrderItem, PlanItem, PricePlan, Scan
from wechat import conf, groups
from wechat.admin.scope import ScopedRows, accounts_of
from wechat.admin.versions import moment_of
from wechat.models import (
    Account,
    ApiCall,
    ApiKey,
    Brand,
    ChannelCode,
    ChannelScan,
    Follower,
    Lease,
    Material,
    Membership,
    Menu,
    MessageTemplate,
    Notice,
    OutgoingMessage,
    Push,
    QRCode,
    Rule,
    SendJob,
    SyncRun,
    Tag,
    TokenRequest,
    UnansweredText,
)
from wechat.notifications import Template

ALL, NOBODY = "editor service analyst manager", ""
EDITS, SERVES, MANAGES = "editor manager", "service manager", "manager"
READS = "service analyst manager"


def records(who: str, **more: str) -> dict[str, str]:
    """The pages of what the program writes: seen by some, changed by nobody but through what `more` names."""
    seen = dict.fromkeys(("changelist", "view", "history"), who)
    return {**seen, **dict.fromkeys(("add", "change", "delete"), NOBODY), **more}


# Who may open which page, or use which action of a list. `view` is to look at a row, `change` to post its form.
TABLE: dict[str, dict[str, str]] = {
    "wechat.Account": records(
        ALL,
        add=MANAGES,
        change=EDITS,
        restore=EDITS,
        **dict.fromkeys(
            ("connect", "connect_new", "connect_state", "doctor", "quota", "security", "webpages", "webpages_sign"),
            MANAGES,
        ),
    ),
    "wechat.Rule": {
        **dict.fromkeys(("changelist", "view", "history", "preview", "try", "lint", "transfer", "export"), ALL),
        **dict.fromkeys(("add", "change", "delete", "restore", "switch", "import", "apply"), EDITS),
        **dict.fromkeys(("action switch_on", "action switch_off", "action delete_selected"), EDITS),
    },
    "wechat.Menu": {
        **dict.fromkeys(("changelist", "view", "history", "compare", "try_person"), ALL),
        **dict.fromkeys(("add", "change", "delete", "restore", "check", "fetch", "put_back"), EDITS),
        **dict.fromkeys(("publish", "delete_live", "action delete_selected"), EDITS),
    },
    "wechat.UnansweredText": records(
        ALL, put_this_aside=EDITS, **{"action put_aside": EDITS, "action take_back": EDITS}
    ),
    "wechat.QRCode": records(ALL),
    "wechat.ChannelCode": {
        **dict.fromkeys(("changelist", "view", "history", "posters", "code_png", "code_svg"), ALL),
        **dict.fromkeys(("add", "change", "delete", "restore", "batch", "make", "make_now"), EDITS),
        **dict.fromkeys(("switch_on", "switch_off", "action switch_on_chosen"), EDITS),
        **dict.fromkeys(("action switch_off_chosen", "action delete_selected"), EDITS),
        "action posters_of_chosen": ALL,
    },
    "wechat.ChannelScan": records(READS, export=READS),
    "wechat.Material": {
        **records(ALL, file=ALL, preview=ALL, library=ALL, at_wechat=ALL),
        **dict.fromkeys(("add", "change", "upload_again", "remove_material"), EDITS),
    },
    "wechat.Brand": records(ALL, shades=ALL, change=EDITS, restore=EDITS),  # each account has one already
    "wechat.SyncRun": records(READS, start_sync=SERVES, stop_sync=SERVES, go_on=SERVES),
    "wechat.Notice": records(ALL, put_away=SERVES),
    "wechat.Push": records(
        READS, rehearse=READS, as_test_file=READS, run_again=SERVES, **{"action run_chosen_again": SERVES}
    ),
    "wechat.OutgoingMessage": records(READS, send_once_more=SERVES, **{"action send_chosen_again": SERVES}),
    "wechat.ApiCall": records(READS),
    "wechat.TokenRequest": records(MANAGES),
    "wechat.Follower": records(
        READS,
        export=READS,
        conversation=READS,
        conversation_lines=READS,
        conversation_agents=READS,
        conversation_typing=SERVES,
        choose_tags=SERVES,
        send_template=SERVES,
        edit_remark=SERVES,
        block_person=SERVES,
        unblock_person=SERVES,
        export_person=SERVES,
        erase_person=SERVES,
        **{"action add_tag": SERVES, "action remove_tag": SERVES},
        **{"action block_chosen": SERVES, "action unblock_chosen": SERVES},
    ),
    "wechat.Tag": {
        **records(READS, make_at_wechat=SERVES),
        **dict.fromkeys(("add", "change", "delete", "action delete_selected"), SERVES),
    },
    "wechat.MessageTemplate": records(
        ALL, choose=SERVES, send=SERVES, preview=SERVES, synchronise=SERVES, send_it=SERVES
    ),
    "wechat.SendJob": records(READS, pause_job=SERVES, resume_job=SERVES, cancel_job=SERVES),
    "orders.Order": {
        **records(READS),
        **dict.fromkeys(("add", "change", "delete", "restore", "action delete_selected"), MANAGES),
        "tell_scanners": SERVES,
        **dict.fromkeys(("posters", "poster"), READS),
        "funnel": READS,  # the tables of the first page as files
    },
    "orders.Scan": records(READS, revoke=SERVES, remove_profile=SERVES),
    "orders.PricePlan": {
        **records(ALL),
        **dict.fromkeys(("add", "change", "delete", "restore", "action delete_selected"), MANAGES),
    },
    "auth.User": records(
        MANAGES, add=MANAGES, change=MANAGES, password_change=MANAGES, sign_out=NOBODY, reset_factor=NOBODY
    ),
    # What belongs to no account is for superusers.
    "auth.Group": records(NOBODY),
    "wechat.ApiKey": records(NOBODY, revoke=NOBODY, rotate=NOBODY),
    "axes.AccessLog": records(NOBODY),
    "axes.AccessAttempt": records(NOBODY),
}
# Pages of the site itself, open to all staff, that show no rows: a new one has to be looked at.
OF_THE_SITE = {
    *("index", "login", "logout", "password_change", "password_change_done", "app_list", "jsi18n", "search"),
    *("autocomplete", "view_on_site"),  # these two show rows: see the tests below
}
DELETING = "action delete_selected"
YES = {"_form_submitted": "True", "post": "yes"}  # what the dialogs and the page before a deletion send
MARK = "别家机密"  # in every text of the foreign account


def known_pages(model: type[Model], page: Any) -> dict[str, Any]:
    """The pages of a ModelAdmin by name, with their patterns; its actions; and the view of a row beside its change."""
    prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
    found = {url.name.removeprefix(prefix): url.pattern for url in page.get_urls() if url.name}
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    return {**found, "view": found["change"], **{f"action {name}": None for name in page.get_actions(request)}}


def test_every_page_of_the_admin_stands_in_the_table(db: None) -> None:
    for model, page in admin.site._registry.items():
        label = model._meta.label
        assert label in TABLE, f"{label} is new in the admin: add it to TABLE in tests/test_groups.py"
        new = known_pages(model, page).keys() - TABLE[label].keys() - {DELETING}
        assert not new, f"{label} has new pages or actions: say in TABLE of tests/test_groups.py who may use {new}"
    names = {getattr(url, "name", None) for url in admin.site.get_urls()} - {None}
    of_models = {url.name for page in admin.site._registry.values() for url in page.get_urls()}
    assert names - of_models == OF_THE_SITE


def test_every_page_of_the_admin_is_scoped() -> None:
    for model, page in admin.site._registry.items():
        assert isinstance(page, ScopedRows), (
            f"the ModelAdmin of {model._meta.label} needs ScopedAdmin as its first base"
        )


@pytest.fixture
def other(account: Account) -> Account:
    """An account that somebody else works for."""
    other = Account.objects.create(slug="other", name=f"账号{MARK}")
    conf.save(other, {"public_wechat_appid": "wxother0123456789", "public_wechat_token": "the-others-token"})
    return other


def rows_of(account: Account, mark: str) -> dict[str, Model]:
    """One row of everything that belongs to an account, by the model's name; `mark` stands in every text."""
    order = with_history(Order(account=account, orderid=900 + account.pk, customer=f"客户{mark}", total_money=1))
    OrderItem.objects.create(order=order, name=f"水电{mark}", amount=1)
    plan = with_history(PricePlan(account=account, name=f"套餐{mark}", price=1, market_price=2))
    PlanItem.objects.create(plan=plan, name=f"设计{mark}", amount=1, market_amount=2)
    rows = [*configured(account, mark), order, plan, *came_and_went(account, mark), *people(account, mark)]
    rows += [*templates(account, mark), *scanned(order, mark), *channels(account, mark)]
    return {row._meta.label: row for row in rows}


def with_history(row: Any) -> Any:
    """The row, saved twice: an hour ago and now."""
    row._history_date = timezone.now() - timedelta(hours=1)
    row.save()
    del row._history_date
    row.save()
    return row


def configured(account: Account, mark: str) -> list[Model]:
    """The account with two versions of its texts, its rule, menu and file."""
    account._history_date = timezone.now() - timedelta(hours=1)  # type: ignore[attr-defined]
    conf.save(account, {"wechat_welcome_text": f"欢迎{mark}"})
    account.rows.model.history.update(history_date=timezone.now() - timedelta(hours=1))
    conf.save(account, {"wechat_welcome_text": f"您好{mark}"})
    rule = Rule(account=account, name=f"规则{mark}", keywords=[], answers=[{"kind": "text", "content": mark}])
    files = {"file": ContentFile(b"x", "a.png"), "preview": ContentFile(b"x", "a.jpg")}
    return [
        account,
        with_history(rule),
        with_history(Menu(account=account, name=f"菜单{mark}")),
        with_history(Brand(account=account, colour="#128552")),
        Material.objects.create(account=account, kind="image", name=f"图片{mark}", **files),
    ]


def came_and_went(account: Account, mark: str) -> list[Model]:
    """What came from WeChat and what went there."""
    mine: dict[str, Any] = {"account": account}
    now, openid = timezone.now(), openid_of(account)
    came = {"received_at": now, "openid": openid, "kind": "text", "raw": f"<xml>{mark}</xml>", "state": "failed"}
    went = {"openid": openid, "purpose": "reply", "about": mark, "content": {"kind": "text", "content": mark}}
    until = {"created_at": now, "due_at": now, "expires_at": now + timedelta(hours=1)}
    notice = {"kind": "naming_verify_fail", "level": "danger", "data": {"failreason": mark}, "created_at": now}
    called = {"endpoint": f"/{mark}", "method": "GET", "started_at": now, "milliseconds": 1}
    asked = {"key_name": f"程序{mark}", "key_prefix": "k", "kind": "read", "hour": now, "last_at": now}
    return [
        Push.objects.create(**mine, key=openid, **came),
        OutgoingMessage.objects.create(**mine, **went, **until, state="given_up"),
        Notice.objects.create(**mine, **notice),
        ApiCall.objects.create(**mine, **called, errcode=-1, failed=True, error=mark),
        TokenRequest.objects.create(**mine, **asked),
        UnansweredText.objects.create(**mine, text=f"问{mark}", count=3, first_at=now, last_at=now),
    ]


def people(account: Account, mark: str) -> list[Model]:
    """A colleague, a follower, a tag and the run that read them."""
    mine: dict[str, Any] = {"account": account}
    now = timezone.now()
    user = User.objects.create_user(f"user-{account.slug}", last_name=f"同事{mark}", is_staff=True)
    Membership.objects.create(user=user, account=account)
    seen = {"first_seen": now, "last_seen": now}
    return [
        user,
        Follower.objects.create(**mine, openid=openid_of(account), nickname=f"粉丝{mark}", **seen),
        Tag.objects.create(**mine, name=f"标签{mark}"),
        SyncRun.objects.create(**mine, started_at=now, due_at=now, state="failed", error=mark),
    ]


def templates(account: Account, mark: str) -> list[Model]:
    """A template and a job that sends it."""
    mine: dict[str, Any] = {"account": account}
    now, number = timezone.now(), openid_of(account)
    template = MessageTemplate.objects.create(
        **mine, template_id=number, title=f"模板{mark}", content="项目:{{thing1.DATA}}", synced_at=now
    )
    content = Template(number, {"thing1": mark}).stored()
    job = {"name": f"群发{mark}", "audience": {"kind": "followers"}, "content": content, "created_at": now}
    return [template, SendJob.objects.create(**mine, template=template, **job)]


def scanned(order: Order, mark: str) -> list[Model]:
    """A code and its scan."""
    mine: dict[str, Any] = {"account": order.account}
    now, openid = timezone.now(), openid_of(order.account)
    push = Push.objects.get(account=order.account)
    scan = {"push_id": push.pk, "order": order, "openid": openid, "scene": mark or "1", "kind": "scan"}
    return [
        QRCode.objects.create(**mine, scene=f"码{mark}", ticket=f"t{mark}", url="u", created_at=now),
        Scan.objects.create(**mine, **scan, scanned_at=now),
    ]


def channels(account: Account, mark: str) -> list[Model]:
    """A channel code and a scan of it."""
    code = with_history(ChannelCode(account=account, name=f"渠道{mark}", scene=f"c{mark}", campaign=f"活动{mark}"))
    scan = {"push_id": Push.objects.get(account=account).pk, "openid": openid_of(account), "scanned_at": timezone.now()}
    return [code, ChannelScan.objects.create(account=account, code=code, **scan)]


def openid_of(account: Account) -> str:
    """The one person of that account."""
    return f"o{account.slug:0>27}"


def rows_of_nobody() -> dict[str, Model]:
    """One row of everything that belongs to no account."""
    key, _secret = ApiKey.objects.create_key(name=MARK, scopes=["quotes:read"])
    log = {"ip_address": "10.1.1.1", "username": MARK, "user_agent": "x", "http_accept": "x", "path_info": "/"}
    failed = AccessAttempt.objects.create(**log, failures_since_start=1)
    powerful = Group.objects.create(name=MARK)
    powerful.permissions.set(Permission.objects.filter(codename="add_apikey"))
    rows: list[Model] = [key, powerful, AccessLog.objects.create(**log), failed]
    return {row._meta.label: row for row in rows}


def member(code: str, *accounts: Account) -> User:
    """Somebody of this group who works for these accounts."""
    user = User.objects.create_user(f"a-{code or 'nobody'}", is_staff=True, password="a-good-password")
    user.groups.set(Group.objects.filter(name=groups.NAMES.get(code)))
    for account in accounts:
        Membership.objects.create(user=user, account=account)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class Step:
    """What one request did: whether it was refused, and whether a statement wrote anything."""

    refused = wrote = False

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        self.wrote |= not sql.startswith(("SELECT ", "SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO "))
        return execute(sql, params, many, context)


class Walk:
    """One person's way through every page. Whatever he causes is rolled back after each step."""

    def __init__(self, user: User, own: dict[str, Model], foreign: dict[str, Model]) -> None:
        self.user, self.own, self.foreign = user, own, foreign
        self.client = signed_in(user)
        self.own_then, self.foreign_then = self.own_now(), stored(foreign)

    def allowed(self) -> dict[str, set[str]]:
        """The pages and actions that he may use at his own account."""
        return {
            model._meta.label: {
                name for name, pattern in known_pages(model, page).items() if self.may(model, name, pattern)
            }
            for model, page in admin.site._registry.items()
        }

    def may(self, model: type[Model], name: str, pattern: Any) -> bool:
        label = model._meta.label
        if pattern is None:
            return self.action(model, name.removeprefix("action "))
        if not pattern.regex.groups and "<" not in str(pattern):
            return self.opens(model, name)
        if label in self.foreign:
            assert not self.opens(model, name, self.foreign[label]), f"{label} {name}: a foreign row"
        return label in self.own and self.opens(model, name, self.own[label])

    def opens(self, model: type[Model], name: str, row: Model | None = None) -> bool:
        """Whether one of the two ways to ask for a page is answered; a refused one must not have done anything."""
        url = address(model, "change" if name == "view" else name, row)
        ways = {"view": ["get"], "changelist": ["get"], "history": ["get"], "change": ["post"], "delete": ["post"]}
        done = [self.ask(way, url) for way in ways.get(name, ["get", "post"])]
        return any(done)

    def ask(self, way: str, url: str, data: dict[str, Any] | None = None) -> bool:
        with self.step() as seen:
            response = getattr(self.client, way)(url, (YES if data is None else data) if way == "post" else {})
            text = b"".join(response.streaming_content) if response.streaming else response.content
            assert MARK not in text.decode(), f"{way} {url} shows something of a foreign account"
            away = response.status_code == 302 and response.headers["Location"] == reverse("admin:index")
            seen.refused = away or response.status_code in (403, 404, 405)
        return not seen.refused

    def action(self, model: type[Model], name: str) -> bool:
        """Whether the list offers the action. He sends it in any case, for his own row and for the foreign one."""
        request = RequestFactory().get("/")
        request.user = self.user
        offered = name in admin.site._registry[model].get_actions(request)
        for rows in (self.own, self.foreign):
            if model._meta.label in rows:
                with self.step() as seen:
                    chosen = {"action": name, "_selected_action": [rows[model._meta.label].pk], **YES}
                    self.client.post(address(model, "changelist"), chosen)
                    seen.refused = not offered
        return offered

    @contextmanager
    def step(self) -> Iterator[Any]:
        seen = Step()
        with transaction.atomic():
            with connection.execute_wrapper(seen):
                yield seen
            if seen.wrote:  # comparing costs more than most requests
                assert stored(self.foreign) == self.foreign_then, "a foreign row was changed"
                assert not seen.refused or self.own_now() == self.own_then, "a refused request has changed something"
            transaction.set_rollback(True)
        conf.forget()

    def own_now(self) -> list[Any]:
        """His rows as they stand, and how many there are of everything."""
        counts = [model._default_manager.count() for model in (*admin.site._registry, Membership, OrderItem)]
        texts = list(self.own["wechat.Account"].rows.values())  # type: ignore[attr-defined]
        return [*stored(self.own), counts, texts]


def stored(rows: dict[str, Model]) -> list[Any]:
    return [type(row)._default_manager.filter(pk=row.pk).values().first() for row in rows.values()]


def address(model: type[Model], name: str, row: Any = None) -> str:
    extra: tuple[Any, ...] = ()
    if row is not None and name == "restore":
        history = row.rows.model.history.filter(account=row) if model is Account else row.history.all()
        extra = (moment_of(history.last().history_date),)
    elif name == "switch":
        extra = ("off",)
    prefix = f"{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"admin:{prefix}_{name}", args=(row.pk, *extra) if row is not None else ())


@pytest.mark.parametrize("code", groups.NAMES)
def test_a_group_sees_and_does_exactly_what_it_may(code: str, account: Account, other: Account) -> None:
    own, foreign = rows_of(account, "甲"), {**rows_of(other, MARK), **rows_of_nobody()}
    allowed = Walk(member(code, account), own, foreign).allowed()
    expected = {
        model._meta.label: {name for name, who in TABLE[model._meta.label].items() if code in who.split()}
        for model in admin.site._registry
    }
    assert allowed == expected


@pytest.mark.parametrize("code", [*groups.NAMES, ""])
def test_who_works_for_no_account_or_is_in_no_group_sees_nothing(code: str, account: Account, other: Account) -> None:
    everything = {**rows_of(account, MARK), **rows_of(other, MARK), **rows_of_nobody()}
    user = member(code) if code else member(code, account)
    client = signed_in(user)
    for model in admin.site._registry:
        for name, row in (("changelist", None), ("add", None), ("change", everything[model._meta.label])):
            assert client.get(address(model, name, row)).status_code == 403, (model, name)
    front = client.get(reverse("admin:index"))
    assert front.context["facts"] == []
    assert MARK not in front.content.decode()


# What a group finds on a page, and what it forges.


def texts(**changes: str) -> dict[str, str]:
    """The part of the account's form that an editor has."""
    return {"wechat_message_title": "", "wechat_message_brief": "", "wechat_qr_expire_seconds": "", **changes}


def test_an_editor_changes_texts_and_nothing_else_of_an_account(account: Account) -> None:
    client, page = signed_in(member("editor", account)), address(Account, "change", account)
    form = client.get(page).content.decode()
    assert 'name="wechat_welcome_text"' in form
    for name in ("public_wechat_appsecret", "public_wechat_appid", "mode", "clear_public_wechat_aes_key_previous"):
        assert f'name="{name}"' not in form
    forged = {
        "public_wechat_appsecret": "forged-0123456789",
        "public_wechat_appid": "wxforged0123456789",
        "mode": "safe",
    }
    removed = {"clear_public_wechat_aes_key_previous": "on", "kind": "test", "slug": "taken", "name": "别名"}
    before = Account.objects.values().get()
    assert client.post(page, texts(wechat_welcome_text="您好", **forged, **removed)).status_code == 302
    rows = {row.conf_name: conf.open_row(row) for row in account.rows.all()}
    assert rows["wechat_welcome_text"] == "您好"
    assert rows["public_wechat_appsecret"] == SECRET
    assert rows["public_wechat_aes_key_previous"]
    assert rows["public_wechat_appid"] != "wxforged0123456789"
    assert Account.objects.values().get() == {**before, "stamp": Account.objects.get().stamp}


def test_a_manager_changes_the_secrets_of_his_account(account: Account) -> None:
    client = signed_in(member("manager", account))
    own = {"name": "示例", "kind": "verified_service", "delivery": "", "mode": "plain", "original_id": ""}
    rows = {"public_wechat_appid": "wxnew0123456789", "public_wechat_token_call": "stable"}
    client.post(
        address(Account, "change", account), texts(**own, **rows, public_wechat_appsecret="new-secret-0123456789")
    )
    stored_rows = {row.conf_name: conf.open_row(row) for row in account.rows.all()}
    assert stored_rows["public_wechat_appsecret"] == "new-secret-0123456789"


def test_who_makes_an_account_works_for_it(account: Account) -> None:
    user = member("manager", account)
    own = {"slug": "second", "kind": "test", "delivery": "", "mode": "plain", "public_wechat_token_call": "stable"}
    secrets = {"public_wechat_appid": "wxnew0123456789", "public_wechat_appsecret": "secret-0123456789"}
    client = signed_in(user)
    client.post(reverse("admin:wechat_account_add"), texts(**own, **secrets, public_wechat_token="token-0123456789"))
    second = Account.objects.get(slug="second")
    assert client.get(address(Account, "change", second)).status_code == 200


@pytest.mark.parametrize("model", [Rule, Tag, Order], ids=lambda model: model.__name__)
def test_nobody_makes_something_at_a_foreign_account(model: Any, account: Account, other: Account) -> None:
    client = signed_in(member("manager", account))
    form = {
        "name": "新",
        "account": other.pk,
        "total_money": "1",
        "saved_money": "0",
        "keywords": "[]",
        "answers": "[]",
    }
    form |= {"priority": "0", "choice": "all"} | dict.fromkeys(("items-TOTAL_FORMS", "items-INITIAL_FORMS"), "0")
    page = client.post(address(model, "add"), form)
    assert page.status_code == 200
    assert "account" in page.context["adminform"].form.errors
    assert not model.objects.exists()


def test_a_row_cannot_be_moved_to_a_foreign_account(account: Account, other: Account) -> None:
    rule = Rule.objects.create(account=account, name="规则", answers=[{"kind": "text", "content": "好"}])
    form = {"name": "规则", "account": other.pk, "keywords": "[]", "answers": "[]", "priority": "0", "choice": "all"}
    signed_in(member("manager", account)).post(address(Rule, "change", rule), form)
    assert Rule.objects.get().account == account


def test_filters_and_forms_offer_own_accounts_only(account: Account, other: Account) -> None:
    third = Account.objects.create(slug="third", name="第三家")
    client = signed_in(member("manager", account, third))
    for url in (address(Rule, "add"), address(Rule, "changelist"), address(Push, "changelist"), address(Order, "add")):
        text = client.get(url).content.decode()
        assert "第三家" in text
        assert MARK not in text


def test_rows_of_several_accounts_stand_together(account: Account, other: Account) -> None:
    for number, owner in enumerate((account, other)):
        Tag.objects.create(account=owner, name=f"标签{number}")
    for accounts, expected in (((account,), 1), ((account, other), 2)):
        client = signed_in(User.objects.filter(username="a-service").first() or member("service"))
        Membership.objects.all().delete()
        for one in accounts:
            Membership.objects.create(user=User.objects.get(username="a-service"), account=one)
        assert client.get(address(Tag, "changelist")).context["cl"].queryset.count() == expected


def test_a_search_by_openid_stays_within_the_own_accounts(account: Account, other: Account) -> None:
    foreign = rows_of(other, MARK)["wechat.Push"]
    client = signed_in(member("service", account))
    for model in (Push, OutgoingMessage, Follower, Scan):
        found = client.get(address(model, "changelist"), {"q": foreign.openid})  # type: ignore[attr-defined]
        assert not found.context["cl"].queryset.exists()


def test_the_first_page_speaks_of_the_own_accounts_only(account: Account, other: Account) -> None:
    rows_of(other, MARK)
    OutgoingMessage.objects.update(state="set_aside")
    Lease.objects.create(name=f"circuit:{other.pk}", until=timezone.now() + timedelta(hours=1))
    facts = signed_in(member("service", account)).get(reverse("admin:index")).context["facts"]
    assert len(facts) == 6
    assert not [fact for fact in facts if fact.level in ("bad", "warning") and fact.title != "工作进程"]
    theirs = signed_in(member("analyst", other)).get(reverse("admin:index")).context["facts"]
    bad = {fact.title for fact in theirs if fact.level == "bad"}
    assert len(bad) == 4  # no worker, the open circuit, the failed push and the message set aside
    assert str(other) in bad


def test_choices_that_load_while_typing_are_of_the_own_accounts(account: Account, other: Account) -> None:
    rows_of(other, MARK)
    names = {"app_label": "wechat", "model_name": "rule", "field_name": "account", "term": ""}
    answer = signed_in(member("editor", account)).get(reverse("admin:autocomplete"), names)
    assert [result["id"] for result in answer.json()["results"]] == [str(account.pk)]
    foreign = {**names, "app_label": "orders", "model_name": "scan", "field_name": "order"}
    assert signed_in(member("service")).get(reverse("admin:autocomplete"), foreign).status_code == 403


def test_no_page_leads_from_a_number_to_a_visitors_page(account: Account, order: Order, staff: Client) -> None:
    """Django's view_on_site does, for everybody who may sign in; the address of a quote is its key."""
    kind = ContentType.objects.get_for_model(Order)
    assert staff.get(reverse("admin:view_on_site", args=[kind.pk, order.pk])).status_code == 404


# The groups themselves.


def test_the_groups_have_the_rights_that_are_granted(db: None) -> None:
    for code, name in groups.NAMES.items():
        rights = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
        assert {f"{label}.{codename}" for label, codename in rights} == groups.rights_of(code)


def test_a_migration_sets_the_groups_right_again(db: None) -> None:
    editor = Group.objects.get(name=groups.NAMES["editor"])
    own = Group.objects.create(name="门店")
    own.permissions.set(Permission.objects.filter(codename="view_push"))
    editor.permissions.set(Permission.objects.filter(codename__in=("add_apikey", "view_rule")))
    for _time in range(2):
        call_command("migrate", verbosity=0)
    rights = {f"{right.content_type.app_label}.{right.codename}" for right in editor.permissions.all()}
    assert rights == groups.rights_of("editor")
    assert Group.objects.count() == len(groups.NAMES) + 1
    assert own.permissions.get().codename == "view_push"


def test_the_programs_own_groups_cannot_be_changed_by_hand(staff: Client, db: None) -> None:
    editor = Group.objects.get(name=groups.NAMES["editor"])
    assert staff.get(address(Group, "change", editor)).status_code == 200
    assert staff.post(address(Group, "change", editor), {"name": "x"}).status_code == 403
    assert staff.post(address(Group, "delete", editor), {"post": "yes"}).status_code == 403
    staff.post(address(Group, "changelist"), {"action": "delete_selected", "_selected_action": [editor.pk], **YES})
    assert Group.objects.filter(pk=editor.pk).exists()


def test_the_accounts_of_a_person_are_asked_for_once(account: Account, django_assert_num_queries: Any) -> None:
    user = member("editor", account)
    with django_assert_num_queries(1):
        assert accounts_of(user) == accounts_of(user) == {account.pk}


def test_a_superuser_works_for_all_accounts_while_he_is_active(account: Account) -> None:
    boss = User.objects.create_superuser("boss")
    assert accounts_of(boss) is None
    boss.is_active = False
    assert accounts_of(boss) == frozenset()


@pytest.mark.parametrize("page", ["try", "lint", "transfer", "export"])
def test_the_pages_around_the_rules_know_no_foreign_account(page: str, account: Account, other: Account) -> None:
    rows_of(other, MARK)
    client = signed_in(member("manager", account))
    for ask in (client.get, client.post):
        answer = ask(
            f"{reverse(f'admin:wechat_rule_{page}')}?account={other.pk}", {"account": other.pk, "kind": "text"}
        )
        assert MARK not in answer.content.decode()
