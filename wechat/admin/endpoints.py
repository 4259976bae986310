"""The platform's calls in words: what staff read in the log instead of a path. A path nobody named here is shown as it is."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: Mapping[str, str | Promise] = {
    "/cgi-bin/stable_token": _("Fetch an access token (stable)"),
    "/cgi-bin/token": _("Fetch an access token"),
    "/cgi-bin/getcallbackip": _("Ask for WeChat's addresses"),
    "/cgi-bin/get_api_domain_ip": _("Ask for the API's addresses"),
    "/cgi-bin/callback/check": _("Check the network"),
    "/cgi-bin/clear_quota": _("Clear the quota"),
    "/cgi-bin/clear_quota/v2": _("Clear the quota with the AppSecret"),
    "/cgi-bin/openapi/quota/get": _("Ask for the quota"),
    "/cgi-bin/openapi/quota/clear": _("Clear the quota of one call"),
    "/cgi-bin/openapi/rid/get": _("Look up a rid"),
    "/cgi-bin/message/custom/send": _("Send a customer-service message"),
    "/cgi-bin/message/custom/typing": _("Show “typing”"),
    "/cgi-bin/message/template/send": _("Send a template message"),
    "/cgi-bin/message/template/subscribe": _("Send a one-time subscription message"),
    "/cgi-bin/message/subscribe/bizsend": _("Send a subscription notice"),
    "/cgi-bin/template/get_all_private_template": _("List the templates"),
    "/cgi-bin/template/api_add_template": _("Add a template"),
    "/cgi-bin/template/del_private_template": _("Delete a template"),
    "/cgi-bin/template/api_set_industry": _("Set the industry"),
    "/cgi-bin/template/get_industry": _("Ask for the industry"),
    "/wxaapi/newtmpl/getcategory": _("Ask for the service categories"),
    "/wxaapi/newtmpl/gettemplate": _("List the subscription templates"),
    "/wxaapi/newtmpl/addtemplate": _("Add a subscription template"),
    "/wxaapi/newtmpl/deltemplate": _("Delete a subscription template"),
    "/wxaapi/newtmpl/getpubtemplatetitles": _("List the public subscription templates"),
    "/wxaapi/newtmpl/getpubtemplatekeywords": _("List the keywords of a public template"),
    "/cgi-bin/menu/create": _("Publish the menu"),
    "/cgi-bin/menu/get": _("Fetch the menu"),
    "/cgi-bin/menu/delete": _("Delete the menu"),
    "/cgi-bin/menu/addconditional": _("Publish a conditional menu"),
    "/cgi-bin/menu/delconditional": _("Delete a conditional menu"),
    "/cgi-bin/menu/trymatch": _("Try the menu for a person"),
    "/cgi-bin/get_current_selfmenu_info": _("Fetch the live menu"),
    "/cgi-bin/qrcode/create": _("Make a QR code"),
    "/cgi-bin/user/info": _("Ask for a follower"),
    "/cgi-bin/user/info/batchget": _("Ask for many followers"),
    "/cgi-bin/user/get": _("List the followers"),
    "/cgi-bin/user/info/updateremark": _("Set a follower's remark"),
    "/cgi-bin/user/tag/get": _("List the followers of a tag"),
    "/cgi-bin/tags/create": _("Create a tag"),
    "/cgi-bin/tags/get": _("List the tags"),
    "/cgi-bin/tags/update": _("Rename a tag"),
    "/cgi-bin/tags/delete": _("Delete a tag"),
    "/cgi-bin/tags/getidlist": _("Ask for a follower's tags"),
    "/cgi-bin/tags/members/batchtagging": _("Tag followers"),
    "/cgi-bin/tags/members/batchuntagging": _("Untag followers"),
    "/cgi-bin/tags/members/getblacklist": _("List the blocked followers"),
    "/cgi-bin/tags/members/batchblacklist": _("Block followers"),
    "/cgi-bin/tags/members/batchunblacklist": _("Unblock followers"),
    "/cgi-bin/media/upload": _("Upload a temporary material"),
    "/cgi-bin/media/get": _("Download a temporary material"),
    "/cgi-bin/media/uploadimg": _("Upload a picture for an article"),
    "/cgi-bin/material/add_material": _("Upload a permanent material"),
    "/cgi-bin/material/get_material": _("Download a permanent material"),
    "/cgi-bin/material/del_material": _("Delete a permanent material"),
    "/cgi-bin/material/get_materialcount": _("Count the permanent materials"),
    "/cgi-bin/material/batchget_material": _("List the permanent materials"),
    "/cgi-bin/customservice/getkflist": _("List the agents"),
    "/cgi-bin/customservice/getonlinekflist": _("List the agents who are online"),
    "/customservice/kfaccount/add": _("Add an agent"),
    "/customservice/kfaccount/update": _("Change an agent"),
    "/customservice/kfaccount/del": _("Delete an agent"),
    "/customservice/kfaccount/inviteworker": _("Invite an agent"),
    "/customservice/kfaccount/uploadheadimg": _("Set an agent's picture"),
    "/customservice/kfsession/create": _("Open a conversation with an agent"),
    "/customservice/kfsession/close": _("Close a conversation with an agent"),
    "/customservice/kfsession/getsession": _("Ask who serves a person"),
    "/customservice/kfsession/getsessionlist": _("List an agent's conversations"),
    "/customservice/kfsession/getwaitcase": _("List who waits for an agent"),
    "/customservice/msgrecord/getmsglist": _("Fetch the chat record"),
    "/sns/oauth2/access_token": _("Web authorization: exchange the code"),
    "/sns/oauth2/refresh_token": _("Web authorization: renew"),
    "/sns/userinfo": _("Web authorization: ask for the profile"),
    "/sns/auth": _("Web authorization: check"),
    "/cgi-bin/ticket/getticket": _("Fetch a ticket for web pages"),
}


def in_words(path: str) -> str | Promise:
    """What the call of that path is called here."""
    return NAMES.get(path, path)


def named(words: str) -> list[str]:
    """The paths whose name, or which themselves, hold these words."""
    wanted = words.casefold()
    return [path for path, name in NAMES.items() if wanted in str(name).casefold() or wanted in path]
