"""Step 1: signatures and message encryption. Bytes and strings in, bytes and strings out; no Django, no database.

The platform signs every request of its own with SHA-1 over token, timestamp and nonce, and in the compatible and safe
modes encrypts the body with AES-256-CBC. Source: 消息加解密说明,
https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # the platform pads to 32 bytes, not to the cipher's 16
RANDOM_BYTES = 16
LENGTH_BYTES = 4

_AES_KEY_TEXT = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)
_BASE64_TEXT = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)


class CryptoError(Exception):
    """A push that cannot be trusted or read; `code` is the number the platform's own sample code uses."""

    SIGNATURE = -40001
    NO_ENCRYPT_NODE = -40002
    BAD_AES_KEY = -40004
    OTHER_APPID = -40005
    BAD_CIPHERTEXT = -40007
    BAD_BUFFER = -40008
    BAD_BASE64 = -40010

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code


def sign(*parts: str) -> str:
    """SHA-1 over the parts in byte order, as 40 lower-case hex digits.

    With (token, timestamp, nonce) it is the `signature`, with the ciphertext as fourth part the `msg_signature`.
    """
    return hashlib.sha1(b"".join(sorted(part.encode() for part in parts))).hexdigest()


def is_signed(signature: str | None, token: str, *parts: str | None) -> bool:
    """Whether `signature` is the one of `token` and `parts`. A missing part, or an empty token, is never signed."""
    if not signature or not token or not all(parts):
        return False
    expected = sign(token, *(part for part in parts if part))
    # On bytes: compare_digest raises TypeError for non-ASCII text.
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))


def decode_aes_key(encoding_aes_key: str) -> bytes:
    """The 32-byte key of a 43-character EncodingAESKey. Raises CryptoError for anything else."""
    if not _AES_KEY_TEXT.fullmatch(encoding_aes_key):
        raise CryptoError(CryptoError.BAD_AES_KEY, "an EncodingAESKey has exactly 43 letters and digits")
    # Lenient on the two spare bits of the last character: real keys have them set.
    return base64.b64decode(encoding_aes_key + "=")


def encrypt(message: str, *, aes_key: bytes, appid: str, random: bytes | None = None) -> str:
    """The base64 ciphertext of `message` for `appid`; `random` (16 bytes) is given by tests only."""
    body = message.encode()
    plain = (random or secrets.token_bytes(RANDOM_BYTES)) + struct.pack(">I", len(body)) + body + appid.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def decrypt(ciphertext: str, *, aes_key: bytes, appid: str) -> str:
    """The message inside `ciphertext`. Raises CryptoError; check the msg_signature before, it is the only integrity."""
    plain = _unpad(_decipher(ciphertext, aes_key))
    start = RANDOM_BYTES + LENGTH_BYTES
    if len(plain) < start:
        raise CryptoError(CryptoError.BAD_BUFFER, "the decrypted text is too short")
    end = start + struct.unpack(">I", plain[RANDOM_BYTES:start])[0]
    if end > len(plain):
        raise CryptoError(CryptoError.BAD_BUFFER, "the decrypted length is wrong")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise CryptoError(CryptoError.OTHER_APPID, "the message is for another AppID")
    try:
        return plain[start:end].decode()
    except UnicodeDecodeError as error:
        raise CryptoError(CryptoError.BAD_BUFFER, "the decrypted text is not UTF-8") from error


def open_envelope(
    ciphertext: str | None,
    *,
    msg_signature: str | None,
    token: str,
    timestamp: str,
    nonce: str,
    aes_key: bytes,
    appid: str,
) -> str:
    """Check the msg_signature over `ciphertext`, then decrypt it. Raises CryptoError, also when there is no ciphertext."""
    if not ciphertext:
        raise CryptoError(CryptoError.NO_ENCRYPT_NODE, "the body has no Encrypt node")
    if not is_signed(msg_signature, token, timestamp, nonce, ciphertext):
        raise CryptoError(CryptoError.SIGNATURE, "the msg_signature does not match")
    return decrypt(ciphertext, aes_key=aes_key, appid=appid)


def _cipher(aes_key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(aes_key), modes.CBC(aes_key[:16]))


def _decipher(ciphertext: str, aes_key: bytes) -> bytes:
    if not _BASE64_TEXT.fullmatch(ciphertext):
        raise CryptoError(CryptoError.BAD_BASE64, "the ciphertext is not base64")
    try:
        raw = base64.b64decode(ciphertext, validate=True)
    except binascii.Error as error:
        raise CryptoError(CryptoError.BAD_BASE64, "the ciphertext is not base64") from error
    if not raw or len(raw) % BLOCK:
        raise CryptoError(CryptoError.BAD_CIPHERTEXT, "the ciphertext is not made of whole blocks")
    decryptor = _cipher(aes_key).decryptor()
    return decryptor.update(raw) + decryptor.finalize()


def _unpad(plain: bytes) -> bytes:
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise CryptoError(CryptoError.BAD_BUFFER, "the padding is wrong")
    return plain[:-padding]
