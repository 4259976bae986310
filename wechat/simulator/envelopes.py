"""Writes pushes as the platform does: XML, signature, and encryption as the account's mode demands.

In: the nodes of a push. Out: query string and body of the request. Source: wechat-inbound.md, sections 3 and 4.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from wechat.crypto import decode_aes_key, encrypt, sign
from wechat.simulator.accounts import Account

Nodes = Sequence[tuple[str, "str | int | Nodes"]]


@dataclass(frozen=True)
class Envelope:
    """One signed request; a repeat sends it unchanged."""

    query: str
    body: bytes


def write_nodes(nodes: Nodes) -> str:
    """XML nodes, one a line: text in CDATA, numbers bare, sequences as nested nodes.

    `]]>` inside a text is not escaped, because the platform does not do it either.
    """
    return "".join(f"<{name}>{_value(value)}</{name}>\n" for name, value in nodes)


def _value(value: "str | int | Nodes") -> str:
    if isinstance(value, str):
        return f"<![CDATA[{value}]]>"
    if isinstance(value, int):
        return str(value)
    return write_nodes(value)


def seal(account: Account, nodes: str, *, openid: str, timestamp: int, wrong_signature: bool = False) -> Envelope:
    """Sign the nodes, and encrypt them unless the mode is plain. Each call makes a new nonce and ciphertext."""
    stamp, nonce = str(timestamp), str(secrets.randbelow(9 * 10**9) + 10**9)
    token = secrets.token_hex(8) if wrong_signature else account.token
    query = {"signature": sign(token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": openid}
    if account.mode == "plain":
        return Envelope(urlencode(query), f"<xml>{nodes}</xml>".encode())
    ciphertext = encrypt(f"<xml>{nodes}</xml>", aes_key=decode_aes_key(account.aes_key), appid=account.appid)
    query |= {"encrypt_type": "aes", "msg_signature": sign(token, stamp, nonce, ciphertext)}
    clear = nodes if account.mode == "compatible" else write_nodes([("ToUserName", account.original_id)])
    body = f"<xml>{clear}{write_nodes([('Encrypt', ciphertext)])}</xml>"
    return Envelope(urlencode(query), body.encode())


def verification_query(account: Account, *, timestamp: int) -> tuple[str, str]:
    """The query of the console's address check, and the echostr it must be answered with."""
    stamp, nonce = str(timestamp), str(secrets.randbelow(9 * 10**9) + 10**9)
    echostr = str(secrets.randbelow(9 * 10**18) + 10**18)
    signature = sign(account.token, stamp, nonce)
    return urlencode({"signature": signature, "echostr": echostr, "timestamp": stamp, "nonce": nonce}), echostr
