"""Roots and proofs of RFC 9162, against its test vectors and against the definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.merkle import extends, includes, leaf_hash, prove_consistency, prove_inclusion, root_hash

# Test vectors of the Certificate Transparency reference implementation (merkletree_test).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_is_that_of_the_published_vectors(size):
    assert root_hash(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert root_hash([]) == hashlib.sha256(b"").digest()


def test_every_leaf_is_proved_and_no_other_is():
    for size in range(1, 18):
        leaves = [leaf_hash(bytes([i])) for i in range(size)]
        root = root_hash(leaves)
        for index in range(size):
            proof = prove_inclusion(index, leaves)
            assert includes(leaves[index], index, size, proof, root)
            assert not includes(leaf_hash(b"other"), index, size, proof, root)
            assert not any(includes(leaves[index], i, size, proof, root) for i in range(size) if i != index)
            assert not includes(leaves[index], index, size, [*proof, root], root)


def test_every_earlier_tree_is_proved_and_no_other_is():
    leaves = [leaf_hash(bytes([i])) for i in range(17)]
    for new in range(1, 18):
        root = root_hash(leaves[:new])
        for old in range(1, new + 1):
            proof = prove_consistency(old, leaves[:new])
            assert extends(old, root_hash(leaves[:old]), new, root, proof)
            rewritten = root_hash([leaf_hash(b"other"), *leaves[1:old]])
            assert not extends(old, rewritten, new, root, proof)
            assert not extends(old, root_hash(leaves[:old]), new, root_hash([*leaves[:new], b""]), proof)


@given(st.integers(1, 200), st.data())
def test_a_changed_proof_proves_nothing(size, data):
    leaves = [leaf_hash(bytes([i])) for i in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, leaves)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        proof[place] = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        assert not includes(leaves[index], index, size, proof, root_hash(leaves))
    assert not includes(leaves[index], size, size, proof, root_hash(leaves))


def test_a_proof_is_as_short_as_the_tree_is_deep():
    leaves = [leaf_hash(bytes([i % 256, i // 256])) for i in range(1000)]
    assert max(len(prove_inclusion(i, leaves)) for i in range(0, 1000, 37)) <= 10
    assert len(prove_consistency(600, leaves)) <= 11
