"""What the account may know of a person. Source: wechat-api.md, section 10.1."""

from wechat.simulator.calls import VERIFIED, Answer, Call, endpoint
from wechat.simulator.errors import ApiError


@endpoint("/cgi-bin/user/info", method="GET", kinds=VERIFIED, daily=5_000_000, test_daily=500_000)
def get_user_info(call: Call) -> Answer:
    """A follower's facts; of everybody else only that they do not follow. Never a nickname or an avatar."""
    openid = call.query.get("openid", "")
    if not openid:
        raise ApiError(41009)
    person = call.platform.persons.get(openid)
    if person is None or person.appid != call.account.appid:
        raise ApiError(40003)
    if not person.follows:
        return {"subscribe": 0, "openid": openid, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": "zh_CN",
        "subscribe_time": person.subscribe_time,
        "remark": person.remark,
        "groupid": 0,
        "tagid_list": person.tags,
        "subscribe_scene": person.subscribe_scene,
        "qr_scene": person.qr_scene,
        "qr_scene_str": person.qr_scene_str,
    }
