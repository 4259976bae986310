"""The kinds of pushes in words. A kind nobody named here is shown as the platform calls it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: Mapping[str, str | Promise] = {
    "text": _("Text message"),
    "image": _("Picture"),
    "voice": _("Voice message"),
    "video": _("Video"),
    "shortvideo": _("Short video"),
    "location": _("Location"),
    "link": _("Link"),
    "file": _("File"),
    "miniprogrampage": _("Mini program card"),
    "subscribe": _("Followed"),
    "unsubscribe": _("Unfollowed"),
    "qr": _("Scanned a code"),
    "trace": _("Reported position"),
    "click": _("Menu: button"),
    "view": _("Menu: link"),
    "view_miniprogram": _("Menu: mini program"),
    "scancode_push": _("Menu: scan"),
    "scancode_waitmsg": _("Menu: scan and wait"),
    "pic_sysphoto": _("Menu: take a photo"),
    "pic_photo_or_album": _("Menu: photo or album"),
    "pic_weixin": _("Menu: WeChat album"),
    "location_select": _("Menu: choose a location"),
    "templatesendjobfinish": _("Template message delivered"),
    "masssendjobfinish": _("Broadcast finished"),
    "publishjobfinish": _("Publication finished"),
    "subscribe_msg_popup_event": _("Subscription notice: asked"),
    "subscribe_msg_change_event": _("Subscription notice: changed"),
    "subscribe_msg_sent_event": _("Subscription notice: sent"),
    "user_info_modified": _("Changed his personal information"),
    "user_authorization_revoke": _("Withdrew his authorization"),
    "user_authorization_cancellation": _("Closed his WeChat account"),
    "user_enter_tempsession": _("Opened customer service"),
    "kf_create_session": _("Customer service began"),
    "kf_close_session": _("Customer service ended"),
    "kf_switch_session": _("Customer service handed over"),
    "qualification_verify_success": _("Verification: qualification passed"),
    "qualification_verify_fail": _("Verification: qualification failed"),
    "naming_verify_success": _("Verification: name passed"),
    "naming_verify_fail": _("Verification: name failed"),
    "annual_renew": _("Verification: to be renewed"),
    "verify_expired": _("Verification: expired"),
}


def in_words(kind: str) -> str | Promise:
    """What `kind` (a Message's handle) is called here."""
    return KINDS.get(kind, kind)
