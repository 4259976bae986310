"""Agents and the sessions in which they serve somebody. Source: wechat-api.md, section 6.4."""

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.desk import Agent
from wechat.simulator.endpoints.persons import person_of

DAILY = 500_000  # not published
WEB = 1  # the status of an agent who is at work


@endpoint("/cgi-bin/customservice/getkflist", method="GET", kinds=VERIFIED, daily=DAILY)
def list_agents(call: Call) -> Answer:
    """All agents."""
    agents = [
        {
            "kf_account": agent.kf_account,
            "kf_nick": agent.nickname,
            "kf_id": str(agent.number),
            "kf_headimgurl": f"{call.platform.url}{agent.avatar}",
        }
        for agent in call.account.desk.agents.values()
    ]
    return {"kf_list": agents}


@endpoint("/cgi-bin/customservice/getonlinekflist", method="GET", kinds=VERIFIED, daily=DAILY)
def list_online_agents(call: Call) -> Answer:
    """The agents at work, and how many people each one serves."""
    desk = call.account.desk
    serving = [session.kf_account for session in desk.sessions.values()]
    online = [
        {
            "kf_account": agent.kf_account,
            "status": WEB,
            "kf_id": agent.number,
            "kf_openid": "",
            "accepted_case": serving.count(agent.kf_account),
        }
        for agent in desk.agents.values()
        if agent.online
    ]
    return {"kf_online_list": online}


@endpoint("/customservice/kfsession/create", method="POST", kinds=VERIFIED, daily=DAILY)
def begin_session(call: Call) -> Answer:
    """An agent takes over; an event tells it."""
    agent, person = _both(call)
    if call.account.desk.begin(agent, person.openid, call.now):
        _announce(call, person, "kf_create_session", agent)
    return dict(OK)


@endpoint("/customservice/kfsession/close", method="POST", kinds=VERIFIED, daily=DAILY)
def end_session(call: Call) -> Answer:
    """An agent is done; an event tells it."""
    agent, person = _both(call)
    call.account.desk.end(agent, person.openid)
    _announce(call, person, "kf_close_session", agent)
    return dict(OK)


@endpoint("/customservice/kfsession/getsession", method="GET", kinds=VERIFIED, daily=DAILY)
def get_session(call: Call) -> Answer:
    """Who serves a person; an empty name when it is nobody."""
    person = person_of(call, call.query.get("openid"))
    session = call.account.desk.sessions.get(person.openid)
    if session is None:
        return {"createtime": 0, "kf_account": ""}
    return {"createtime": int(session.started), "kf_account": session.kf_account}


def _both(call: Call) -> tuple[Agent, Person]:
    """The agent and the person. Raises ApiError 65401 or 40003."""
    return call.account.desk.agent(call.body.get("kf_account")), person_of(call, call.body.get("openid"))


def _announce(call: Call, person: Person, event: str, agent: Agent) -> None:
    call.platform.note("person", appid=person.appid, openid=person.openid, session=event)
    call.platform.announce(call.account, person, [("Event", event), ("KfAccount", agent.kf_account)])
