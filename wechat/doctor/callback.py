"""The way from the platform to us: the account's rows, a handshake with ourselves, what was refused, the encryption."""

import ipaddress
import secrets
import time
from datetime import datetime
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from wechat import client, crypto, sightings
from wechat.conf import AccountConfig
from wechat.crypto import CryptoError
from wechat.doctor.findings import Finding, bad, good, warn
from wechat.doctor.machine import SELF_SECONDS
from wechat.errors import CallFailed
from wechat.models import Push
from wechat.registry import ROWS
from wechat.sightings import Sighting

NEEDED = ("public_wechat_appid", "public_wechat_appsecret", "public_wechat_token")


def rows(account: AccountConfig) -> Finding:
    """Everything is entered."""
    missing = [str(ROWS[name].label) for name in NEEDED if not account.get(name)]
    if account.mode != "plain" and not account.aes_keys:
        missing.append("EncodingAESKey")
    if not missing:
        return good(_("settings"))
    return bad(_("settings"), _("Something is missing."), _("Enter: %s") % ", ".join(missing))


def handshake(account: AccountConfig) -> Finding:
    """Call our own callback as the platform would, at the address it would use, and say what does not fit."""
    what, echostr = _("callback"), f"{sightings.OURS}{secrets.token_hex(8)}"
    try:
        response = requests.get(_address(account, echostr), timeout=SELF_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        reason = {"url": settings.PUBLIC_URL, "reason": type(error).__name__}
        text = _("The address does not work: %(url)s cannot be reached from here (%(reason)s).") % reason
        return bad(what, text, _("Is the site running, is PUBLIC_URL right?"))
    if response.status_code == 200 and response.text == echostr:
        return good(what, _("Address, token and signature fit."))
    return _misfit(what, response)


def _address(account: AccountConfig, echostr: str) -> str:
    timestamp, nonce = str(int(time.time())), secrets.token_hex(4)
    signature = crypto.sign(account.token, timestamp, nonce)
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echostr}
    return f"{settings.PUBLIC_URL}{reverse('callback', args=[account.slug])}?{urlencode(query)}"


def _misfit(what: str, response: requests.Response) -> Finding:
    status = response.status_code
    if status == 403:
        text = _("The address works, but the token does not fit: what answers there knows another one.")
        return bad(
            what, text, _("Does PUBLIC_URL lead to another installation, or to a process that must be restarted?")
        )
    if status == 200:
        text = _("The address works and the signature fits, but the answer is not the echostr alone.")
        return bad(what, text, _("Something between changes the answer: look at the proxy."))
    text = _("The address is not ours: it answered %d instead of the echostr.") % status
    return bad(what, text, _("Does a proxy redirect or change the address?"))


def refused(account: AccountConfig) -> Finding:
    """What the last refused pushes were: the token here and the one in the platform's console may differ."""
    what = _("signatures of pushes")
    wrong, accepted = sightings.last(account.id, sightings.SIGNATURE), _last_accepted(account)
    if wrong is None:
        return good(what, _("None was refused lately."))
    if accepted and accepted > wrong.at:
        return good(what, _("Since the last refusal others have fitted."))
    text = _("The last push, %(time)s ago from %(address)s, was refused: its signature was made with another token.")
    told = text % {"time": timesince(wrong.at), "address": wrong.address}
    remedy = _("Enter the same token (令牌) here and in WeChat's console, under Settings and development.")
    return {
        True: bad(what, told, remedy),
        False: good(what, _("A stranger tried it from %s, and was refused.") % wrong.address),
        None: warn(what, told, remedy),
    }[_is_platform(account, wrong)]


def _is_platform(account: AccountConfig, seen: Sighting) -> bool | None:
    """Whether the platform pushes from this address; None where that cannot be told."""
    try:
        address = ipaddress.ip_address(seen.address)
        known = [ipaddress.ip_network(entry, strict=False) for entry in client.callback_addresses(account)]
    except (ValueError, CallFailed):
        return None
    if any(address in network for network in known):
        return True
    return None if address.is_private else False  # a private address is that of a proxy of ours


def _last_accepted(account: AccountConfig) -> datetime | None:
    """When the last thing came whose signature was right."""
    pushed = Push.objects.filter(account_id=account.id).order_by("-pk").values_list("received_at", flat=True).first()
    shaken = sightings.last(account.id, sightings.HANDSHAKE)
    return max((moment for moment in (pushed, shaken.at if shaken else None) if moment), default=None)


def encryption(account: AccountConfig) -> Finding:
    """The key encrypts and decrypts, and it is the platform's."""
    what = _("encryption")
    if not account.aes_keys:
        text = _("Pushes come unencrypted.")
        return warn(what, text, _("Choose the safe mode in WeChat's console and here, and enter the EncodingAESKey."))
    if trouble := _round_trip(account):
        return bad(what, trouble, _("Enter the EncodingAESKey again, as it stands in WeChat's console."))
    pushed = Push.objects.filter(account_id=account.id, encrypted=True).order_by("-pk")
    opened = pushed.values_list("received_at", flat=True).first()
    if (shut := sightings.last(account.id, sightings.KEY)) and not (opened and opened > shut.at):
        text = _("The last encrypted push, %s ago, could not be decrypted.") % timesince(shut.at)
        return bad(what, text, _("Enter the EncodingAESKey and AppID again, as they stand in WeChat's console."))
    accepted = pushed.model._default_manager.filter(account_id=account.id).order_by("-pk")
    newest = accepted.values_list("received_at", flat=True).first()
    if (plain := sightings.last(account.id, sightings.PLAIN)) and not (newest and newest > plain.at):
        text = _("The account is in safe mode here, but WeChat pushed unencrypted %s ago.") % timesince(plain.at)
        return bad(what, text, _("Choose the same mode in WeChat's console and on the page of the account."))
    return good(what)


def _round_trip(account: AccountConfig) -> str:
    """What goes wrong when a message is encrypted and opened again; empty for nothing."""
    message = secrets.token_hex(8)
    try:
        sealed = crypto.encrypt(message, aes_key=account.aes_keys[0], appid=account.appid)
        opened = crypto.decrypt(sealed, aes_key=account.aes_keys[0], appid=account.appid)
    except CryptoError as error:
        return str(error)
    return "" if opened == message else _("What was encrypted does not come back the same.")
