"""What the rules may not fetch themselves."""

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from jobengine.engine.seeds import Seeds
from jobengine.model.moment import Moment


@given(st.binary(min_size=16, max_size=16))
def test_every_seed_makes_a_random_uuid_of_version_4(seed: bytes) -> None:
    uid = Moment(0, seed).uid()
    assert uuid.UUID(uid).version == 4
    assert uuid.UUID(uid).variant == uuid.RFC_4122
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uid)


def test_all_but_six_bits_of_the_seed_reach_the_uid() -> None:
    def uid(bit: int) -> str:
        return Moment(0, (1 << bit).to_bytes(16)).uid()

    assert len({uid(bit) for bit in range(128)} | {Moment(0, bytes(16)).uid()}) == 1 + 128 - 6


def test_no_seed_comes_twice() -> None:
    seeds = Seeds()
    drawn = [seeds.next() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {len(seed) for seed in drawn} == {16}


@given(st.binary(min_size=16, max_size=16))
def test_all_uids_of_one_moment_are_random_uuids_of_version_4_and_differ(seed: bytes) -> None:
    uids = Moment(0, seed).uids(100)
    assert len(set(uids)) == 100
    assert [str(uuid.UUID(uid)) for uid in uids] == uids
    assert {(uuid.UUID(uid).version, uuid.UUID(uid).variant) for uid in uids} == {(4, uuid.RFC_4122)}


@given(st.binary(min_size=16, max_size=16))
def test_all_leases_of_one_moment_differ_and_none_is_0(seed: bytes) -> None:
    leases = Moment(0, seed).leases(100)
    assert len(set(leases)) == 100
    assert all(0 < lease < 1 << 63 for lease in leases)
