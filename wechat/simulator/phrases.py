"""The words of the phone page's script, handed over as JSON: keys for the script, texts through gettext."""

from django.utils.translation import gettext as _


def phrases() -> dict[str, str]:
    """All texts the script shows, in the language in force."""
    phone = {**_screen_phrases(), **_sharing_phrases(), **_button_phrases(), **_message_phrases()}
    return {**phone, **_bench_phrases(), **_fault_phrases(), **_journal_phrases()}


def _screen_phrases() -> dict[str, str]:
    """What else stands on its screens: codes, people, how long and how often something is allowed."""
    return {
        "barcode": _("A barcode"),
        "codeExpired": _("This code has expired"),
        "details": _("Details"),
        "expired": _("Expired"),
        "expiresIn": _("Expires in %(time)s"),
        "firstPerson": _("Take a phone in hand"),
        "framesRefused": _("This page does not allow to be shown inside the phone."),
        "hours": _("%(number)s h"),
        "minutes": _("%(number)s min"),
        "nobody": _("Nobody has a phone in hand yet."),
        "noCodes": _("No codes yet. Create a quote on the site, then scan its code here."),
        "noMessages": _("No messages yet"),
        "noPage": _("This card leads nowhere"),
        "notFollowed": _("Not following"),
        "noticeAlways": _("allowed for all"),
        "noticeLeft": _("allowed: %(number)s"),
        "noticeNone": _("not allowed"),
        "permanent": _("Permanent"),
        "profile": _("Account profile"),
        "recentCodes": _("Recent codes"),
        "scanPlaceholder": _("What the camera sees"),
        "scanWhat": _("What is scanned?"),
        "scannedCode": _("You scanned this account's code. Follow it to go on."),
        "seconds": _("%(number)s s"),
        "serviceAccount": _("Service account"),
        "subscriptionAccount": _("Subscription account"),
        "wechat": _("WeChat"),
    }


def _sharing_phrases() -> dict[str, str]:
    """What is said when a page is passed on to a friend."""
    return {
        "fromFriend": _("From %(name)s"),
        "newFriend": _("Somebody new"),
        "sendTo": _("Send to a friend"),
        "sentTo": _("Sent to %(name)s"),
        "share": _("Share"),
    }


def _button_phrases() -> dict[str, str]:
    """What is pressed on the phone."""
    return {
        "album": _("Album"),
        "allow": _("Allow"),
        "back": _("Back"),
        "cancel": _("Cancel"),
        "choosePlace": _("Choose a place"),
        "close": _("Close"),
        "enter": _("Open the chat"),
        "follow": _("Follow"),
        "forward": _("Forward"),
        "menu": _("Menu"),
        "more": _("More"),
        "openMiniprogram": _("Open the mini program"),
        "openTab": _("Open in a new tab"),
        "pasteCode": _("Paste a code's address"),
        "photoOrAlbum": _("Photo or album"),
        "readMore": _("View details"),
        "refuse": _("Refuse"),
        "scan": _("Scan"),
        "send": _("Send"),
        "switchOff": _("Switch off"),
        "takePhoto": _("Take a photo"),
        "unfollow": _("Unfollow"),
    }


def _message_phrases() -> dict[str, str]:
    """What a message is, and where it comes from."""
    return {
        "article": _("Article"),
        "byMachine": _("Written by a third party's AI"),
        "coupon": _("Coupon"),
        "material": _("Material"),
        "message": _("Message"),
        "miniprogram": _("Mini program"),
        "page": _("Page"),
        "picture": _("Picture"),
        "place": _("Location"),
        "receiving": _("Receiving message…"),
        "serviceNotice": _("Service notice"),
        "subscriptionNotice": _("Subscription notice"),
        "subscriptionNotices": _("Subscription notices"),
        "transferred": _("Handed over to an agent"),
        "typing": _("Typing…"),
        "video": _("Video"),
        "voice": _("Voice"),
        "voiceSample": _("I would like a quote"),
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
        "presetAddress": _("Address not allowed (40164)"),
        "presetBusy": _("Busy (−1) three times"),
        "presetCopies": _("Push four times at once"),
        "presetDown": _("API down"),
        "presetExpired": _("Token expired"),
        "presetField": _("Template field refused (47003)"),
        "presetLate": _("Push 8 s late"),
        "presetLost": _("Answer lost after sending"),
        "presetQuota": _("Daily quota used up (45009)"),
        "presetRefuse": _("Refuse connections 15 s"),
        "presetRevoked": _("Token replaced (40001)"),
        "presetSlow": _("API 4 s slow"),
        "presetWindow": _("Window closed (45015)"),
        "pushes": _("Pushes"),
        "setFault": _("Set fault"),
        "templateMessages": _("Template messages"),
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
        "kind_card": _("share card"),
        "kind_clock": _("clock"),
        "kind_code": _("code"),
        "kind_elsewhere": _("elsewhere"),
        "kind_fault": _("fault"),
        "kind_media": _("file"),
        "kind_menu": _("menu"),
        "kind_message": _("message"),
        "kind_page": _("page signature"),
        "kind_person": _("person"),
        "kind_push": _("push"),
        "kind_share": _("share"),
        "kind_scan": _("scan"),
        "kind_template": _("template"),
        "kind_typing": _("typing"),
        "outcome_accepted": _("accepted"),
        "outcome_dropped": _("dropped"),
        "outcome_failed": _("failed"),
        "outcome_reply": _("reply"),
        "outcome_waiting": _("waiting"),
    }
