"""The words of the phone page's script, handed over as JSON: keys for the script, texts through gettext."""

from django.utils.translation import gettext as _


def phrases() -> dict[str, str]:
    """All texts the script shows, in the language in force."""
    return {**_phone_phrases(), **_bench_phrases(), **_fault_phrases(), **_journal_phrases()}


def _phone_phrases() -> dict[str, str]:
    return {
        "back": _("Back"),
        "close": _("Close"),
        "codeExpired": _("This code has expired"),
        "enter": _("Open the chat"),
        "expired": _("Expired"),
        "expiresIn": _("Expires in %(time)s"),
        "firstPerson": _("Take a phone in hand"),
        "follow": _("Follow"),
        "forward": _("Forward"),
        "framesRefused": _("This page does not allow to be shown inside the phone."),
        "hours": _("%(number)s h"),
        "menu": _("Menu"),
        "message": _("Message"),
        "minutes": _("%(number)s min"),
        "miniprogram": _("Mini program"),
        "more": _("More"),
        "nobody": _("Nobody has a phone in hand yet."),
        "noCodes": _("No codes yet. Create a quote on the site, then scan its code here."),
        "noMessages": _("No messages yet"),
        "noPage": _("This card leads nowhere"),
        "notFollowed": _("Not following"),
        "openTab": _("Open in a new tab"),
        "page": _("Page"),
        "pasteCode": _("Paste a code's address"),
        "permanent": _("Permanent"),
        "picture": _("Picture"),
        "place": _("Location"),
        "profile": _("Account profile"),
        "readMore": _("View details"),
        "recentCodes": _("Recent codes"),
        "scan": _("Scan"),
        "scannedCode": _("You scanned this account's code. Follow it to go on."),
        "seconds": _("%(number)s s"),
        "send": _("Send"),
        "serviceAccount": _("Service account"),
        "subscriptionAccount": _("Subscription account"),
        "transferred": _("Handed over to an agent"),
        "typing": _("Typing…"),
        "unfollow": _("Unfollow"),
        "voice": _("Voice"),
        "voiceSample": _("I would like a quote"),
        "wechat": _("WeChat"),
    }


def _bench_phrases() -> dict[str, str]:
    return {
        "blacklist": _("Block"),
        "blacklisted": _("blocked"),
        "buttons": _("%(number)s buttons"),
        "calls": _("API calls"),
        "clear": _("Clear"),
        "clearAll": _("Clear all"),
        "cleared": _("cleared"),
        "clockShifted": _("Clock shifted by %(seconds)s s"),
        "copies": _("Copies"),
        "fetchPeak": _("Fetches at once"),
        "follows": _("Following"),
        "kind": _("Kind"),
        "match": _("Path or event"),
        "messages": _("Messages"),
        "morePersons": _("and %(number)s more"),
        "mute": _("Mute"),
        "muted": _("muted"),
        "presetBusy": _("Busy (−1) three times"),
        "presetCopies": _("Push four times at once"),
        "presetDown": _("API down"),
        "presetExpired": _("Token expired"),
        "presetLate": _("Push 8 s late"),
        "presetLost": _("Answer lost after sending"),
        "presetRefuse": _("Refuse connections 15 s"),
        "presetRevoked": _("Token replaced (40001)"),
        "presetSlow": _("API 4 s slow"),
        "presetWindow": _("Window closed (45015)"),
        "pushes": _("Pushes"),
        "setFault": _("Set fault"),
        "times": _("How many times"),
        "tokenFetches": _("Token fetches"),
        "waitSeconds": _("Seconds"),
        "window_follow": _("follow"),
        "window_menu": _("menu"),
        "window_scan": _("scan"),
        "window_user_msg": _("message"),
    }


def _fault_phrases() -> dict[str, str]:
    return {
        "fault_bytes": _("Broken bytes"),
        "fault_close": _("Close before reading"),
        "fault_copies": _("Several copies at once"),
        "fault_cut": _("JSON cut off"),
        "fault_down": _("Down"),
        "fault_drop": _("Never arrives"),
        "fault_empty": _("Empty body"),
        "fault_errcode": _("Error code"),
        "fault_hang": _("Hang, then close"),
        "fault_html": _("HTML with status 200"),
        "fault_huge": _("50 MB answer"),
        "fault_late": _("Late"),
        "fault_list": _("JSON list"),
        "fault_lost": _("Answer lost after the effect"),
        "fault_redirect": _("Redirect to another host"),
        "fault_signature": _("Wrong signature"),
        "fault_slow": _("Slow"),
        "fault_status": _("HTTP status"),
        "fault_swap": _("Overtaken by the next"),
        "fault_timestamp": _("Old timestamp"),
        "fault_token": _("512-character token"),
    }


def _journal_phrases() -> dict[str, str]:
    return {
        "kind_call": _("call"),
        "kind_clock": _("clock"),
        "kind_code": _("code"),
        "kind_elsewhere": _("elsewhere"),
        "kind_fault": _("fault"),
        "kind_menu": _("menu"),
        "kind_message": _("message"),
        "kind_person": _("person"),
        "kind_push": _("push"),
        "kind_scan": _("scan"),
        "kind_typing": _("typing"),
        "outcome_accepted": _("accepted"),
        "outcome_dropped": _("dropped"),
        "outcome_failed": _("failed"),
        "outcome_reply": _("reply"),
        "outcome_waiting": _("waiting"),
    }
