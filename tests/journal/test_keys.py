"""SECRET, and the keys that come of it."""

import base64
import time

import pytest

from jobengine.errors import ConfigurationWrong, WrongSecret
from jobengine.journal.keys import KEY, PASSPHRASE, Kdf, Keys, Secret

CHEAP = Kdf(scrypt=1, log2_n=10, r=1, p=1)
SALT = b"s" * 32


@pytest.mark.parametrize("text", ["hex:" + "Ab" * 32, "base64:" + base64.b64encode(b"\xab" * 32).decode()])
def test_a_32_byte_key_needs_no_slow_derivation(text: str) -> None:
    secret = Secret.parse(text)
    assert secret.kdf == KEY
    assert secret.key_encryption_key(KEY, SALT) == Secret(b"\xab" * 32, KEY).key_encryption_key(KEY, SALT)


@pytest.mark.parametrize(
    "text",
    [
        "hex:" + "ab" * 31,
        "hex:" + "ab" * 33,
        "hex:" + "zz" * 32,
        "hex:",
        "hex:" + "é" * 64,
        "base64:" + base64.b64encode(b"\xab" * 31).decode(),
        "base64:" + base64.b64encode(b"\xab" * 32).decode()[:-1],
        "base64:" + "*" * 44,
        "",
    ],
)
def test_a_malformed_key_is_a_mistake_and_no_passphrase(text: str) -> None:
    with pytest.raises(ConfigurationWrong) as refusal:
        Secret.parse(text)
    assert "SECRET" in refusal.value.detail
    assert not text[10:] or text[10:] not in refusal.value.detail


@pytest.mark.parametrize("text", ["correct horse", "HEX:00", "hexagon", "ключ"])
def test_anything_else_is_a_passphrase(text: str) -> None:
    assert Secret.parse(text).kdf == PASSPHRASE


def test_a_passphrase_goes_through_scrypt_once() -> None:
    secret = Secret(b"correct horse", PASSPHRASE)
    first = secret.key_encryption_key(PASSPHRASE, SALT)
    started = time.process_time()
    assert secret.key_encryption_key(PASSPHRASE, SALT) == first
    assert time.process_time() - started < 0.05
    assert secret.key_encryption_key(CHEAP, SALT) != first


def test_the_salt_matters() -> None:
    secret = Secret.parse("hex:" + "00" * 32)
    assert secret.key_encryption_key(KEY, SALT) != secret.key_encryption_key(KEY, b"t" * 32)


@pytest.mark.parametrize(("text", "kdf"), [("hex:" + "00" * 32, CHEAP), ("correct horse", KEY)])
def test_a_secret_of_the_other_kind_is_wrong(text: str, kdf: Kdf) -> None:
    with pytest.raises(WrongSecret):
        Secret.parse(text).key_encryption_key(kdf, SALT)


@pytest.mark.parametrize(
    "kdf",
    [
        Kdf(scrypt=1, log2_n=21, r=8, p=1),
        Kdf(scrypt=1, log2_n=9, r=8, p=1),
        Kdf(scrypt=1, log2_n=17, r=9, p=1),
        Kdf(scrypt=1, log2_n=17, r=0, p=1),
        Kdf(scrypt=1, log2_n=17, r=8, p=5),
        Kdf(scrypt=1, log2_n=17, r=8, p=0),
        Kdf(scrypt=2, log2_n=17, r=8, p=1),
        Kdf(scrypt=0, log2_n=17, r=8, p=1),
    ],
)
def test_parameters_out_of_bounds_are_not_sane(kdf: Kdf) -> None:
    assert not kdf.sane
    assert KEY.sane
    assert PASSPHRASE.sane
    assert CHEAP.sane


def test_each_key_has_one_purpose_and_one_file() -> None:
    keys, others = Keys.derive(bytes(32), b"a" * 16), Keys.derive(bytes(32), b"b" * 16)
    everything = [keys.commitment, keys.body, keys.head, keys.anchor]
    assert len({*everything, others.commitment, others.body, others.head, others.anchor}) == 8


def test_secrets_and_keys_are_not_shown() -> None:
    assert "horse" not in f"{Secret.parse('correct horse')!r}"
    keys = Keys.derive(bytes(32), bytes(16))
    assert repr(keys.body) not in repr(keys)
