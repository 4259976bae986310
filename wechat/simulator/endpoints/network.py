"""Addresses of the platform. Source: wechat-inbound.md, section 13; wechat-api.md, section 14."""

from wechat.simulator.calls import Answer, Call, endpoint


@endpoint("/cgi-bin/getcallbackip", method="GET")
def get_callback_ip(call: Call) -> Answer:
    """Where pushes come from: here, from this machine."""
    return {"ip_list": ["127.0.0.1", "127.0.0.0/8"]}


@endpoint("/cgi-bin/get_api_domain_ip", method="GET")
def get_api_domain_ip(call: Call) -> Answer:
    """Where calls go to."""
    return {"ip_list": ["127.0.0.1"]}
