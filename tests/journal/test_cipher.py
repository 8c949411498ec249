"""XAES-256-GCM, against the vectors that C2SP publishes."""

import pytest
from cryptography.exceptions import InvalidTag

from jobengine.journal.cipher import Nonces, Xaes

VECTORS = [
    (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
    (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
]
NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


@pytest.mark.parametrize(("key", "associated", "sealed"), VECTORS)
def test_the_published_vectors_hold(key: int, associated: bytes, sealed: str) -> None:
    cipher = Xaes(bytes([key]) * 32)
    assert cipher.encrypt(NONCE, b"XAES-256-GCM", associated).hex() == sealed
    assert cipher.decrypt(NONCE, bytes.fromhex(sealed), associated) == b"XAES-256-GCM"


def test_other_associated_data_do_not_open() -> None:
    cipher = Xaes(bytes(32))
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, cipher.encrypt(NONCE, b"body", b"head"), b"Head")


def test_nonces_are_random_and_share_their_first_half_for_a_while() -> None:
    nonces = Nonces()
    some = [nonces.next() for _ in range(1000)]
    assert len({nonce[12:] for nonce in some}) == 1000
    assert len({nonce[:12] for nonce in some}) == 1
    assert Nonces().next()[:12] != some[0][:12]


def test_nonces_are_not_counted() -> None:
    nonces = Nonces()
    first, second = (int.from_bytes(nonces.next()[12:]) for _ in range(2))
    assert abs(first - second) > 1 << 32


def test_the_first_half_changes_after_a_million_nonces() -> None:
    nonces = Nonces()
    before = nonces.next()
    nonces._left = 0
    assert nonces.next()[:12] != before[:12]
