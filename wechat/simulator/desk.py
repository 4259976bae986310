"""The agents of one account and whom they serve. Source: wechat-api.md, section 6.4. The caller holds the platform's lock."""

from dataclasses import dataclass, field
from typing import Any

from wechat.simulator.errors import ApiError

FIRST_ID = 1001


@dataclass
class Agent:
    """One agent. An agent without `bound` has not taken up the invitation and cannot serve anybody."""

    kf_account: str
    nickname: str
    number: int
    online: bool = False
    bound: bool = True
    avatar: str = "/static/simulator/avatars/robot.svg"

    def as_json(self) -> dict[str, Any]:
        """For the tests and the page."""
        return {"kf_account": self.kf_account, "nickname": self.nickname, "online": self.online, "bound": self.bound}


@dataclass(frozen=True)
class Session:
    """Somebody is being served."""

    kf_account: str
    started: float


@dataclass
class Desk:
    """Agents by account name, sessions by openid."""

    agents: dict[str, Agent] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    @classmethod
    def preloaded(cls) -> "Desk":
        """Two agents: one at work, one at home."""
        desk = cls()
        desk.set("anna@wxhub", nickname="客服小安", online=True)
        desk.set("ben@wxhub", nickname="客服小本", online=False)
        return desk

    def set(self, kf_account: str, **facts: Any) -> Agent:
        """Add an agent, or change what is given of one."""
        agent = self.agents.get(kf_account)
        if agent is None:
            number = FIRST_ID + len(self.agents)
            agent = self.agents[kf_account] = Agent(kf_account, kf_account.partition("@")[0], number)
        for name, value in facts.items():
            setattr(agent, name, value)
        return agent

    def agent(self, kf_account: object) -> Agent:
        """The agent of this name. Raises ApiError 65401."""
        agent = self.agents.get(kf_account) if isinstance(kf_account, str) else None
        if agent is None:
            raise ApiError(65401)
        return agent

    def begin(self, agent: Agent, openid: str, now: float) -> bool:
        """Let an agent serve a person; False when it is so already. Raises ApiError 65402, 65415 or 65414."""
        if not agent.bound:
            raise ApiError(65402)
        if not agent.online:
            raise ApiError(65415)
        session = self.sessions.get(openid)
        if session and session.kf_account != agent.kf_account:
            raise ApiError(65414)
        if session is None:
            self.sessions[openid] = Session(agent.kf_account, now)
        return session is None

    def end(self, agent: Agent, openid: str) -> None:
        """The agent is done with a person. Raises ApiError 65413 or 65414."""
        session = self.sessions.get(openid)
        if session is None:
            raise ApiError(65413)
        if session.kf_account != agent.kf_account:
            raise ApiError(65414)
        del self.sessions[openid]
