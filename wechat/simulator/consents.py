"""What a person decides about subscription notices: to allow one, to refuse it, to take the consent back.

Source: wechat-inbound.md, section 9.4; wechat-api.md, section 8.1.
"""

from wechat.simulator.envelopes import Nodes
from wechat.simulator.hand import Hand, Outcome, PhoneError
from wechat.simulator.subscriptions import accept

WEB_PAGE = 1  # where the question was asked


class Consents(Hand):
    """The question an account's page asks, and the switch in the account's profile."""

    def answer_notice(self, openid: str, template_id: str, *, allows: bool) -> Outcome:
        """Answer the question: each yes is worth one notice, or all of a long-term template."""
        person = self.person(openid)
        with self.platform.lock:
            template = self.platform.account_of(person).subscriptions.private.get(template_id)
            if template is None:
                raise PhoneError(f"there is no subscription template {template_id}")
            if allows:
                accept(person.opt_ins, template)
            self.platform.note("person", appid=person.appid, openid=openid)
        answer = "accept" if allows else "reject"
        facts: Nodes = [("TemplateId", template_id), ("SubscribeStatusString", answer), ("PopupScene", WEB_PAGE)]
        event: Nodes = [("Event", "subscribe_msg_popup_event"), ("SubscribeMsgPopupEvent", [("List", facts)])]
        return self._push(person, "subscribe_msg_popup_event", event)

    def refuse_notices(self, openid: str, template_id: str) -> Outcome:
        """Switch a template off: all consents to it are void."""
        person = self.person(openid)
        with self.platform.lock:
            if not person.opt_ins.pop(template_id, 0):
                return Outcome("already")
            self.platform.note("person", appid=person.appid, openid=openid)
        facts: Nodes = [("TemplateId", template_id), ("SubscribeStatusString", "reject")]
        event: Nodes = [("Event", "subscribe_msg_change_event"), ("SubscribeMsgChangeEvent", [("List", facts)])]
        return self._push(person, "subscribe_msg_change_event", event)
