"""Signatures and message encryption, against the platform's own samples (tests/vectors/signature.json, crypto.json)."""

from typing import Any

import pytest
from callback import AES_KEY, APPID, vectors
from hypothesis import given
from hypothesis import strategies as st

from wechat import crypto, messages
from wechat.crypto import CryptoError

SIGNATURE, CRYPTO = vectors("signature"), vectors("crypto")


def by_id(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.parametrize("case", by_id(SIGNATURE["valid"]))
def test_a_right_signature_is_made_and_accepted(case: dict[str, Any]) -> None:
    parts = case["timestamp"], case["nonce"]
    assert crypto.sign(case["token"], *parts) == case["signature"]
    assert crypto.is_signed(case["signature"], case["token"], *parts)


@pytest.mark.parametrize("case", by_id(SIGNATURE["invalid"]))
def test_a_wrong_signature_is_refused(case: dict[str, Any]) -> None:
    assert not crypto.is_signed(case["signature"], case["token"], case["timestamp"], case["nonce"])


def test_an_empty_token_signs_nothing() -> None:
    assert not crypto.is_signed(crypto.sign("", "1760000000", "nonce"), "", "1760000000", "nonce")


@given(st.text(st.characters(), max_size=60))  # half surrogate pairs included
def test_any_text_as_signature_is_refused_and_raises_nothing(signature: str) -> None:
    assert not crypto.is_signed(signature, "token", "1760000000", "nonce")


def opened(case: dict[str, Any]) -> str:
    return crypto.open_envelope(
        case["encrypt"],
        msg_signature=case["msg_signature"],
        token=case["token"],
        timestamp=case["timestamp"],
        nonce=case["nonce"],
        aes_key=crypto.decode_aes_key(case["encoding_aes_key"]),
        appid=case["appid"],
    )


@pytest.mark.parametrize("case", by_id(CRYPTO["decrypt"]))
def test_an_encrypted_message_is_opened(case: dict[str, Any]) -> None:
    assert opened(case) == case["expect"]["msg"]


@pytest.mark.parametrize("case", by_id([case for case in CRYPTO["decrypt"] if "outer_body" in case]))
def test_the_ciphertext_is_found_in_the_outer_body(case: dict[str, Any]) -> None:
    assert messages.read_tree(case["outer_body"].encode())["Encrypt"] == case["encrypt"]


@pytest.mark.parametrize("case", by_id(CRYPTO["encrypt"]))
def test_a_message_is_encrypted_and_signed_exactly_as_the_platform_does(case: dict[str, Any]) -> None:
    key = crypto.decode_aes_key(case["encoding_aes_key"])
    ciphertext = crypto.encrypt(case["msg"], aes_key=key, appid=case["appid"], random=case["random"].encode())
    assert ciphertext == case["expect"]["encrypt"]
    signature = crypto.sign(case["token"], case["timestamp"], case["nonce"], ciphertext)
    assert signature == case["expect"]["msg_signature"]


@pytest.mark.parametrize("case", by_id(CRYPTO["negative"]))
def test_a_broken_envelope_is_refused_with_the_platforms_own_code(case: dict[str, Any]) -> None:
    with pytest.raises(CryptoError) as caught:
        opened(case)
    assert caught.value.code == case["expect_error"]


def test_two_encryptions_of_one_message_differ() -> None:
    key = crypto.decode_aes_key(AES_KEY)
    assert crypto.encrypt("hi", aes_key=key, appid=APPID) != crypto.encrypt("hi", aes_key=key, appid=APPID)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_encrypted_is_decrypted_again(message: str) -> None:
    key = crypto.decode_aes_key(AES_KEY)
    assert crypto.decrypt(crypto.encrypt(message, aes_key=key, appid=APPID), aes_key=key, appid=APPID) == message


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_as_ciphertext_raises_nothing_but_a_crypto_error(ciphertext: str) -> None:
    with pytest.raises(CryptoError):
        crypto.decrypt(ciphertext, aes_key=crypto.decode_aes_key(AES_KEY), appid=APPID)
