"""Connects an account step by step: enter it at WeChat, fetch a token, see what it may do, publish a first menu.

How far it is stands in the account's own row `wechat_setup_step`: one that is half connected is in the list like any other, and
is gone on with from there. Token and EncodingAESKey are made here; they are on the page of the second step and nowhere later.
"""

import secrets
import string
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import conf, menu_publishing, permissions, sightings, tokens
from wechat.admin import account_status, outcomes, pages, scope
from wechat.admin.wizard_forms import ConnectForm, MenuForm, SecretForm, reasons
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError
from wechat.explanations import explain_error
from wechat.models import Account, Menu

STEP = "wechat_setup_step"
CONSOLE, TOKEN, MENU, DONE = "console", "token", "menu", ""
TITLES = {
    "start": _("Account"),
    CONSOLE: _("WeChat's console"),
    TOKEN: _("Access token"),
    MENU: _("Menu"),
    DONE: _("Done"),
}
CREDENTIALS = frozenset({40001, 40013, 40125, 41004})
KEPT = 600  # seconds that the permissions found are shown
ALPHABET = string.ascii_letters + string.digits


@pages.ACCOUNTS.page(
    "connect_new", _("Connect an account"), icon="add_link", position=5, rights=("wechat.add_account",)
)
def start(request: HttpRequest, admin: Any) -> HttpResponse:
    """The first step: what WeChat's console says of the account. What was begun before can be gone on with."""
    form = ConnectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = _make(request, form)
        admin.log_addition(request, account, [{"added": {}}])
        return redirect(pages.ACCOUNTS.address("connect", account.pk))
    begun = pages.accounts(request).filter(rows__conf_name=STEP, rows__conf_value__gt=DONE)
    return _page(request, admin, "start", form=form, begun=begun)


@pages.ACCOUNTS.page("connect", _("Connect an account"), of_one=True)
def connect(request: HttpRequest, admin: Any, account: Account) -> HttpResponse:
    """The step at which the account is, and what is done at it."""
    step = _step(account)
    if request.method == "POST":
        do = _DEEDS.get((step, request.POST.get("do", "")))
        if do is None:
            return _again(account)
        return do(request, admin, account)
    return _shown(request, admin, account)


@pages.ACCOUNTS.page("connect_state", _("Connect an account"), of_one=True)
def state(request: HttpRequest, admin: Any, account: Account) -> HttpResponse:
    """Whether WeChat has called since the values were made; the page asks every two seconds."""
    begun = account.rows.filter(conf_name=STEP).values_list("updated_at", flat=True).first()
    since = begun - timedelta(seconds=1) if begun else account.created_at
    seen = sightings.last(account.pk, sightings.HANDSHAKE)
    if seen and seen.at >= since:
        return JsonResponse({"state": "seen", "text": gettext("WeChat has called, and everything fits.")})
    wrong = sightings.last(account.pk, sightings.SIGNATURE)
    if wrong and wrong.at >= since:
        text = gettext("WeChat called %(time)s ago from %(address)s with another token: copy the one above once more.")
        said = text % {"time": timesince(wrong.at), "address": wrong.address}
        return JsonResponse({"state": "wrong", "text": said})
    return JsonResponse({"state": "waiting", "text": gettext("Waiting for WeChat's call …")})


def _make(request: HttpRequest, form: ConnectForm) -> Account:
    asked = form.cleaned_data
    own = {name: asked[name] for name in ("slug", "name", "kind", "original_id")}
    with transaction.atomic():
        account = Account.objects.create(**own, mode=Account.Mode.SAFE)
        scope.join(request.user, account)
        conf.save(account, {**form.rows(), **_fresh_values(), STEP: CONSOLE})
    return account


def _fresh_values() -> dict[str, str]:
    """A token of 32 and a key of 43 letters and digits that nobody can guess."""
    # The last character of the key carries two bits that decode to nothing: some libraries refuse them set.
    key = "".join(secrets.choice(ALPHABET) for _number in range(42)) + secrets.choice("AEIMQUYcgkosw048")
    token = "".join(secrets.choice(ALPHABET) for _number in range(32))
    return {"public_wechat_token": token, "public_wechat_aes_key": key}


def _entered(_request: HttpRequest, _admin: Any, account: Account) -> HttpResponse:
    conf.save(account, {STEP: TOKEN})
    return _again(account)


def _anew(request: HttpRequest, _admin: Any, account: Account) -> HttpResponse:
    """Who has lost the values gets others; the old ones are shown no more."""
    conf.save(account, {**_fresh_values(), STEP: CONSOLE})
    messages.warning(request, gettext("There is a new token and a new key: enter both at WeChat."))
    return _again(account)


def _fetch(request: HttpRequest, admin: Any, account: Account) -> HttpResponse:
    form = SecretForm(request.POST)
    if not form.is_valid():
        return _shown(request, admin, account, secret=form)
    if rows := form.rows():
        conf.save(account, rows)
    config = _config(account)
    tokens.try_again(config)
    try:
        tokens.get(config)
    except CallFailed as error:
        again = SecretForm(initial={"appid": config.appid})
        wrong = isinstance(error, PlatformError) and error.code in CREDENTIALS
        return _shown(
            request, admin, account, failed=outcomes.shown(explain_error(error)), secret=again if wrong else None
        )
    conf.save(account, {STEP: MENU})
    _find_out(account)
    return _again(account)


def _permissions(_request: HttpRequest, _admin: Any, account: Account) -> HttpResponse:
    _find_out(account)
    return _again(account)


def _find_out(account: Account) -> None:
    found = permissions.find_out(_config(account), may_make_codes=account.may_make_codes)
    cache.set(_kept(account), [(one.ability.name, one.state.value, one.text) for one in found], KEPT)


def _publish(request: HttpRequest, admin: Any, account: Account) -> HttpResponse:
    form = MenuForm(request.POST)
    if not form.is_valid():
        return _shown(request, admin, account, menu=form)
    menu = Menu.objects.filter(account=account, is_default=True).first()
    menu = menu or Menu(account=account, is_default=True, name=gettext("Default menu"))
    menu.document = form.document()
    try:
        menu.save()
        menu_publishing.publish(menu, request.user)
    except ValidationError as error:
        return _shown(request, admin, account, menu=form, trouble=reasons(error))
    except CallFailed as error:
        return _shown(request, admin, account, menu=form, failed=outcomes.shown(explain_error(error)))
    conf.save(account, {STEP: DONE})
    messages.success(request, gettext("The menu is published."))
    return _again(account)


def _later(_request: HttpRequest, _admin: Any, account: Account) -> HttpResponse:
    conf.save(account, {STEP: DONE})
    return _again(account)


_DEEDS = {
    (CONSOLE, "entered"): _entered,
    (CONSOLE, "anew"): _anew,
    (TOKEN, "anew"): _anew,
    (TOKEN, "fetch"): _fetch,
    (MENU, "permissions"): _permissions,
    (MENU, "publish"): _publish,
    (MENU, "later"): _later,
}


def _shown(request: HttpRequest, admin: Any, account: Account, **context: Any) -> HttpResponse:
    step, config = _step(account), _config(account)
    more: dict[str, Any] = {"account": account}
    if step == CONSOLE:
        more |= {
            "copies": (
                (_("Server address (URL)"), account_status.callback_url(account)),
                (_("Token"), config.token),
                ("EncodingAESKey", config.get("public_wechat_aes_key")),
            ),
            "state_url": pages.ACCOUNTS.address("connect_state", account.pk),
        }
    if step == MENU:
        more |= {"abilities": _abilities(account), "menu": MenuForm()}
    return _page(request, admin, step, **{**more, **context})


def _abilities(account: Account) -> list[dict[str, Any]]:
    known = {ability.name: ability for ability in (*permissions.ABILITIES, permissions.CODES)}
    icons = {"ok": "check_circle", "warn": "block", "bad": "help"}
    return [
        {"ability": known[name], "state": state, "icon": icons[state], "text": text}
        for name, state, text in cache.get(_kept(account), [])
    ]


def _page(request: HttpRequest, admin: Any, step: str, **context: Any) -> HttpResponse:
    order = list(TITLES)
    steps = [
        {"title": TITLES[name], "here": name == step, "past": order.index(name) < order.index(step)} for name in order
    ]
    named = {"title": gettext("Connect an account"), "steps": steps, "step": step or "done"}
    return pages.render(request, admin, "connect.html", **named, **context)


def _again(account: Account) -> HttpResponse:
    return redirect(pages.ACCOUNTS.address("connect", account.pk))


def _config(account: Account) -> AccountConfig:
    conf.forget()
    return conf.account_by_id(account.pk)


def _step(account: Account) -> str:
    step = account.rows.filter(conf_name=STEP).values_list("conf_value", flat=True).first() or DONE
    return step if step in TITLES else DONE


def _kept(account: Account) -> str:
    return f"permissions:{account.pk}"
