"""Talks to a simulator the way the product does, with a token of the account; and finds the pushes it caused."""

import json
import time
from typing import Any

import requests

from wechat.simulator.accounts import Account, Person
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID = "wx0123456789abcdef"
NOWHERE = "http://127.0.0.1:1/none"  # pushes are written down, and reach nobody


def platform() -> Platform:
    """One verified service account whose pushes go nowhere, and at once."""
    made = Platform(Account(appid=APPID, secret="secret", token="token", callback_url=NOWHERE))
    made.settings.push_repeats = 0
    made.settings.job_seconds = 0.0
    return made


class Api:
    """Calls of one account over real HTTP."""

    def __init__(self, server: SimulatorServer) -> None:
        self.server = server
        self.platform = server.platform
        self.account = server.platform.accounts[APPID]
        self.session = requests.Session()

    def person(self, openid: str = "oPerson", **fields: Any) -> Person:
        return self.platform.add_person(self.account, openid=openid, **{"follows": True, **fields})

    def _query(self, query: dict[str, Any]) -> dict[str, Any]:
        token = self.account.tokens.stable(self.platform.clock.now()).value
        self.platform.token_owners[token] = self.account
        return {"access_token": token, **query}

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._json(self.session.get(self.server.url + path, params=self._query(query), timeout=5))

    def post(self, path: str, body: Any) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self._json(self.session.post(self.server.url + path, params=self._query({}), data=raw, timeout=5))

    def code(self, path: str, body: Any) -> int:
        """The errcode of a call; every error also ends with a request id."""
        answer = self.post(path, body)
        code = int(answer.get("errcode", 0))
        assert code == 0 or " rid: " in answer["errmsg"]
        return code

    def upload(self, path: str, file: Any, *, form: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
        files = None if file is None else {"media": file}
        url = self.server.url + path
        return self._json(self.session.post(url, params=self._query(query), files=files, data=form, timeout=5))

    def raw(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        raw = None if body is None else json.dumps(body).encode()
        return self.session.request(method, self.server.url + path, params=self._query(query), data=raw, timeout=5)

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response = self.session.request(method, f"{self.server.url}/sim/api{path}", json=body, timeout=30)
        return dict(response.json())

    def pushed(self, event: str) -> str:
        """The XML of the newest push of this event, once it is on its way."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            entries = self.platform.journal.find(kind="push", event=event)
            if entries:
                return str(entries[-1]["xml"])
            time.sleep(0.005)
        raise AssertionError(f"no push of {event}")

    @staticmethod
    def _json(response: requests.Response) -> dict[str, Any]:
        assert response.status_code == 200
        return dict(json.loads(response.content.decode()))
