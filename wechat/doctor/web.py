"""Whether WeChat tells us who looks at a page: the domain that its console must know (网页授权域名)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from wechat import calls
from wechat.client.oauth import EXCHANGE
from wechat.conf import AccountConfig
from wechat.doctor.findings import Finding, good, warn
from wechat.doctor.machine import LOOPBACK
from wechat.explanations import explain_stored
from wechat.models import Account, ApiCall


def authorization(account: AccountConfig) -> Finding:
    """Nobody can ask the platform for the domain; whether somebody came back from its page, the log of calls says."""
    what, host = _("web authorization"), urlsplit(settings.PUBLIC_URL).hostname or ""
    if not Account.objects.get(pk=account.id).may_authorize:
        return good(what, _("This kind of account cannot ask people who they are; pages show a placeholder."))
    calls.flush()
    last = ApiCall.objects.filter(account_id=account.id, endpoint=EXCHANGE).order_by("-started_at").first()
    if last is None:
        return _never_used(what, host, entered=bool(account.get("wechat_verify_file_name")))
    explained = explain_stored(last.errcode, last.error) if last.failed else None
    if explained is None:
        return good(what, _("Somebody came back from WeChat's page, and we know who."))
    return warn(what, explained.title, explained.text())


def _never_used(what: str, host: str, *, entered: bool) -> Finding:
    if entered or host in LOOPBACK:  # the simulator asks for no domain
        return good(what, _("Nobody has come back from WeChat's page yet."))
    remedy = _(
        "In WeChat's console, under Settings and development → Account settings → Function settings, enter %(host)s as "
        "the domain for web authorization (网页授权域名). Copy name and content of the file it offers to the page of the "
        "account, under Web pages: it can be read at the root of the site then."
    )
    return warn(what, _("Nobody has come back from WeChat's page yet; is the domain entered?"), remedy % {"host": host})
